from kdrec.models.teachers.external.wrap import External, as_teacher, external, restore

__all__ = ["External", "as_teacher", "external", "restore"]

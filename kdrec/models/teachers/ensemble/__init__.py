from kdrec.models.teachers.ensemble.build import ensemble
from kdrec.models.teachers.ensemble.members import MEMBERS, check_members
from kdrec.models.teachers.ensemble.teacher import Ensemble, restore

__all__ = ["MEMBERS", "Ensemble", "check_members", "ensemble", "restore"]

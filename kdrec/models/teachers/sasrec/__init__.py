from kdrec.models.teachers.sasrec.teacher import restore
from kdrec.models.teachers.sasrec.train import sasrec

__all__ = ["restore", "sasrec"]

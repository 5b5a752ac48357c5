from kdrec.models.teachers.lightgcn.teacher import restore
from kdrec.models.teachers.lightgcn.train import lightgcn

__all__ = ["lightgcn", "restore"]

from kdrec.models.teachers.mf_bpr.teacher import restore
from kdrec.models.teachers.mf_bpr.train import mf_bpr

__all__ = ["mf_bpr", "restore"]

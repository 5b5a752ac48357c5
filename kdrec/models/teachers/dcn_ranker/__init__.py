from kdrec.models.teachers.dcn_ranker.teacher import restore
from kdrec.models.teachers.dcn_ranker.train import dcn_ranker

__all__ = ["dcn_ranker", "restore"]

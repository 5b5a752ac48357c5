from kdrec.models.teachers.two_tower.teacher import restore
from kdrec.models.teachers.two_tower.train import two_tower

__all__ = ["restore", "two_tower"]

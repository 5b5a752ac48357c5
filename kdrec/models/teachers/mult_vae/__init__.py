from kdrec.models.teachers.mult_vae.teacher import restore
from kdrec.models.teachers.mult_vae.train import mult_vae

__all__ = ["mult_vae", "restore"]

from kdrec.targets.micro.backends.c.generate import c

__all__ = ["c"]

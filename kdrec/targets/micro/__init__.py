from kdrec.targets.micro.target import micro

__all__ = ["micro"]

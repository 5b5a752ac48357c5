from kdrec.targets.linux_arm64.backends.python.generate import python

__all__ = ["python"]

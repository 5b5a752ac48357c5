from kdrec.targets.android.backends.library.generate import library

__all__ = ["library"]

from kdrec.targets.web.backends.page.generate import page

__all__ = ["page"]

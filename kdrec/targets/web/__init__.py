from kdrec.targets.web.target import web

__all__ = ["web"]

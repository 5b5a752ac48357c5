from kdrec.export.export_all import export, export_all
from kdrec.export.jobs import Exported, ExportJob

__all__ = ["ExportJob", "Exported", "export", "export_all"]

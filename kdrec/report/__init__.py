"""What a run found: report.json, a page, pictures and tables."""

from kdrec.report.check import ReportError, check_report, schema
from kdrec.report.headline import headline
from kdrec.report.pictures import loss_curves, lost_by_stage, quality_against_bytes, training_curves
from kdrec.report.table import console_table, table_markdown
from kdrec.report.write import write_report

__all__ = [
    "ReportError",
    "check_report",
    "console_table",
    "headline",
    "loss_curves",
    "lost_by_stage",
    "quality_against_bytes",
    "schema",
    "table_markdown",
    "training_curves",
    "write_report",
]

"""report.json and report.html, written so that a crash leaves the old ones."""

import json
from pathlib import Path
from typing import Any

from kdrec.files import atomic_write
from kdrec.report.check import check_report
from kdrec.report.page import render_page


def write_report(report: dict[str, Any], folder: str | Path) -> None:
    """Write `report.json` and the self-contained `report.html` into a folder.

    Both are made before the first is written, each is renamed into place, and equal reports give equal bytes.

    Args:
        report: the content of report.json; the schema is `report.schema.json`.
        folder: made if it does not exist.

    Raises:
        ReportError: the report breaks the schema; nothing is written.
        OutputError: no space left.
    """
    check_report(report)
    page = render_page(report)
    text = json.dumps(report, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    atomic_write(Path(folder) / "report.json", text)
    atomic_write(Path(folder) / "report.html", page)

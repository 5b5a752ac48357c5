"""search.html: every trial of a search, the front of the best, and what was chosen."""

from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from kdrec.files import atomic_write
from kdrec.report.pareto import pareto
from kdrec.report.svg import inline_svg
from kdrec.report.words import kib, microseconds, percent, quality


def write_page(result: dict[str, Any], path: Path, going_on: bool = False) -> None:
    """Write the page of a search's result so far, whole or not at all.

    Args:
        result: of `kdrec.search.result.result_of`.
        path: of the page.
        going_on: more trials come; a browser that shows the page reads it again every 15 seconds.
    """
    home = files("kdrec")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(home.joinpath("search", "page.html").read_text("utf-8"))
    rows = sorted(result["trials"], key=lambda row: (row["bytes"] is None, row["bytes"], row["number"]))
    page = template.render(
        result=result, rows=rows, goals=_goals(result), going_on=going_on, kib=kib, percent=percent, quality=quality,
        microseconds=microseconds, css=Markup(home.joinpath("report", "page.css").read_text("utf-8")),
        picture=Markup(inline_svg(pareto(result), "pareto", "Quality of every trial against its bytes")),
    )  # fmt: skip
    atomic_write(path, page)


def _goals(result: dict[str, Any]) -> list[str]:
    goal = result["goal"]
    words = {
        "keep": lambda value: f"at least {percent(value)} of the teacher's NDCG@{result['k']}",
        "bytes": lambda value: f"at most {kib(value)}",
        "latency_us": lambda value: f"at most {microseconds(value)}",
    }
    return [words[name](value) for name, value in goal.items() if value is not None]

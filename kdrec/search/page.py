"""search.html: every trial of a search, the front of the best, and what was chosen."""

from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup
from matplotlib.figure import Figure

from kdrec.files import atomic_write
from kdrec.report.pictures import GREY, INK, logarithmic_kib
from kdrec.report.svg import inline_svg
from kdrec.report.words import kib, microseconds, percent, quality

BEST, FRONT = "#dc4a63", "#2f82d8"


def write_page(result: dict[str, Any], path: Path) -> None:
    """Write the page of a search's result so far, whole or not at all."""
    home = files("kdrec")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(home.joinpath("search", "page.html").read_text("utf-8"))
    rows = sorted(result["trials"], key=lambda row: (row["bytes"] is None, row["bytes"], row["number"]))
    page = template.render(
        result=result, rows=rows, goals=_goals(result), kib=kib, percent=percent, quality=quality,
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


def pareto(result: dict[str, Any]) -> Figure:
    """NDCG on the validation part of every judged trial against the bytes of its file, with goal and teacher.

    Args:
        result: of `kdrec.search.study.search`.
    """
    figure = Figure(figsize=(7.2, 4.2), layout="constrained")
    axes, goal = figure.subplots(), result["goal"]
    judged = [row for row in result["trials"] if row["ndcg"] is not None]
    front = sorted((row for row in judged if row["front"]), key=lambda row: row["bytes"])
    sizes = [row["bytes"] / 1024 for row in judged]
    axes.plot(sizes, [row["ndcg"] for row in judged], "o", color=GREY, markersize=5, alpha=0.7, label="trial")
    axes.plot(
        [row["bytes"] / 1024 for row in front], [row["ndcg"] for row in front], "o-", color=FRONT, markersize=6,
        drawstyle="steps-post", label="no smaller file is as good",
    )  # fmt: skip
    if result["best"] is not None:
        best = result["best"]
        axes.plot(best["bytes"] / 1024, best["ndcg"], "*", color=BEST, markersize=16, label="chosen", zorder=5)
    axes.axhline(result["teacher_ndcg"], color=INK, linestyle="--", linewidth=1, label="teacher")
    if goal["keep"] is not None:
        axes.axhline(goal["keep"] * result["teacher_ndcg"], color=BEST, linestyle=":", linewidth=1, label="goal")
    if goal["bytes"] is not None:
        axes.axvline(goal["bytes"] / 1024, color=BEST, linestyle=":", linewidth=1)
    logarithmic_kib(axes, "File")
    axes.set_ylabel(f"NDCG@{result['k']}, validation")
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=8)
    return figure

"""The picture of a search: what every trial's file reaches for its bytes."""

from typing import Any

from matplotlib.figure import Figure

from kdrec.report.pictures import GREY, INK, logarithmic_kib

BEST, FRONT = "#dc4a63", "#2f82d8"


def pareto(result: dict[str, Any]) -> Figure:
    """NDCG on the validation part of every judged trial against the bytes of its file, with goal and teacher.

    Args:
        result: of `kdrec.search.study.search`, or what a report keeps of it.
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

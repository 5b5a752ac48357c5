"""The report's pictures as matplotlib Figures, which a notebook shows and the page embeds."""

import math
import textwrap
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from kdrec.report.rows import Row, interval, made_from, made_smaller, ndcg, steps
from kdrec.report.words import change, kib, metric_name, quality, row_name, stage_name

INK = "#2b3038"  # the page replaces it by its own text colour
GREY = "#828b98"
_COLOURS = {
    "teacher": "#8d68d8",
    "student": "#cf7a12",
    "student_distilled": "#2f82d8",
    "distilled_later": "#2f5fd8",
    "shrunk": "#8a9a1d",
    "small_table": "#7a6a1f",
    "cut": "#7f8f1f",
    "pruned": "#1d9a88",
    "clustered": "#7a8f2a",
    "quantized": "#c2427b",
}
_FILE_COLOUR = "#dc4a63"
_MARKERS = ("o", "s", "D", "^", "v", "P", "X")


def colour(row: Row) -> str:
    """The colour that stands for a row in every picture."""
    return _FILE_COLOUR if row["form"] == "file" else _COLOURS.get(row["name"], GREY)


def quality_against_bytes(report: dict[str, Any]) -> Figure:
    """NDCG@k of every form against its size (logarithmic), with the teacher and the baselines as lines.

    Args:
        report: the content of report.json; forms without a size are lines only.
    """
    figure, axes = _figure(1, height=3.5)
    ax = axes[0]
    judged = [(row, value) for row in report["rows"] if (value := ndcg(report, row)) is not None]
    for row, value in judged:
        if row["form"] == "baseline" or row["name"] == "teacher":
            style = "--" if row["name"] == "teacher" else ":"
            ax.axhline(value, color=colour(row), linestyle=style, linewidth=1.2, zorder=1)
            if not row["bytes"]:
                ax.annotate(
                    row_name(row), (0.99, value), xycoords=("axes fraction", "data"), xytext=(0, 3),
                    textcoords="offset points", ha="right", fontsize=8, color=INK,
                )  # fmt: skip
    sized = [(row, value) for row, value in judged if row["bytes"]]
    for place, (row, value) in enumerate(sized):
        ax.errorbar(
            row["bytes"] / 1024, value, yerr=_bars(report, row, value), fmt=_MARKERS[place % len(_MARKERS)],
            color=colour(row), markersize=7, markeredgecolor=INK, markeredgewidth=0.6, elinewidth=1, capsize=2,
            label=row_name(row), zorder=3,
        )  # fmt: skip
    logarithmic_kib(ax, "Size")
    ax.set_ylabel(f"NDCG@{report['k']}")
    ax.set_ylim(bottom=0)
    ax.margins(x=0.12)
    if sized:
        _legend(figure, ax)
    return figure


def comparison(report: dict[str, Any]) -> Figure:
    """NDCG@k of every variant of `kdrec compare`, in the order of the table, with the size of its file at the right.

    Args:
        report: the content of report.json, with `comparison`.
    """
    rows = report["comparison"]
    figure, axes = _figure(1, height=1.0 + 0.36 * len(rows))
    ax, teacher = axes[0], next((row for row in report["rows"] if row["name"] == "teacher"), None)
    if teacher is not None and (reached := ndcg(report, teacher)) is not None:
        ax.axvline(reached, color=_COLOURS["teacher"], linestyle="--", linewidth=1.2, label="Teacher")
    for place, row in enumerate(rows):
        value = _number(ndcg(report, row))
        ax.errorbar(
            value, place, xerr=_bars(report, row, value), fmt="o", markersize=6, elinewidth=1, capsize=2,
            color=_FILE_COLOUR if "distillation" in row["name"] else GREY,
        )  # fmt: skip
        ax.annotate(
            kib(row["bytes"]), (1.01, place), xycoords=("axes fraction", "data"), va="center", fontsize=8, color=INK
        )
    ax.set_yticks(range(len(rows)), [textwrap.fill(row["name"], 28) for row in rows], fontsize=7.5)
    ax.invert_yaxis()
    ax.xaxis.set_major_locator(MaxNLocator(nbins=4))
    ax.set_xlabel(metric_name(f"ndcg@{report['k']}"))
    ax.set_title("File", loc="right", fontsize=8, color=INK)
    _legend(figure, ax)
    return figure


def training_curves(report: dict[str, Any]) -> Figure:
    """NDCG on the validation part after each epoch; every step goes on where the one before ended.

    Its k is the one that training logs, which need not be the report's.
    """
    figure, axes = _figure(1, height=3.0)
    ax, keys = axes[0], {name: _validation_key(epochs) for name, epochs in report["curves"].items()}
    for name, first, epochs in _placed(report["curves"]):
        key = keys[name]
        values = [_number(epoch.get(key)) for epoch in epochs]
        if any(map(math.isfinite, values)):
            line_colour = _COLOURS.get(name, GREY)
            places = range(first + 1, first + 1 + len(values))
            ax.plot(places, values, marker=".", color=line_colour, label=stage_name(name), linewidth=1.6)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlabel("Epoch")
    measured = sorted({metric_name(key.removeprefix("val_")) for key in keys.values() if key})
    ax.set_ylabel(f"{' or '.join(measured) or 'NDCG'}, validation")
    ax.set_ylim(bottom=0)
    if ax.lines:
        _legend(figure, ax)
    return figure


def loss_curves(report: dict[str, Any]) -> Figure:
    """The losses of each training, a panel each: their scales differ, their shapes tell."""
    kept = {name: epochs for name, epochs in report["curves"].items() if epochs and _losses(epochs)}
    figure, axes = _figure(max(len(kept), 1), height=1.0 + 1.35 * math.ceil(max(len(kept), 1) / 2))
    styles = {"total_loss": ("-", INK), "student_loss": ("--", "#cf7a12"), "distillation_loss": ("-.", "#2f82d8")}
    for ax, (name, epochs) in zip(axes, kept.items(), strict=False):
        for loss in _losses(epochs):
            style, line_colour = styles.get(loss, (":", GREY))
            values = [_number(epoch.get(loss)) for epoch in epochs]
            ax.plot(range(1, len(epochs) + 1), values, style, color=line_colour, label=metric_name(loss), linewidth=1.4)
        ax.set_title(stage_name(name), fontsize=8, color=INK)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
        ax.yaxis.set_major_locator(MaxNLocator(nbins=4))
    if kept:
        _legend(figure, *axes)
    return figure


def lost_by_stage(report: dict[str, Any]) -> Figure:
    """NDCG@k from teacher to file, each with its change from the form it was made from, and what was not distilled."""
    chain = [(step.row, step.before) for step in steps(report)]
    beside = [
        row for row in report["rows"] if row["name"] in ("student", "popularity") and ndcg(report, row) is not None
    ]
    bars = chain + [(row, None) for row in beside]
    figure, axes = _figure(1, height=0.75 + 0.34 * max(len(bars), 1))
    ax = axes[0]
    for place, (row, before) in enumerate(bars):
        value, old = ndcg(report, row) or 0.0, ndcg(report, before)
        apart = place + (0.5 if place >= len(chain) else 0.0)
        ax.barh(apart, value, height=0.66, color=colour(row), alpha=1.0 if place < len(chain) else 0.55)
        note = quality(value) + (f"  {change(value, old)}" if old else "")
        ax.annotate(note, (value, apart), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8, color=INK)
    ax.set_yticks(
        [place + (0.5 if place >= len(chain) else 0.0) for place in range(len(bars))],
        [row_name(row) for row, _ in bars],
    )
    ax.invert_yaxis()
    ax.set_xlim(0, 1.45 * max([ndcg(report, row) or 0.0 for row, _ in bars] + [1e-9]))
    ax.xaxis.set_major_locator(MaxNLocator(nbins=5))
    ax.set_xlabel(f"NDCG@{report['k']}, and its change from the form before")
    ax.grid(axis="y", visible=False)
    ax.tick_params(axis="y", length=0)
    return figure


def logarithmic_kib(ax: Axes, what: str) -> None:
    """Let the x axis be sizes in KiB, with ticks at 1, 2, 5, 10 …"""
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set_xlabel(f"{what} in KiB, logarithmic")


def _figure(panels: int, height: float) -> tuple[Figure, list[Axes]]:
    """A Figure of its own (no pyplot, so no state that a notebook shares), small enough to read on a phone."""
    figure = Figure(figsize=(4.5, height), layout="constrained", facecolor="white")
    across = min(panels, 2)
    axes = [figure.add_subplot(math.ceil(panels / across), across, place + 1) for place in range(panels)]
    for ax in axes:
        ax.grid(color=GREY, alpha=0.25, linewidth=0.6)
        ax.set_axisbelow(True)
        ax.spines[["top", "right"]].set_visible(False)
        ax.spines[["left", "bottom"]].set_color(GREY)
        ax.tick_params(colors=INK, labelsize=8)
        for label in (ax.xaxis.label, ax.yaxis.label):
            label.set_color(INK)
            label.set_fontsize(8.5)
    return figure, axes


def _legend(figure: Figure, *axes: Axes, columns: int = 2) -> None:
    handles = {label: handle for ax in axes for handle, label in zip(*ax.get_legend_handles_labels(), strict=True)}
    figure.legend(
        handles.values(),
        handles.keys(),
        loc="outside lower center",
        ncols=columns,
        frameon=False,
        fontsize=8,
        labelcolor=INK,
    )


def _bars(report: dict[str, Any], row: Row, value: float) -> list[list[float]] | None:
    bounds = interval(report, row)
    return bounds and [[max(value - bounds[0], 0.0)], [max(bounds[1] - value, 0.0)]]


def _placed(curves: dict[str, list[dict[str, Any]]]) -> list[tuple[str, int, list[dict[str, Any]]]]:
    """Each curve with the epoch that it begins at: a step begins where the training before it ended."""
    placed, before, later = [], len(curves.get(made_from(curves), [])), made_smaller(curves)
    for name, epochs in curves.items():
        follows = name in later
        placed.append((name, before if follows else 0, epochs))
        before += len(epochs) * follows
    return placed


def _validation_key(epochs: list[dict[str, Any]]) -> str:
    """The name under which a training logs NDCG on the validation part; empty when it does not."""
    return next((name for epoch in epochs for name in epoch if name.startswith("val_ndcg@")), "")


def _losses(epochs: list[dict[str, Any]]) -> list[str]:
    """The training losses that an epoch logs; distillers log the total, plain training logs only `loss`."""
    names = [name for name in epochs[0] if name.endswith("loss") and not name.startswith("val_")]
    return [name for name in names if name != "loss"] or names


def _number(value: float | None) -> float:
    return math.nan if value is None else value

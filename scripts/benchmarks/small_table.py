"""Tables and the picture of small_files.json."""

from typing import Any

import matplotlib.figure
from table import TITLES, spread

HEADS = ("d", "hidden", "items with a row", "B a row", "file, KiB", "gzip, KiB")

FEWER = "every matrix in four bits, fewer items"
STYLES = {  # of a line by what it shows, the same in every panel
    FEWER: ("D-", "C0"),
    "int4_table, rounded": ("o:", "C1"),
    "int4_table, trained under rounding": ("o-", "C1"),
    "int8, rounded": ("s:", "C2"),
    "int8, trained under rounding": ("s-", "C2"),
}


def table(of_set: dict[str, Any]) -> str:
    """One data set: the teacher, and each file on test, mean ± standard deviation over seeds."""
    first, second = of_set["metrics"][0], of_set["metrics"][-1]
    heads = [*HEADS, first, "keep", second, "seeds"]
    teacher = [of_set["teacher"][f"float_test_{metric}"] for metric in (first, second)]
    lines = [
        "| | " + " | ".join(heads) + " |",
        "| --- |" + " ---: |" * len(heads),
        "| **teacher** |" + " |" * len(HEADS) + f" {teacher[0]:.4f} | 100 % | {teacher[1]:.4f} | |",
        *(_row(row, first, second, teacher[0]) for row in of_set["rows"]),
    ]
    return "\n".join(lines)


def _row(row: dict[str, Any], first: str, second: str, teacher: float) -> str:
    setting, file = row["setting"], row[f"int8_test_{first}"]
    cells = [
        label(row), str(setting["embedding_dim"]), str(setting["hidden"]),
        "all" if row["vocabulary"] is None else f"{row['vocabulary']:,}", f"{row['row_bytes']['mean']:.0f}",
        f"{row['file_bytes']['mean'] / 1024:.1f}", f"{row['gzip_bytes']['mean'] / 1024:.1f}", spread(file),
        f"{file['mean'] / teacher:.1%}".replace("%", " %"), spread(row[f"int8_test_{second}"]), str(row["seeds"]),
    ]  # fmt: skip
    return "| " + " | ".join(cells) + " |"


def label(row: dict[str, Any]) -> str:
    """What a row is called."""
    if row["most_bytes"] is not None:
        return f"**at most {row['most_bytes'] // 1024} KiB**: every matrix in four bits"
    return f"{row['recipe']}, {row['method']}"


def picture(found: dict[str, dict[str, Any]]) -> matplotlib.figure.Figure:
    """Quality against the bytes of the file, one panel a data set, one line a way to make files."""
    figure = matplotlib.figure.Figure(figsize=(5.2 * len(found), 4.4), layout="constrained")
    for axes, (name, of_set) in zip(figure.subplots(1, len(found), squeeze=False)[0], found.items(), strict=True):
        metric = of_set["metrics"][0]
        lines: dict[str, list[tuple[float, float]]] = {}
        for row in of_set["rows"]:
            way = FEWER if row["most_bytes"] is not None else label(row)
            lines.setdefault(way, []).append((row["file_bytes"]["mean"] / 1024, row[f"int8_test_{metric}"]["mean"]))
        for way, points in sorted(lines.items()):
            style, colour = STYLES[way]
            axes.plot(*zip(*sorted(points), strict=True), style, color=colour, label=way)
        axes.axhline(of_set["teacher"][f"float_test_{metric}"], ls="--", c="k", lw=1, label="teacher")
        axes.set(title=TITLES[name], xscale="log", xlabel="file, KiB", ylabel=f"{metric}, test")
        ticks = sorted({round(x) for points in lines.values() for x, _ in points})
        apart = [tick for place, tick in enumerate(ticks) if place == 0 or tick > 1.25 * ticks[place - 1]]
        axes.set_xticks(apart, labels=[str(tick) for tick in apart])
        axes.minorticks_off()
    handles = {text: line for axes in figure.axes for line, text in zip(*axes.get_legend_handles_labels(), strict=True)}
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=2, fontsize=8)
    return figure

"""Tables and the picture of the benchmarks, from their result files: what scripts/readme.py puts into the README."""

import json
from pathlib import Path
from typing import Any

import matplotlib.figure

PLACE = Path(__file__).parent
TITLES = {
    "citeulike": "CiteULike",
    "citeulike_tags": "CiteULike, the teacher reads tags",
    "ml_1m": "MovieLens-1M",
    "gowalla": "Gowalla",
}
UNSEEN = ", users left out of training"
CAPTION = (
    "*Histories of the test are the training items only. Our teacher is stronger than the papers', so not all of the "
    "gain is the student's.*"
)


def results(*names: str) -> dict[str, dict[str, Any]]:
    """The result files that exist, of some data sets or of all."""
    places = {name: PLACE / f"{name}.json" for name in names or TITLES}
    return {name: json.loads(place.read_text()) for name, place in places.items() if place.exists()}


def table(result: dict[str, Any]) -> str:
    """One data set: the papers' figures, the teacher, and each student's float model and int8 file on test."""
    first, second = result["metrics"][0], result["metrics"][-1]
    heads = ["d", "tied", "B a row", "file, KiB", f"{first}, float", f"{first}, file", "keep", second, "seeds"]
    lines = ["| | " + " | ".join(heads) + " |", "| --- |" + " ---: |" * len(heads)]
    for paper in result["published"]:
        size = str(paper["row_bytes"]) if "row_bytes" in paper else ""
        lines.append(
            _line(f"*{paper['method']}*", "", "", size, "", _figure(paper, first), "", "", _figure(paper, second))
        )
    for model in result["als"]:
        width, reached = model["factors"], [_figure(model, f"float_test_{metric}") for metric in (first, second)]
        lines.append(_line(model["method"], str(width), "yes", str(4 * width), "", reached[0], "", "", reached[1]))
    for left_out, key in ((False, "teacher"), (True, "teacher_left_out")):
        teacher = [result[key][f"float_test_{metric}"] for metric in (first, second)]
        label = "**teacher**" + (UNSEEN if left_out else "")
        lines.append(_line(label, "", "", "", "", f"{teacher[0]:.4f}", "", "100 %", f"{teacher[1]:.4f}"))
        rows = [row for row in result["rows"] if row["setting"]["left_out"] == left_out]
        lines += [_row(row, first, second, teacher[0]) for row in rows]
    return "\n".join([*lines, "", CAPTION])


def _line(*cells: str) -> str:
    return "| " + " | ".join([*cells, *[""] * (10 - len(cells))]) + " |"


def _row(row: dict[str, Any], first: str, second: str, teacher: float) -> str:
    setting, file = row["setting"], row[f"int8_test_{first}"]
    cells = [
        str(setting["embedding_dim"]), "yes" if setting["tied"] else "no", f"{row['row_bytes']['mean']:.0f}",
        f"{row['file_bytes']['mean'] / 1024:.0f}", spread(row[f"float_test_{first}"]), spread(file),
        f"{file['mean'] / teacher:.1%}".replace("%", " %"), spread(row[f"int8_test_{second}"]), str(row["seeds"]),
    ]  # fmt: skip
    return _line(row["method"] + (UNSEEN if setting["left_out"] else ""), *cells)


def _figure(paper: dict[str, Any], metric: str) -> str:
    return f"{paper[metric]:.4f}" if metric in paper else ""


def spread(value: dict[str, Any]) -> str:
    """Mean ± standard deviation, where there are several seeds."""
    return f"{value['mean']:.4f}" + ("" if value["deviation"] is None else f" ± {value['deviation']:.4f}")


def with_interval(row: dict[str, Any], metric: str) -> str:
    """A file's figure and its 95 % interval over users."""
    return f"{row[metric]:.4f} ({row[f'{metric}_low']:.4f} to {row[f'{metric}_high']:.4f})"


def picture(found: dict[str, dict[str, Any]]) -> matplotlib.figure.Figure:
    """Quality against bytes an item row, one panel a data set: the papers, every method, the recipe, the teacher."""
    figure = matplotlib.figure.Figure(figsize=(5.2 * len(found), 4.6), layout="constrained")
    for axes, (name, result) in zip(figure.subplots(1, len(found), squeeze=False)[0], found.items(), strict=True):
        metric = result["metrics"][0]
        papers = [paper for paper in result["published"] if "row_bytes" in paper and metric in paper]
        axes.scatter(
            [p["row_bytes"] for p in papers], [p[metric] for p in papers], marker="x", c="0.5", label="published"
        )
        known = [row for row in result["rows"] if not row["setting"]["left_out"]]
        recipe = [row for row in known if "recipe" in row["method"]]
        others = [row for row in known if "recipe" not in row["method"]]
        unseen = [row for row in result["rows"] if row["setting"]["left_out"]]
        shown = [
            (others, "o", "each method, int8 file"),
            (recipe, "s-", "kdrec's recipe, int8 file"),
            (unseen, "v:", f"the same{UNSEEN}"),
        ]
        for rows, style, label in shown:
            points = sorted((row["row_bytes"]["mean"], row[f"int8_test_{metric}"]["mean"]) for row in rows)
            if points:
                axes.plot(*zip(*points, strict=True), style, label=label)
        for key, style, label in (("teacher", "--", "teacher"), ("teacher_left_out", ":", "teacher" + UNSEEN)):
            axes.axhline(result[key][f"float_test_{metric}"], ls=style, c="k", lw=1, label=label)
        sizes = {round(row["row_bytes"]["mean"]) for row in known} | {paper["row_bytes"] for paper in papers}
        axes.set(title=TITLES[name], xscale="log", xlabel="bytes an item row", ylabel=f"{metric}, test")
        axes.set_xticks(sorted(sizes), labels=[str(size) for size in sorted(sizes)])
        axes.minorticks_off()
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(3, 2 * len(found)), fontsize=8)
    return figure

"""What rounding each matrix costs, as a picture and as a table of the terminal."""

from typing import Any

from matplotlib.figure import Figure
from rich.table import Table

from kdrec.report.pictures import GREY, INK
from kdrec.report.words import kib, quality

ALONE, ALL_BUT = "#2f82d8", "#dc4a63"


def sensitivity_picture(result: dict[str, Any]) -> Figure:
    """Lost NDCG@k a matrix and type: rounded alone, and when everything else is; whiskers are 95 % over users.

    Args:
        result: what `kdrec.sensitivity.sensitivity` gives.
    """
    rows, files = result["groups"], result["files"]
    figure = Figure(figsize=(6.4, 0.9 + 0.42 * len(rows)), layout="constrained", facecolor="white")
    axes = figure.subplots()
    for shift, question, colour, label in (
        (-0.18, "alone", ALONE, "it alone is rounded"),
        (0.18, "all_but", ALL_BUT, "all but it are rounded"),
    ):
        found = [files[row[question]] for row in rows]
        lost = [each["lost"] for each in found]
        ends = [
            [each["lost"] - each["lost_low"] for each in found],
            [each["lost_high"] - each["lost"] for each in found],
        ]
        places = [place + shift for place in range(len(rows))]
        axes.barh(
            places, lost, height=0.34, color=colour, label=label, xerr=ends, ecolor=INK, error_kw={"linewidth": 0.8}
        )
    axes.set_yticks(range(len(rows)), [f"{row['group']}, {row['type']}" for row in rows], fontsize=8)
    axes.invert_yaxis()
    axes.axvline(0, color=GREY, linewidth=0.8)
    axes.axvline(result["allowed"] * files["float32"]["ndcg"], color=GREY, linestyle=":", label="allowed")
    axes.set_xlabel(f"NDCG@{result['k']} lost against the float32 file, validation part", fontsize=8.5)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8)
    return figure


def sensitivity_table(result: dict[str, Any]) -> Table:
    """A row a matrix and type: what it loses alone, what is lost without it, and the bytes of the first file.

    Args:
        result: what `kdrec.sensitivity.sensitivity` gives.
    """
    table = Table("Rounded", "To", title=f"{result['data']}: NDCG@{result['k']} lost, validation part")
    for heading in ("It alone", "All but it", "Bytes saved by it"):
        table.add_column(heading, justify="right")
    files = result["files"]
    whole = files["float32"]["bytes"]
    for row in result["groups"]:
        alone, all_but = files[row["alone"]], files[row["all_but"]]
        saved = kib(whole - alone["bytes"]) if row["alone"].startswith("float32") else ""
        table.add_row(row["group"], row["type"], _lost(alone), _lost(all_but), saved)
    return table


def _lost(file: dict[str, float]) -> str:
    margin = (file["lost_high"] - file["lost_low"]) / 2
    return f"{quality(file['lost'])} ± {quality(margin)}"

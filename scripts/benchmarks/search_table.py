"""The README's table and picture of a search, from what search.py wrote."""

from typing import Any

from matplotlib.figure import Figure
from table import TITLES, with_interval

from kdrec.report.pareto import pareto
from kdrec.report.words import kib, microseconds, percent

HEADS = ("d", "hidden", "items with a row", "file", "gzip", "p50", "keep, validation", "NDCG@{k}, test", "keep, test",
         "Recall@{k}, test")  # fmt: skip


def table(found: dict[str, Any]) -> str:
    """The teacher, and each file that no smaller one beats on validation, the chosen one in bold."""
    k, front = found["k"], sorted((row for row in found["trials"] if row["front"]), key=lambda row: row["bytes"])
    heads, teacher = [head.format(k=k) for head in HEADS], found["teacher"]
    lines = [
        "| | " + " | ".join(heads) + " |",
        "| --- |" + " ---: |" * len(heads),
        "| **teacher** |" + " |" * 6 + f" 100 % | {teacher[f'ndcg@{k}']:.4f} | 100 % | {teacher[f'recall@{k}']:.4f} |",
        *(_row(row, found) for row in front),
    ]
    return "\n".join([*lines, "", caption(found)])


def caption(found: dict[str, Any]) -> str:
    """What was wanted, and of how many trials these are."""
    judged = [row for row in found["trials"] if row["ndcg"] is not None]
    reached = "" if found["best"]["kept"] else ", which no trial reached"
    return (
        f"*Goal: the smallest file that keeps {percent(found['goal']['keep'])} of the teacher's NDCG@{found['k']} on "
        f"validation{reached}; the chosen one is in bold. {len(found['trials'])} trials, of which {len(judged)} wrote "
        f"a file and the others were given up. In brackets the 95 % interval over users.*"
    )


def _row(row: dict[str, Any], found: dict[str, Any]) -> str:
    options, k = found["config"] | row["options"], found["k"]
    label, share = options["recipe"], row["options"].get("vocabulary", 1.0)
    reached = row[f"test_ndcg@{k}"]
    cells = [
        f"**{label}**" if row["number"] == found["best"]["number"] else label, str(options["embedding_dim"]),
        str(options["hidden"]), "all" if share == 1 else f"{share:.0%}".replace("%", " %"), kib(row["bytes"]),
        kib(row["gzip_bytes"]), microseconds(row["latency_us"]), percent(row["keep"]),
        with_interval(row, f"test_ndcg@{k}"), percent(reached / found["teacher"][f"ndcg@{k}"]),
        f"{row[f'test_recall@{k}']:.4f}",
    ]  # fmt: skip
    return "| " + " | ".join(cells) + " |"


def picture(found: dict[str, Any]) -> Figure:
    """Every trial on validation, as search.html shows it, with the data set's name."""
    figure = pareto(found)
    figure.axes[0].set_title(f"{TITLES.get(found['data'], found['data'])}, {len(found['trials'])} trials")
    return figure

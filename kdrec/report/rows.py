"""Questions to the rows of a report that several of its parts ask."""

from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]


def find(report: dict[str, Any], name: str) -> Row | None:
    """The row of that name, if the run has it."""
    return next((row for row in report["rows"] if row["name"] == name), None)


def ndcg(report: dict[str, Any], row: Row | None) -> float | None:
    """A row's NDCG@k; None for a row that does not exist or was not judged."""
    return None if row is None else row[f"ndcg@{report['k']}"]


def interval(report: dict[str, Any], row: Row) -> tuple[float, float] | None:
    """The 95 % interval of a row's NDCG@k, if it has one."""
    low, high = (row.get(f"ndcg@{report['k']}{end}") for end in ("_low", "_high"))
    return None if low is None or high is None else (low, high)


def files(report: dict[str, Any]) -> list[Row]:
    """The rows that are files, in the report's order."""
    return [row for row in report["rows"] if row["form"] == "file"]


def main_file(report: dict[str, Any]) -> Row | None:
    """The file that the report talks about: Android's if there is one, else the first."""
    rows = files(report)
    return next((row for row in rows if row["target"] == "android"), rows[0] if rows else None)


@dataclass(frozen=True)
class Step:
    """A row on the way from teacher to file, and the row it was made from (None for the first)."""

    row: Row
    before: Row | None


def steps(report: dict[str, Any]) -> list[Step]:
    """Teacher → distilled → pruned → clustered → trained under rounding → each file, as far as they were judged."""
    chain: list[Step] = []
    before: Row | None = None
    for name in ("teacher", "student_distilled", "pruned", "clustered", "quantized"):
        row = find(report, name)
        if row is not None and ndcg(report, row) is not None:
            chain.append(Step(row, before))
            before = row
    return chain + [Step(row, before) for row in files(report) if ndcg(report, row) is not None]

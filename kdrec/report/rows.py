"""Questions to the rows of a report that several of its parts ask."""

from collections.abc import Iterable
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


def made_smaller(names: Iterable[str]) -> list[str]:
    """The students that steps have made of the first one, in the order in which they were.

    >>> made_smaller(["student", "student_distilled", "quantized", "pruned", "fusion"])
    ['quantized', 'pruned']
    """
    every = list(names)
    if "student_distilled" not in every:
        return []
    return [name for name in every[every.index("student_distilled") + 1 :] if name != "fusion"]


def made_from(names: Iterable[str]) -> str:
    """The student that they were made of: the distilled one, or where it was distilled after steps, the plain one.

    >>> made_from(["student", "student_distilled", "pruned_alone", "distilled_later"])
    'student'
    """
    return "student" if "distilled_later" in names else "student_distilled"


@dataclass(frozen=True)
class Step:
    """A row on the way from teacher to file, and the row it was made from (None for the first)."""

    row: Row
    before: Row | None


def steps(report: dict[str, Any]) -> list[Step]:
    """Teacher → student → what was made of it, in its order → each file: the rows that exist and were judged."""
    chain: list[Step] = []
    before: Row | None = None
    models = [row["name"] for row in report["rows"] if row["form"] == "keras"]
    for name in ("teacher", made_from(models), *made_smaller(models)):
        row = find(report, name)
        if row is not None and ndcg(report, row) is not None:
            chain.append(Step(row, before))
            before = row
    return chain + [Step(row, before) for row in files(report) if ndcg(report, row) is not None]

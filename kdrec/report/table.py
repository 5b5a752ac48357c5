"""The rows as a table: one list of columns for the page, the README and the terminal."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table

from kdrec.report.check import ReportError
from kdrec.report.rows import Row
from kdrec.report.words import count, kib, left_to_cpu, metric_name, microseconds, named, percent, quality, row_name

SHORT = ("name", "bytes", "keep", "ndcg@k", "recall@k", "latency_us_p50")
MAIN = (*SHORT, "gzip_bytes", "parameters", "tied_share", "arena_bytes")
COMPARED = ("name", "bytes", "gzip_bytes", "peak_memory_bytes", "latency_us_p50", "keep", "ndcg@k", "recall@k")
OF_DEVICES = (  # of files that have them
    *("compiled_bytes", "sram_bytes", "npu_cycles", "placement"),
    *("on_chip_bytes", "streamed_bytes", "streamed_matrices"),
)
HEAD_AND_TAIL = ("name", "saved_bytes", "ndcg@k", "ndcg@k_head", "recall@k_head", "ndcg@k_tail", "recall@k_tail")
_NOT_COLUMNS = ("target", "recipe", "form")


@dataclass(frozen=True)
class Column:
    """One column: its key in a row, its heading, and how a cell reads."""

    key: str
    heading: str
    show: Callable[[Any], str]

    def cell(self, row: Row) -> str:
        return row_name(row) if self.key == "name" else self.show(row.get(self.key))


_KNOWN = {
    column.key: column
    for column in (
        Column("name", "Model", str),
        Column("parameters", "Parameters", count),
        Column("bytes", "Size", kib),
        Column("gzip_bytes", "gzip", kib),
        Column("table_bytes", "Item bytes", kib),
        Column("saved_bytes", "Left out", kib),
        Column("overhead_bytes", "File overhead", kib),
        Column("sparsity", "Zero weights", percent),
        Column("keep", "Keeps", percent),
        Column("alpha", "Teacher's share", percent),
        Column("tied_share", "Tied lists", percent),
        Column("latency_us_p50", "Latency p50", microseconds),
        Column("latency_us_p90", "Latency p90", microseconds),
        Column("latency_us_p99", "Latency p99", microseconds),
        Column("arena_bytes", "Arena", kib),
        Column("peak_memory_bytes", "Memory", kib),
        Column("compiled_bytes", "Compiled", kib),
        Column("sram_bytes", "SRAM", kib),
        Column("npu_cycles", "NPU cycles", count),
        Column("npu_operators", "NPU operators", count),
        Column("cpu_operators", "CPU operators", count),
        Column("placement", "Left to the CPU", left_to_cpu),
        Column("runs_from", "Runs from", named),
        Column("equal_from", "Equal from", named),
        Column("on_chip_bytes", "Kept on chip", kib),
        Column("streamed_bytes", "Streamed", kib),
        Column("on_chip_matrices", "Matrices on chip", count),
        Column("streamed_matrices", "Matrices streamed", count),
    )
}


def columns(report: dict[str, Any], names: Sequence[str] = MAIN) -> list[Column]:
    """The columns of those names, in that order; `@k` stands for the report's own k.

    Raises:
        ReportError: a name that no row of the report has.
    """
    known = {"name", *all_names(report)}
    chosen = [re.sub("@k(?=_|$)", f"@{report['k']}", name) for name in names]
    for name in chosen:
        if name not in known:
            raise ReportError(f"columns has {name!r}; the report's rows have {', '.join(sorted(known))}")
    return [_KNOWN.get(name) or Column(name, metric_name(name), quality) for name in chosen]


def all_names(report: dict[str, Any]) -> list[str]:
    """Every figure that some row has, in the order of the rows; a new metric is among them at once."""
    return [name for name in dict.fromkeys(name for row in report["rows"] for name in row) if name not in _NOT_COLUMNS]


def table_markdown(report: dict[str, Any], names: Sequence[str] = SHORT) -> str:
    """The rows as a Markdown table, figures aligned to the right.

    Args:
        report: the content of report.json.
        names: of the columns, as in a row; `ndcg@k` stands for `ndcg@10` when the report's k is 10.

    Returns:
        The table, without a newline at its end.

    Raises:
        ReportError: a name that no row has.

    >>> row = {"name": "teacher", "form": "keras", "target": None, "recipe": None, "bytes": 2048, "ndcg@10": 0.25}
    >>> print(table_markdown({"k": 10, "rows": [row]}, ["name", "bytes", "ndcg@k"]))
    | Model | Size | NDCG@10 |
    | --- | ---: | ---: |
    | Teacher | 2.0 KiB | 0.2500 |
    """
    chosen = columns(report, names)
    lines = [
        [column.heading for column in chosen],
        ["---" if column.key == "name" else "---:" for column in chosen],
        *([column.cell(row) for column in chosen] for row in report["rows"]),
    ]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def console_table(report: dict[str, Any], names: Sequence[str] = SHORT, title: str | None = None) -> Table:
    """The rows as a table for the terminal; baselines, models and files are apart, and files stand out.

    Args:
        report: the content of report.json.
        names: of the columns, as for `table_markdown`.
        title: above the table; None says which data.

    Raises:
        ReportError: a name that no row has.
    """
    chosen = columns(report, names)
    table = Table(title=title or f"{report['data']['name']}: what each form costs and reaches")
    for column in chosen:
        table.add_column(column.heading, justify="left" if column.key == "name" else "right", no_wrap=True)
    rows = report["rows"]
    for row, following in zip(rows, [*rows[1:], None], strict=True):
        style = {"baseline": "dim", "keras": "", "file": "bold"}[row["form"]]
        ends = following is None or following["form"] != row["form"]
        table.add_row(*(column.cell(row) for column in chosen), style=style, end_section=ends)
    return table

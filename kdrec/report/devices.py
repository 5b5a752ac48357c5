"""What each file takes of its device, as a table of the page."""

from typing import Any

from kdrec.report import rows
from kdrec.report.words import MISSING, count, kib, microseconds, row_name

HEADINGS = ("File", "Runs as", "Flash", "RAM", "Arena", "Latency p50", "Instructions", "Energy, estimate")


def device_table(report: dict[str, Any]) -> dict[str, Any] | None:
    """A line a file in its runtime, and one a core for code that was generated of it.

    Args:
        report: the content of report.json.

    Returns:
        Headings and rows as the page draws them, and notes; None for a report without files.
    """
    files = rows.files(report)
    counted = report.get("devices", {"costs": [], "missing": {}})
    lines = []
    for row in files:
        lines.append(_line(row, _in_runtime(row)))
        lines += [_line(row, _generated(cost)) for cost in counted["costs"] if cost["target"] == row["target"]]
    if not lines:
        return None
    return {"headings": list(HEADINGS), "rows": lines, "notes": list(_notes(counted))}


def _line(row: rows.Row, cells: list[tuple[str, str]]) -> dict[str, Any]:
    shown = [(row_name(row), ""), *cells]
    return {
        "form": row["form"],
        "name": row["name"],
        "cells": [{"text": text, "below": below, "bar": None} for text, below in shown],
    }


def _in_runtime(row: rows.Row) -> list[tuple[str, str]]:
    none = (MISSING, "")
    arena, latency = (kib(row["arena_bytes"]), ""), (microseconds(row["latency_us_p50"]), "LiteRT, this machine")
    if "compiled_bytes" in row:
        sizes = [(kib(row["compiled_bytes"]), ""), (kib(row["sram_bytes"]), ""), arena]
        cycles = (f"{count(row['npu_cycles'])} cycles", "of the NPU, as its compiler estimates")
        return [("compiled for the NPU", ""), *sizes, latency, cycles, none]
    runtime = "LiteRT" if row["arena_bytes"] is None else "TensorFlow Lite Micro"
    since = f"from {row['runs_from']} on; " if "runs_from" in row else ""
    return [(runtime, f"{since}its own code not counted"), (kib(row["bytes"]), ""), none, arena, latency, none, none]


def _generated(cost: dict[str, Any]) -> list[tuple[str, str]]:
    energy = cost["energy_microjoules"]
    none = (MISSING, "")
    return [
        (f"C on {cost['core']}", f"qemu, {cost['machine']}"),
        (kib(cost["flash_bytes"]), ""),
        (kib(cost["ram_bytes"]), ""),
        none,
        none,
        (count(cost["instructions"]), "history to top 10"),
        none if energy is None else (f"{energy:,.0f} µJ", cost["part"]),
    ]


def _notes(counted: dict[str, Any]) -> list[str]:
    notes = [f"Not counted for {target}: {why}" for target, why in counted["missing"].items()]
    sources = {cost["part"]: cost["source"] for cost in counted["costs"] if cost["part"]}
    notes += [
        f"Energy is an estimate for the {part}: it takes one cycle for each instruction, and real cores take more, "
        f"at the current of its datasheet ({source})."
        for part, source in sources.items()
    ]
    return notes

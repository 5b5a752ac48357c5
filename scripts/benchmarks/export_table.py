"""The README's table of exports of large catalogues, from what export.py wrote."""

import json
from pathlib import Path
from typing import Any

from speed_table import machine

PLACE = Path(__file__).parent / "export.json"
NAMES = {
    "kdrec_int8": "kdrec, int8",
    "kdrec_int4_table": "kdrec, item rows of four bits",
    "plain_float32": "the same student, TensorFlow's converter, float32",
    "plain_int8": "the same student, TensorFlow's converter, int8",
    "tfrs_brute_force": "TFRS BruteForce, float32",
}
HEADS = ("convert, s", "peak, MiB", "file, KiB", "gzip, KiB", "p50, µs")


def result() -> dict[str, Any]:
    """What export.py wrote."""
    return json.loads(PLACE.read_text())


def table(found: dict[str, Any]) -> str:
    """A block for each size of the catalogue, a row a contestant; one that failed has its error instead of figures."""
    lines = ["| | " + " | ".join(HEADS) + " |", "| --- |" + " ---: |" * len(HEADS)]
    for size, contestants in found["sizes"].items():
        lines.append(f"| **{int(size):,} items** |" + " |" * len(HEADS))
        lines += [_row(NAMES[name], contestants[name]) for name in NAMES if name in contestants]
    return "\n".join([*lines, "", caption(found)])


def caption(found: dict[str, Any]) -> str:
    """What was measured, and where."""
    settings = found["settings"]
    return (
        f"*d = {settings['embedding_dim']}, histories of {settings['history_length']}, random weights. Medians of "
        f"{settings['rounds']} conversions, each in a process of its own, whose peak counts all processes that it "
        f"started, and of {settings['latency_rounds']} rounds of latency, history to the {settings['k']} best items, "
        f"on one thread. kdrec's files have the signatures recommend, score and embed; the others have one.* "
        + machine(found)
    )


def _row(name: str, figures: dict[str, Any]) -> str:
    if "error" in figures:
        said = figures["error"].splitlines()[0].replace("|", "\\|")
        return f"| {name} | {said} |" + " |" * (len(HEADS) - 1)
    cells = [
        f"{figures['seconds']['median']:,.1f}",
        f"{figures['peak_mib']['median']:,.0f}",
        f"{figures['file_bytes'] / 1024:,.1f}",
        f"{figures['gzip_bytes'] / 1024:,.1f}",
        f"{figures['latency_us_p50']['median']:,.1f}",
    ]
    return f"| {name} | " + " | ".join(cells) + " |"


if __name__ == "__main__":
    print(table(result()))

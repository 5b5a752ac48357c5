"""The README's table of files of large catalogues, from what export.py wrote."""

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
    "plain_int8_scores": "the same, scores as int8, too",
    "tfrs_brute_force": "TFRS BruteForce, float32",
    "tensorflow_example": "architecture of TensorFlow's on-device example, float32, 100 best",
    "numpy": "numpy, float32, from the query on",
}
HEADS = ("convert, s", "peak, MiB", "file, KiB", "gzip, KiB", "run, MiB", "p50, µs", "× floor")


def result() -> dict[str, Any]:
    """What export.py wrote."""
    return json.loads(PLACE.read_text())


def table(found: dict[str, Any]) -> str:
    """A block for each size of the catalogue, a row a contestant; one that failed has its error instead of figures."""
    lines = ["| | " + " | ".join(HEADS) + " |", "| --- |" + " ---: |" * len(HEADS)]
    for size, contestants in found["sizes"].items():
        lines.append(f"| **{int(size):,} items** |" + " |" * len(HEADS))
        floor = contestants["floor"]["latency_us_p50"]["median"]
        lines += [_row(NAMES[name], contestants[name], floor) for name in NAMES if name in contestants]
    return "\n".join([*lines, "", caption(found)])


def ratios(contestants: dict[str, Any]) -> str:
    """How many times as fast and as small kdrec's int8 file is as those that users export today."""

    def times(names: tuple[str, ...]) -> str:
        there = [contestants[name] for name in names if "error" not in contestants[name]]
        faster = min(each["latency_us_p50"]["median"] for each in there) / ours["latency_us_p50"]["median"]
        smaller = min(each["file_bytes"] for each in there) / ours["file_bytes"]
        return f"{faster:.1f} times as fast and {smaller:.1f} times as small as"

    ours = contestants["kdrec_int8"]
    return (
        f"kdrec's int8 file is {times(('tfrs_brute_force',))} BruteForce (aims 6 and 7.5), and "
        f"{times(('plain_int8', 'plain_int8_scores'))} the better plain int8 file (aims 2 and 2.2)"
    )


def caption(found: dict[str, Any]) -> str:
    """What was measured, and where."""
    settings = found["settings"]
    said = f"With 100,000 items {ratios(found['sizes']['100000'])}." if "100000" in found["sizes"] else ""
    return (
        f"*d = {settings['embedding_dim']}, histories of {settings['history_length']}, random weights. Medians of "
        f"{settings['rounds']} conversions, each in a process of its own, whose peak counts all processes that it "
        f"started, and of {settings['latency_rounds']} rounds of latency, history to the {settings['k']} best items, "
        f"on one thread; run: what the runtime holds for the file; floor: reading as many bytes as the int8 item table "
        f"has. kdrec's files have the signatures recommend, score and embed; the others have one. {said}* "
        + machine(found)
    )


def _row(name: str, figures: dict[str, Any], floor: float) -> str:
    if "error" in figures:
        said = figures["error"].splitlines()[0].replace("|", "\\|")
        return f"| {name} | {said} |" + " |" * (len(HEADS) - 1)
    latency, cells = figures["latency_us_p50"]["median"], [""] * 5
    if "seconds" in figures:
        cells = [
            f"{figures['seconds']['median']:,.1f}",
            f"{figures['peak_mib']['median']:,.0f}",
            f"{figures['file_bytes'] / 1024:,.1f}",
            f"{figures['gzip_bytes'] / 1024:,.1f}",
            f"{figures['run_mib']['median']:,.1f}",
        ]
    return f"| {name} | " + " | ".join([*cells, f"{latency:,.1f}", f"{latency / floor:,.1f}"]) + " |"


if __name__ == "__main__":
    print(table(result()))

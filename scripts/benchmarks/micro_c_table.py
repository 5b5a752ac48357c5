"""The README's table of what generated C costs on Cortex-M, from micro_c.json."""

import json
from pathlib import Path
from typing import Any

PLACE = Path(__file__).with_name("micro_c.json")


def result() -> dict[str, Any]:
    return json.loads(PLACE.read_text())


def table(found: dict[str, Any]) -> str:
    """One row a core, and one for the file in TensorFlow Lite Micro; for each student flash, RAM and instructions.

    >>> cost = {"flash": 2000, "ram": 500, "instructions": 1234.5, "machine": "board"}
    >>> student = {"hidden": 8, "file_bytes": 3000, "arena_bytes": 4000, "cores": {"M0": cost}}
    >>> print(table({"students": [student]}))
    | 8 hidden units | flash, B | RAM, B | instructions |
    | --- | ---: | ---: | ---: |
    | C on M0 (board) | 2,000 | 500 | 1,234 |
    | TensorFlow Lite Micro: the file, the arena | 3,000 | 4,000 | not measured |
    """
    return "\n\n".join(_of(student) for student in found["students"])


def _of(student: dict[str, Any]) -> str:
    named = f"{student['hidden']} hidden units" if student["hidden"] else "no hidden layer"
    lines = [f"| {named} | flash, B | RAM, B | instructions |", "| --- | ---: | ---: | ---: |"]
    for core, cost in student["cores"].items():
        lines.append(
            f"| C on {core} ({cost['machine']}) | {cost['flash']:,} | {cost['ram']:,} | {int(cost['instructions']):,} |"
        )
    lines.append(
        f"| TensorFlow Lite Micro: the file, the arena | {student['file_bytes']:,} | {student['arena_bytes']:,} "
        f"| not measured |"
    )
    return "\n".join(lines)

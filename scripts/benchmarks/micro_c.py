"""Flash, RAM and instructions of the generated C on emulated Cortex-M, for 2,000 items of 16 numbers.

    .venv/bin/python scripts/benchmarks/micro_c.py

A student of random weights, because what a call costs depends on sizes alone but for the few items that enter its list;
two Debian packages, qemu-system-arm and gcc-arm-none-eabi. Writes micro_c.json.
"""

import json
import subprocess
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from kdrec.bench.cortex_m.build import COMPILER, EMULATOR
from kdrec.bench.cortex_m.machines import MACHINES
from kdrec.bench.cortex_m.measure import measure
from kdrec.compress import recipes
from kdrec.export import ExportJob, export
from kdrec.files import atomic_write
from kdrec.models.students.history import history
from kdrec.runtime.micro_interpreter import MicroFile
from kdrec.targets.micro.backends.c import c

PLACE = Path(__file__).with_suffix(".json")
ITEMS, WIDTH, LENGTH, HISTORIES = 2000, 16, 50, 5


def micro_file(hidden: int) -> bytes:
    """A file of the target micro from a student of random weights."""
    rng = np.random.default_rng(1)
    student = history(ITEMS, embedding_dim=WIDTH, history_length=LENGTH, hidden=hidden)
    for layer in student.layers:
        layer.set_weights([weight + rng.normal(size=weight.shape) * 0.2 for weight in layer.get_weights()])
        if layer.name == "item_table":
            table = layer.get_weights()[0]
            table[0] = 0
            layer.set_weights([table])
    rows = np.zeros((200, LENGTH), np.int32)
    for row in rows:
        n = rng.integers(1, LENGTH + 1)
        row[LENGTH - n :] = rng.choice(ITEMS, n, replace=False) + 1
    job = ExportJob("micro", recipes.get("int8"), signatures=("score",), topk=None, one_subgraph=True)
    return export(student, job, {"history": rows}).model


def costs(hidden: int) -> dict[str, Any]:
    """What one file costs: as it is, in TensorFlow Lite Micro's arena, and as C on each machine."""
    content = micro_file(hidden)
    rows = np.random.default_rng(2).integers(0, ITEMS, (HISTORIES, LENGTH)).astype(np.int32)
    arena = MicroFile(content).run({"history": rows[:1] + 1}).arena_bytes
    sources = c(content)
    found = {}
    for core, machine in MACHINES.items():
        cost = measure(machine, sources, rows)
        found[core] = {**asdict(cost), "ram": cost.ram, "machine": machine.name}
        print(hidden, core, found[core], flush=True)
    return {"hidden": hidden, "file_bytes": len(content), "arena_bytes": arena, "cores": found}


def version(tool: str) -> str:
    return subprocess.run([tool, "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]


def main() -> None:
    result = {
        "items": ITEMS,
        "width": WIDTH,
        "length": LENGTH,
        "histories": HISTORIES,
        "tools": [version(COMPILER), version(EMULATOR)],
        "students": [costs(hidden) for hidden in (128, 0)],
    }
    atomic_write(PLACE, json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()

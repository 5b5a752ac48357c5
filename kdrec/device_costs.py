"""What the code that is generated for a bundle costs on the cores of its device, counted under emulation."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from kdrec import targets
from kdrec.bench.cortex_m import build
from kdrec.bench.cortex_m.machines import MACHINES
from kdrec.bench.cortex_m.measure import measure
from kdrec.bench.cortex_m.parts import PARTS
from kdrec.bundle.read import Bundle, open_bundle
from kdrec.errors import KdrecError, RuntimeFileError
from kdrec.targets.micro.backends.c import c

RESULT = "devices.json"
HISTORIES = 3  # full ones, drawn at random; what a call costs hardly depends on them
FIGURES = ("flash_bytes", "ram_bytes", "instructions")


def tools() -> str:
    """Compiler and emulator with their versions, or what is missing: what the figures depend on beside the file."""
    try:
        return build.tools()
    except RuntimeFileError as error:
        return str(error)


def costs(bundle: Bundle, cores: Iterable[str]) -> list[dict[str, Any]]:
    """Flash, RAM and instructions of a recommendation in generated C, one entry a core.

    Args:
        bundle: of the target micro.
        cores: names in `kdrec.bench.cortex_m.machines`.

    Returns:
        By core what `report.schema.json` says of `devices.costs`. Energy is an estimate, and there only for a core of
        which `kdrec.bench.cortex_m.parts` knows a chip.

    Raises:
        TargetError: the generator does not know something in the file.
        RuntimeFileError: compiler or emulator are not installed, or failed.
    """
    manifest, cores = bundle.manifest, tuple(cores)
    if not cores:
        return []
    sources = c(bundle.files[manifest.signatures["score"].file], bundle)
    shape = (HISTORIES, manifest.history.length)
    histories = np.random.default_rng(0).integers(0, manifest.data.n_items, shape).astype(np.int32)
    found = []
    for core in cores:
        cost, part = measure(MACHINES[core], sources, histories, len(manifest.context)), PARTS.get(core)
        found.append(
            {
                "target": manifest.target,
                "core": core,
                "machine": MACHINES[core].name,
                "flash_bytes": cost.flash,
                "ram_bytes": cost.ram,
                "instructions": round(cost.instructions),
                "energy_microjoules": None if part is None else round(part.microjoules(cost.instructions), 1),
                "part": None if part is None else part.name,
                "source": None if part is None else part.source,
            }
        )
    return found


def of_bundles(folder: Path, names: Iterable[str]) -> dict[str, Any]:
    """The costs of the bundles in a folder, and of each device without any why there are none.

    Args:
        folder: of the bundles, one a target.
        names: of the targets; those that are no cores are left out.
    """
    found: list[dict[str, Any]] = []
    missing = {}
    for target in map(targets.get, names):
        if target.cores:
            try:
                found += costs(open_bundle(folder / target.name), target.cores)
            except KdrecError as error:  # a run is not lost for want of a compiler
                missing[target.name] = str(error)
    return {"costs": found, "missing": missing}


def have_cores(names: Iterable[str]) -> bool:
    """Whether any of these targets says on which cores its code is measured."""
    return any(targets.get(name).cores for name in names)


def write(bundles: Path, names: Iterable[str], folder: Path) -> None:
    """The stage: `of_bundles`, into a file of its folder."""
    (folder / RESULT).write_text(json.dumps(of_bundles(bundles, names)))


def metrics(found: dict[str, Any], target: str) -> dict[str, float]:
    """What a bundle's manifest says of them: a figure at a core.

    >>> cost = {"target": "micro", "core": "Cortex-M3", "flash_bytes": 1, "ram_bytes": 2, "instructions": 3}
    >>> metrics({"costs": [cost]}, "micro")
    {'flash_bytes@cortex_m3': 1, 'ram_bytes@cortex_m3': 2, 'instructions@cortex_m3': 3}
    """
    return {
        f"{figure}@{cost['core'].lower().replace('-', '_')}": cost[figure]
        for cost in found["costs"]
        if cost["target"] == target
        for figure in FIGURES
    }

"""The demo's bundles on what this machine has of each device: golden vectors, bytes, memory, time or instructions.

    .venv/bin/python scripts/benchmarks/devices.py

A device without a bundle of its own has the figures of one that holds the same file, or for an NPU the file that its
compiler is given; one with neither is left out.
The web is Chromium alone. What is not installed (`tflite-micro`, Vela, a cross compiler, an emulator, Chromium,
LiteRT.js) is named in its place. Writes devices.json.
"""

import argparse
import json
from functools import cache
from pathlib import Path
from typing import Any

from speed import machine

from kdrec import device_costs, libraries, targets
from kdrec.bench.forms import Measured
from kdrec.bundle.golden import replay
from kdrec.bundle.read import Bundle, open_bundle
from kdrec.errors import KdrecError
from kdrec.every_form import every_form
from kdrec.files import atomic_write
from kdrec.runtime.judge import judge
from kdrec.targets.base import Target

PLACE = Path(__file__).with_suffix(".json")
DEMO = Path(__file__).parents[2] / "tflite_models" / "demo"
RUNS, ROUNDS = 1000, 3
SAME = ("signatures", "topk", "one_subgraph", "lookup", "max_fc_outputs", "oracle")  # what makes one file serve two


def bundle_for(target: Target, folder: Path) -> Path | None:
    """The bundle of a device, or the first of another whose file it takes as it is."""
    if (folder / target.name / "manifest.json").is_file():
        return folder / target.name
    for path in sorted(folder.glob("*/manifest.json")):
        other = open_bundle(path.parent).manifest
        if other.target in targets.names() and target.takes(other.recipe):
            made_for = targets.get(other.target)
            if all(getattr(made_for, name) == getattr(target, name) for name in SAME):
                return path.parent
    return None


def replayed(bundle: Bundle) -> dict[str, Any]:
    """How many golden vectors there are, and how many answers differ; or why none was asked."""
    golden = bundle.files["golden.json"]
    found = {"oracle": bundle.manifest.oracle, "cases": len(json.loads(golden)["cases"])}
    try:
        return {**found, "different": len(replay(golden, judge(bundle.manifest, bundle.files).answers))}
    except KdrecError as error:
        return {**found, "said": str(error)}


def compiled(target: Target, bundle: Bundle) -> list[Measured]:
    """What the compiler of an NPU says of the file."""
    if not target.accelerated_ops or target.finish is None:
        return []
    try:
        figures = target.finish(bundle.files["model.tflite"]).figures
    except KdrecError as error:
        return [Measured(target.name, "compiled for the NPU", "Vela", said=str(error))]
    form = f"compiled for the NPU, {figures['npu_cycles']:,.0f} cycles estimated"
    return [
        Measured(
            target.name, form, "Vela", int(figures["compiled_bytes"]), int(figures["sram_bytes"]), "SRAM estimated"
        )
    ]


def of_device(target: Target, folder: Path) -> dict[str, Any]:
    """One device: its bundle, its golden vectors, and every form that it runs as."""
    bundle = open_bundle(folder)
    forms = of_its_own(target, measured(folder)) + compiled(target, bundle)
    return {
        "target": target.name,
        "bundle": bundle.manifest.target,
        "golden": replayed(bundle),
        "forms": [form.as_dict() for form in forms],
    }


def of_its_own(target: Target, forms: list[Measured]) -> list[Measured]:
    """The forms of a file that a device runs.

    A browser has LiteRT.js, and no other device has. A microcontroller has no LiteRT, so its file is not timed there;
    and generated C leaves an NPU idle.
    """
    forms = [form for form in forms if form.form.startswith("LiteRT.js") == (target.name == "web")]
    if target.oracle != "litert":
        forms = [form for form in forms if not form.form.startswith("LiteRT")]
    if target.accelerated_ops:
        forms = [form for form in forms if not form.form.startswith("C on")]
    return forms


@cache
def measured(folder: Path) -> list[Measured]:
    """Every form of a bundle, once for all devices that have its file; of the rounds in LiteRT the quickest."""
    rounds = ROUNDS if open_bundle(folder).manifest.oracle == "litert" else 1
    each = zip(*(every_form(folder, "score", 1, RUNS) for _ in range(rounds)), strict=True)
    return [min(same, key=lambda form: form.latency_us_p50 or 0.0) for same in each]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.parse_args()
    found, without = [], []
    for name in targets.names():
        folder = bundle_for(targets.get(name), DEMO)
        if folder is None:
            without.append(name)
            continue
        found.append(of_device(targets.get(name), folder))
        print(json.dumps(found[-1]), flush=True)
    on = {
        "processor": machine(1)["processor"],
        "libraries": libraries.versions({"ai-edge-litert", "tflite-micro", "ethos-u-vela"}),
        "tools": device_costs.tools(),
    }
    atomic_write(PLACE, json.dumps({"machine": on, "devices": found, "without": without}, indent=1) + "\n")


if __name__ == "__main__":
    main()

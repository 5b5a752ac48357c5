"""What generated code costs, from a bundle; and a run that has no compiler."""

from pathlib import Path

import pytest

from kdrec import device_costs
from kdrec.bench.cortex_m import build
from kdrec.bench.cortex_m.machines import MACHINES
from kdrec.bench.cortex_m.parts import PARTS
from kdrec.bundle.read import open_bundle

DEMO = Path(__file__).parents[1] / "tflite_models" / "demo"


@pytest.mark.slow
def test_the_demo_is_counted_on_a_core(require) -> None:
    require("arm-none-eabi-gcc")
    require("qemu-system-arm")
    bundle = open_bundle(DEMO / "micro")
    (cost,) = device_costs.costs(bundle, ["Cortex-M3"])
    table = 1201 * 32
    assert table < cost["flash_bytes"] < len(bundle.files["model.tflite"])
    assert 100 < cost["ram_bytes"] < 1000 and 2 * table < cost["instructions"] < 10 * table
    part = PARTS["Cortex-M3"]
    each = part.milliamperes * 1e-3 / (part.megahertz * 1e6) * part.volts  # joules a cycle
    assert cost["energy_microjoules"] == pytest.approx(cost["instructions"] * each * 1e6, abs=0.1)
    assert (cost["part"], cost["source"]) == (part.name, part.source)


def test_parts_are_of_cores_that_are_emulated() -> None:
    assert set(PARTS) <= set(MACHINES)
    assert all("table" in part.source for part in PARTS.values())


def test_a_missing_compiler_is_named_and_ends_nothing(monkeypatch) -> None:
    monkeypatch.setattr(build.shutil, "which", lambda name: None)
    found = device_costs.of_bundles(DEMO, ["android", "micro"])
    assert found == {
        "costs": [],
        "missing": {"micro": "arm-none-eabi-gcc is not installed: apt-get install -y gcc-arm-none-eabi"},
    }
    assert device_costs.tools() == found["missing"]["micro"]  # so that a run counts once it is installed


def test_what_the_generator_refuses_is_named(tmp_path) -> None:
    (tmp_path / "micro").symlink_to(DEMO / "android")
    found = device_costs.of_bundles(tmp_path, ["micro"])
    assert found["costs"] == [] and "must have one graph with the signature 'score'" in found["missing"]["micro"]


def test_only_some_devices_have_cores() -> None:
    assert device_costs.have_cores(["android", "micro"]) and not device_costs.have_cores(["android", "ethos_u55"])

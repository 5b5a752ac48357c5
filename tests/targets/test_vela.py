"""Arm's compiler Vela on the demo's file: where operators run, as its compiled file has them, and crashes as errors."""

import json
import re
import subprocess
from functools import cache
from importlib.metadata import version
from pathlib import Path

import pytest
from handmade import build, dense

from kdrec import targets
from kdrec.errors import RuntimeFileError, TargetError
from kdrec.targets.base import Finished, check, vela
from kdrec.tflite.read import parse
from kdrec.tflite.views import read
from kdrec.tflite.write import pack

MODEL = (Path(__file__).parents[2] / "tflite_models" / "demo" / "micro" / "model.tflite").read_bytes()
NPUS = ["ethos_u55", "ethos_u65", "ethos_u85"]


@cache
def finished_for(name: str) -> Finished:
    target = targets.get(name)
    assert target.finish is not None
    return target.finish(MODEL)


@pytest.fixture(scope="module")
def report(tmp_path_factory) -> str:
    """What Vela itself says of the operators that it takes."""
    folder = tmp_path_factory.mktemp("vela")
    subprocess.run([*vela.COMMAND, "--supported-ops-report"], cwd=folder, check=True, capture_output=True)
    return (folder / "SUPPORTED_OPS.md").read_text()


@pytest.mark.parametrize("name", NPUS)
def test_vela_compiles_and_leaves_to_the_cpu_what_the_rules_foretell(name: str, require) -> None:
    require("ethosu")
    target, finished = targets.get(name), finished_for(name)
    compiled, told = finished.files[vela.COMPILED], json.loads(finished.files[vela.REPORT])
    counts = read(compiled).operator_counts()
    assert counts.pop(vela.ON_NPU) >= 1
    foretold = [violation.where.split()[-1] for violation in check(MODEL, target)]
    assert sorted(foretold) == sorted(name for name, times in counts.items() for _ in range(times))
    whole = read(MODEL).operator_counts()
    assert {name: place["cpu"] for name, place in told["operators"].items() if place["cpu"]} == counts
    assert {name: place["cpu"] + place["npu"] for name, place in told["operators"].items()} == whole
    assert finished.figures["cpu_operators"] == sum(counts.values())
    assert finished.figures["npu_operators"] == sum(whole.values()) - sum(counts.values())
    assert finished.figures["compiled_bytes"] == told["bytes"] == len(compiled)
    assert finished.figures["npu_cycles"] == told["cycles"] > told["macs"] / 256
    assert 1200 < finished.figures["sram_bytes"] < 64 * 1024  # the scores are 1,200 bytes
    assert told["accelerator"].lower().replace("_", "-") in target.sources["finish"]
    assert told["compiler"] == f"ethos-u-vela {version('ethos-u-vela')}"


def test_equal_files_give_equal_files_and_keep_their_ends(require) -> None:
    require("ethosu")
    first, second = finished_for("ethos_u55"), vela.compiled(MODEL, "ethos-u55-128")
    assert dict(first.files) == dict(second.files)
    before, after = (read(content).signatures["score"] for content in (MODEL, first.files[vela.COMPILED]))
    assert {name: (each.shape, each.dtype, each.scale) for name, each in after.outputs.items()} == {
        name: (each.shape, each.dtype, each.scale) for name, each in before.outputs.items()
    }
    assert {name: each.shape for name, each in after.inputs.items()} == {
        name: each.shape for name, each in before.inputs.items()
    }


@pytest.mark.parametrize(("names", "title"), [(NPUS[:2], "Ethos-U55 and Ethos-U65"), (NPUS[2:], "Ethos-U85")])
def test_the_lists_are_vela_s(names: list[str], title: str, require, request) -> None:
    require("ethosu")
    report = request.getfixturevalue("report")
    table = report.partition(f"## {title} TFLite Summary Table")[2].partition("\n## ")[0]
    listed = set(re.findall(r"^\| ([A-Z]\w+) \| \[", table, re.MULTILINE))
    narrow = set()
    for name in listed:
        own = report.partition(f"### {title} TFLite {name} Constraints")[2].partition("\n### ")[0]
        narrow |= {name} if "32-bit feature-maps are not supported." in own else set()
    for target in map(targets.get, names):
        assert target.accelerated_ops == listed
        assert target.narrow_ops == narrow


def test_without_vela_the_error_says_what_to_install(monkeypatch) -> None:
    monkeypatch.setattr(vela, "PACKAGE", "no-such-package")
    message = r"Vela compiles for ethos-u55-128, and is not installed: pip install 'kdrec\[ethos\]'"
    with pytest.raises(TargetError, match=message):
        vela.compiled(build(dense()), "ethos-u55-128")


def test_a_target_that_cannot_be_finished_is_refused_before_training(monkeypatch, require) -> None:
    require("tflite-micro")
    from kdrec import libraries
    from kdrec.config import Config
    from kdrec.pack import check_targets

    monkeypatch.setattr(libraries, "versions", lambda names: {})
    message = r"target 'ethos_u55' needs ethos-u-vela, which is not installed: pip install 'kdrec\[ethos\]', or leave"
    with pytest.raises(TargetError, match=message):
        check_targets(Config(targets=("ethos_u55",)))


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (
            "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
            "Vela died of SIGSEGV on the file for ethos-u55-128",
        ),
        ("raise SystemExit('no networks')", "Vela refused the file for ethos-u55-128: no networks; `kdrec check` says"),
        ("import time; time.sleep(30)", "Vela took longer than 1 seconds for ethos-u55-128; export fewer items"),
        ("pass", "Vela for ethos-u55-128 ended without a file and its figures"),
        ("open('model_vela.tflite', 'w').write('nonsense')", "ended without a file and its figures"),
    ],
)
def test_what_goes_wrong_there_is_an_error_here(code: str, message: str, monkeypatch) -> None:
    monkeypatch.setattr(vela, "COMMAND", (vela.COMMAND[0], "-c", code))
    monkeypatch.setattr(vela, "version", lambda package: "0")
    with pytest.raises(TargetError, match=message):
        vela.compiled(build(dense()), "ethos-u55-128", timeout=1.0 if "sleep" in code else 60.0)


def test_what_is_no_tflite_file_does_not_reach_vela() -> None:
    with pytest.raises(RuntimeFileError, match="the bytes given are no readable .tflite file"):
        vela.compiled(MODEL[:30_000], "ethos-u55-128")


def test_a_file_that_vela_chokes_on_is_a_named_error(require) -> None:
    """An operator without the tensor that it needs: whether Vela refuses it or dies, this process goes on."""
    require("ethosu")
    model = parse(MODEL)
    matrix = next(each for each in model.subgraphs[0].operators if len(each.inputs) == 3)
    matrix.inputs = matrix.inputs[:1]
    with pytest.raises(TargetError, match="Vela (died|refused)"):
        vela.compiled(pack(model), "ethos-u55-128")

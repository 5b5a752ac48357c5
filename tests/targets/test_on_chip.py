"""What the Edge TPU keeps on the chip: counted by hand; and the script that calls its compiler."""

import json
import shutil
import subprocess
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from handmade import Graph, Op, T, build
from typer.testing import CliRunner

from kdrec import targets
from kdrec.bundle import open_bundle
from kdrec.bundle.stored import stored
from kdrec.cli import app
from kdrec.targets.base import estimate
from kdrec.targets.base.on_chip import placed
from kdrec.targets.base.subject import subject
from kdrec.targets.coral_edgetpu.prepare import prepared, script

DEMO = Path(__file__).parents[2] / "tflite_models" / "demo" / "coral_edgetpu"
MATRIX = 1000 * 4 + 1000 * 4  # bytes: int8 weights, int32 biases


def shards(*widths: int) -> bytes:
    """One FULLY_CONNECTED a shard: (1, 4) to so many scores."""
    tensors, ops = [T()], []
    for number, width in enumerate(widths):
        tensors += [T((width, 4), data=np.full((width, 4), number, np.int8))]
        tensors += [T((width,), "INT32", data=np.full(width, number, np.int32)), T((1, width))]
        ops.append(Op("FULLY_CONNECTED", [0, len(tensors) - 3, len(tensors) - 2], [len(tensors) - 1]))
    return build(Graph(tensors, ops, outputs=[op.outputs[0] for op in ops]))


@pytest.mark.parametrize(
    ("limit", "kept"),
    [
        (None, [True] * 3),
        (3 * MATRIX, [True] * 3),
        (3 * MATRIX - 1, [True, True, True]),  # the last biases are streamed
        (2 * MATRIX + 3999, [True, True, False]),
        (MATRIX - 4001, [False, False, False]),
        (0, [False] * 3),
    ],
)
def test_matrices_stay_in_the_file_s_order_while_they_fit(limit: int | None, kept: list[bool]) -> None:
    found = placed(subject(shards(1000, 1000, 1000)), limit)
    assert [each.on_chip for each in found if each.is_matrix] == kept
    on_chip = sum(each.bytes for each in found if each.on_chip)
    assert sum(each.bytes for each in found) == 3 * MATRIX
    assert limit is None or limit - 4000 < on_chip <= limit or on_chip in (0, 3 * MATRIX)


def test_a_small_matrix_fits_behind_one_that_does_not() -> None:
    large, small = (each for each in placed(subject(shards(1000, 10)), 500) if each.is_matrix)
    assert not large.on_chip and small.on_chip
    assert str(large) == "FULLY_CONNECTED, 1000×4: 4,000 bytes, streamed at every call"
    assert str(small) == "FULLY_CONNECTED, 10×4: 40 bytes, on the chip"


def test_figures_of_a_bundle_are_the_estimates() -> None:
    content = shards(1000, 1000, 1000)
    figures = prepared(content, on_chip=2 * MATRIX).figures
    assert figures == {
        "on_chip_bytes": 2 * MATRIX, "streamed_bytes": MATRIX, "on_chip_matrices": 2, "streamed_matrices": 1
    }  # fmt: skip
    small = replace(targets.get("coral_edgetpu"), max_constant_bytes=2 * MATRIX)
    sizes = {each.name: each for each in estimate(content, small)}
    assert sizes["parameter_cache"].bytes == 3 * MATRIX and sizes["parameter_cache"].limit == 2 * MATRIX
    assert sizes["streamed_parameters"].bytes == MATRIX
    assert [part.rpartition(", ")[2] for part in sizes["parameter_cache"].parts] == [
        *("on the chip", "on the chip", "streamed at every call")
    ]


def test_the_limit_of_the_figures_is_the_target_s() -> None:
    target = targets.get("coral_edgetpu")
    assert isinstance(target.finish, partial)
    assert target.finish.keywords["on_chip"] == target.max_constant_bytes == int(6.7 * 2**20)


def test_check_names_the_matrices() -> None:
    done = CliRunner().invoke(app, ["check", str(DEMO)], env={"COLUMNS": "200"})
    assert done.exit_code == 0 and "the device's tools say" not in done.stdout  # they are counted, by no tool
    lines = done.stdout.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("estimate parameter_cache: "))
    assert "  FULLY_CONNECTED, 1200×32: 38,400 bytes, on the chip" in lines[at:]
    assert "estimate streamed_parameters: 0 bytes" in lines
    told = json.loads(CliRunner().invoke(app, ["check", str(DEMO), "--json"]).stdout)
    assert len(told["estimates"]["parameter_cache"]["parts"]) == 4 and told["tools"] == {}


def test_the_demo_s_bundle_carries_script_and_figures() -> None:
    bundle = open_bundle(DEMO)
    model = bundle.files["model.tflite"]
    finished = prepared(model, targets.get("coral_edgetpu").max_constant_bytes)
    assert {name: bundle.files[name] for name in finished.files} == finished.files
    assert {name: bundle.manifest.metrics[name] for name in finished.figures} == finished.figures
    assert "compile.sh" not in stored(bundle.files, "model.tflite")


def compiled_by(tmp_path: Path, compiler: str | None) -> subprocess.CompletedProcess:
    """The script beside a model, on a path of the few tools that it needs, with a compiler or none."""
    (tmp_path / "bin").mkdir()
    dirname = shutil.which("dirname")
    assert dirname is not None
    (tmp_path / "bin" / "dirname").symlink_to(dirname)
    if compiler is not None:
        (tmp_path / "bin" / "edgetpu_compiler").write_text(f"#!/bin/sh\n{compiler}\n")
        (tmp_path / "bin" / "edgetpu_compiler").chmod(0o755)
    (tmp_path / "compile.sh").write_bytes(script())
    (tmp_path / "model.tflite").write_bytes(b"model")
    command = ["/bin/sh", str(tmp_path / "compile.sh")]
    return subprocess.run(command, env={"PATH": str(tmp_path / "bin")}, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("compiler", "status", "said"),
    [
        (
            None,
            3,
            "compile.sh: edgetpu_compiler is not installed, so model_edgetpu.tflite was not made; it runs on x86",
        ),
        ("exit 0", 4, "compile.sh: edgetpu_compiler ended without model_edgetpu.tflite; its log says why"),
        ("echo refused >&2; exit 1", 1, "refused"),
        ('echo "$@" >model_edgetpu.tflite', 0, ""),
    ],
)
def test_the_script_compiles_or_says_why_not(compiler, status: int, said: str, tmp_path: Path) -> None:
    done = compiled_by(tmp_path, compiler)
    assert done.returncode == status and said in done.stderr
    made = tmp_path / "model_edgetpu.tflite"
    assert made.exists() == (status == 0)
    if status == 0:
        assert made.read_text() == "--show_operations --out_dir . model.tflite\n"

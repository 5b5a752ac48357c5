"""Sources for TensorFlow Lite Micro: built against a double of it, run here, and compared with kdrec's answers."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from kdrec.bundle.read import open_bundle
from kdrec.cli import app
from kdrec.errors import TargetError
from kdrec.runtime.micro_interpreter import MicroFile
from kdrec.runtime.order import best
from kdrec.targets.micro import micro
from kdrec.targets.micro.backends.tflm import tflm
from kdrec.targets.micro.backends.tflm.fields import method
from kdrec.tflite.views import read

HERE = Path(__file__).parent
DOUBLE = HERE / "double"
DEMO = HERE.parents[2] / "tflite_models" / "demo" / "micro"
WARNINGS = ("-std=c++17", "-pedantic", "-Wall", "-Wextra", "-Werror", f"-I{DOUBLE}", "-I.")
SANITIZED = ("-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")


@pytest.fixture(scope="module")
def bundle():
    pytest.importorskip("tflite_micro")
    return open_bundle(DEMO)


@pytest.fixture(scope="module")
def code(bundle, tmp_path_factory) -> Path:
    """What the command writes."""
    out = tmp_path_factory.mktemp("tflm") / "code"
    done = CliRunner().invoke(app, ["export", str(DEMO), "--backend", "tflm", "--out", str(out)])
    assert done.exit_code == 0, done.output
    return out


def test_lists_and_what_the_model_is_given_are_kdrecs(bundle, code, require) -> None:
    """Whole calls, with unknown items, unknown context, exclusions, and any k, under gcc's sanitizers."""
    require("g++")
    rng, manifest = np.random.default_rng(0), bundle.manifest
    n, length = manifest.data.n_items, manifest.history.length
    cases, given = [], []
    for _ in range(12):
        history = rng.integers(-3, n + 3, rng.integers(1, 2 * length)).tolist()
        exclude = rng.integers(-1, n + 1, rng.integers(0, 40)).tolist()
        cases.append((history, int(rng.integers(-2, 7)), exclude, int(rng.integers(0, 30))))
    cases += [([5], 1, [], n + 5), ([-1, n, 2**31 - 1, -(2**31)], 1, [], 10), ([], 1, [], 10)]
    for history, context, _, _ in cases:
        tokens = [item + 1 for item in history if 0 <= item < n][-length:]
        given.append(([0] * (length - len(tokens)) + tokens, context if 0 <= context < 5 else 0))
    asked = {"history": np.array([row for row, _ in given]), "daypart": np.array([value for _, value in given])}
    logits = MicroFile(bundle.files["model.tflite"]).run(asked).stored
    flat = [number for history, context, exclude, k in cases for number in
            (len(history), len(exclude), k, context, *history, *exclude)]  # fmt: skip
    file = read(bundle.files["model.tflite"])
    is_first = file.subgraphs[0].inputs[0] == file.signatures["score"].inputs["history"].index
    header = (
        "#include <stddef.h>\n#include <stdint.h>\n"
        f"#define N_CASES {len(cases)}\n#define MOST {n + 5}\n#define HISTORY_FIRST {int(is_first)}\n"
        f"static const int32_t cases[] = {{{','.join(map(str, flat))}}};\n"
        f"static const int8_t logits[] = {{{','.join(map(str, logits.reshape(-1)))}}};\n"
    )
    (code / "cases.h").write_text(header)
    build(code, "driver.cc", (HERE / "driver.cc").read_text(), "program")
    lines = subprocess.run([code / "program"], capture_output=True, text=True, check=True).stdout.splitlines()
    answers = [lines[at : at + 3] for at in range(0, len(lines), 3)]
    for (_, _, exclude, k), (tokens, context), scores, (inputs, items, listed) in zip(
        cases, given, logits, answers, strict=True
    ):
        if not any(tokens):
            assert (inputs, items, listed) == ("", "", "")
            continue
        assert [int(word) for word in inputs.split()] == [*tokens, context]
        allowed = np.ones(n, bool)
        allowed[[item for item in exclude if 0 <= item < n]] = False
        count = min(k, int(allowed.sum()))
        wanted = best(scores.astype(int), allowed, count) if count else np.array([], int)
        assert [int(word) for word in items.split()] == wanted.tolist()
        assert [int(word) for word in listed.split()] == scores[wanted].tolist()
    array = subprocess.run([code / "program", "array"], capture_output=True, check=True).stdout
    assert array == bundle.files["model.tflite"]


def build(folder: Path, name: str, source: str, program: str) -> None:
    (folder / name).write_text(source)
    own = ["model.cc", "op_resolver.cc", "ranking.cc", "recommender.cc", name]
    subprocess.run(["g++", *WARNINGS, *SANITIZED, *own, "-o", program], cwd=folder, check=True)


def test_all_sources_compile_for_a_cortex_m_and_the_model_is_aligned(code, require) -> None:
    require("arm-none-eabi-g++")
    options = (
        "-ffreestanding",
        "-fno-exceptions",
        "-fno-rtti",
        "-fno-threadsafe-statics",
        "-mcpu=cortex-m4",
        "-mthumb",
    )
    sources = ["model.cc", "op_resolver.cc", "ranking.cc", "recommender.cc"]
    subprocess.run(["arm-none-eabi-g++", *WARNINGS, *options, "-c", *sources], cwd=code, check=True)
    sections = ["arm-none-eabi-objdump", "-h", "-j", ".rodata", "model.o"]
    listed = subprocess.run(sections, cwd=code, capture_output=True, text=True, check=True).stdout
    assert re.search(r"\.rodata .* 2\*\*4$", listed, re.MULTILINE)


def test_the_example_compiles(code, require) -> None:
    require("g++")
    subprocess.run(["g++", *WARNINGS, "-fsyntax-only", "main.cc"], cwd=code, check=True)


def test_the_resolver_has_exactly_the_operators_of_the_file(bundle, code) -> None:
    used = {method(name) for name in read(bundle.files["model.tflite"]).operator_counts()}
    added = re.findall(r"resolver\.(\w+)\(\)", (code / "op_resolver.cc").read_text())
    assert set(added) == used and len(added) == len(used)
    assert f"MicroMutableOpResolver<{len(used)}>" in (code / "op_resolver.h").read_text()


def test_every_operator_of_the_target_has_a_method_of_the_runtimes_names() -> None:
    header = (DOUBLE / "tensorflow/lite/micro/micro_mutable_op_resolver.h").read_text()
    known = {f"Add{name}" for name in re.findall(r"METHOD\((\w+)\)", header)} - {"Addname"}
    assert {method(operator) for operator in micro.ops} <= known


ENOUGH = """
import sys
from pathlib import Path
import numpy as np
from tflite_micro.python.tflite_micro import runtime
made = runtime.Interpreter.from_bytes(Path(sys.argv[1]).read_bytes(), arena_size=int(sys.argv[2]))
made.set_input(np.ones((1, 50), np.int32), 0)
made.set_input(np.zeros(1, np.int32), 1)
made.invoke()
print(np.array(made.get_output(0)).shape)
"""


def test_the_arena_is_what_the_interpreter_needs(bundle, code) -> None:
    """It runs in so many bytes, and not in 128 less."""
    stated = int(re.search(r"kArenaBytes = (\d+);", (code / "recommender.h").read_text())[1])
    assert stated % 16 == 0

    def run(size: int) -> subprocess.CompletedProcess:
        command = [sys.executable, "-c", ENOUGH, str(DEMO / "model.tflite"), str(size)]
        return subprocess.run(command, capture_output=True, text=True)

    assert run(stated).stdout == f"(1, {bundle.manifest.data.n_items})\n"
    assert run(stated - 128).returncode != 0


def test_context_needs_the_bundle(bundle) -> None:
    with pytest.raises(TargetError, match="takes the context 'daypart', and does not say how many values it has; give"):
        tflm(bundle.files["model.tflite"])


def test_a_file_of_another_device_is_refused() -> None:
    with pytest.raises(TargetError, match="must keep the rules of TensorFlow Lite Micro, it breaks"):
        tflm((DEMO.parent / "android" / "model.tflite").read_bytes())

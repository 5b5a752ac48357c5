"""What is generated, refused and written."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
from c_programs import WARNINGS, Case, run_here
from random_models import Sizes, Writer, random_model
from typer.testing import CliRunner

from kdrec.bundle.golden import Answer, replay
from kdrec.bundle.read import open_bundle
from kdrec.cli import app
from kdrec.errors import RuntimeFileError, TargetError, UnknownNameError
from kdrec.targets.base.backends import backend
from kdrec.targets.micro.backends.c import c, multipliers
from kdrec.tflite.read import parse
from kdrec.tflite.views import Tensor
from kdrec.tflite.write import pack

DEMO = Path(__file__).parents[3] / "tflite_models/demo"


def test_the_demo_replays_its_golden_vectors(tmp_path, require) -> None:
    """Made by TensorFlow Lite Micro when the bundle was written, from a file that the converter made."""
    require("gcc")
    bundle = open_bundle(DEMO / "micro")

    def run(inputs) -> list[Answer]:
        cases = [
            Case(tuple(token - 1 for token in case["history"] if token), tuple(case["daypart"]), (), 10)
            for case in inputs
        ]
        answers = run_here(c(bundle.files["model.tflite"], bundle), cases, tmp_path)
        stored = [np.array(answer.logits, np.int8) for answer in answers]
        return [Answer(logits.astype(float), logits) for logits in stored]

    assert replay(bundle.files["golden.json"], run) == []


def test_the_command_writes_an_example_that_runs(tmp_path, require) -> None:
    require("gcc")
    out = tmp_path / "code"
    for _ in range(2):  # the second time over the first
        done = CliRunner().invoke(app, ["export", str(DEMO / "micro"), "--out", str(out)], env={"COLUMNS": "200"})
        assert done.exit_code == 0, done.output
    assert sorted(path.name for path in out.iterdir()) == ["README.md", "main.c", "recommender.c", "recommender.h"]
    header = (out / "recommender.h").read_text()
    assert "#define RECOMMENDER_ITEMS 1200" in header and "RECOMMENDER_POPULAR {42, 272," in header
    assert 'context_daypart  1 "morning", 2 "afternoon"' in header
    subprocess.run(["gcc", *WARNINGS, "-O2", "main.c", "recommender.c", "-o", "example"], cwd=out, check=True)
    listed = subprocess.run([out / "example"], capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(listed) == 10 and all(line.startswith("item ") for line in listed)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["android", "--target", "micro"], "must name the target micro, it names android; give the bundle that"),
        (["android/model.tflite"], "must have one graph with the signature 'score', it has 3 and embed, recommend"),
        (["micro", "--target", "ethos-u55"], "target ethos_u55 has no generator of code; give its device the"),
        (["micro", "--backend", "rust"], "backends has no 'rust'; it has c"),
        (["coral_edgetpu", "--backend", "c"], "backends has no 'c'; it has hosts"),
        (
            ["coral_edgetpu/model.tflite", "--target", "coral_edgetpu", "--backend", "hosts"],
            "the hosts of an Edge TPU need the whole bundle, whose manifest says what the host computes; give",
        ),
        (["nowhere.tflite"], "nowhere.tflite cannot be read: No such file or directory; give a bundle's folder or a"),
        (["micro/items.json"], "they lack the mark TFL3"),
    ],
)
def test_what_the_command_refuses(arguments, message, tmp_path) -> None:
    out = tmp_path / "code"
    given = ["export", str(DEMO / arguments[0]), *arguments[1:], "--out", str(out)]
    done = CliRunner().invoke(app, given, env={"COLUMNS": "500"})
    assert done.exit_code == 2 and message in " ".join(done.output.split())
    assert not out.exists()


def test_a_folder_of_others_is_left_alone(tmp_path) -> None:
    (tmp_path / "thesis.txt").write_text("years")
    done = CliRunner().invoke(app, ["export", str(DEMO / "micro"), "--out", str(tmp_path)], env={"COLUMNS": "500"})
    assert done.exit_code == 2 and "holds something else, for example thesis.txt, and would lose it" in done.output
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_an_unknown_target_is_named() -> None:
    with pytest.raises(UnknownNameError, match="targets has no 'toaster'"):
        backend("toaster", "c")


SMALL = Sizes(items=6, width=4, length=3, hidden=3, context=(3,))


def changed(change) -> bytes:
    model = parse(random_model(np.random.default_rng(0), SMALL).content)
    change(model, model.subgraphs[0])
    return pack(model)


def operator(model, name: str, number: int = 0):
    from kdrec.tflite.schema import operator_name

    graph = model.subgraphs[0]
    return [each for each in graph.operators if operator_name(model.operatorCodes[each.opcodeIndex]) == name][number]


def to_tanh(model, graph) -> None:
    code = model.operatorCodes[operator(model, "ADD").opcodeIndex]
    code.builtinCode = code.deprecatedBuiltinCode = 28


def to_float(model, graph) -> None:
    graph.tensors[operator(model, "BATCH_MATMUL").outputs[0]].type = 0


def activation(model, graph) -> None:
    operator(model, "MUL").builtinOptions.fusedActivationFunction = 3


def many_scales(model, graph) -> None:
    parameters = graph.tensors[operator(model, "FULLY_CONNECTED").inputs[1]].quantization
    parameters.scale, parameters.zeroPoint = np.full(4, 0.1, np.float32), np.zeros(4, np.int64)


def axis(model, graph) -> None:
    operator(model, "GATHER").builtinOptions.axis = 1


def transposed(model, graph) -> None:
    operator(model, "BATCH_MATMUL").builtinOptions.adjY = True


def beyond(model, graph) -> None:
    graph.tensors[operator(model, "GATHER").inputs[0]].shape = np.array([1], np.int32)
    model.buffers[graph.tensors[operator(model, "GATHER").inputs[0]].buffer].data = np.zeros(1, np.uint8)


def strided(model, graph) -> None:
    steps = graph.tensors[operator(model, "STRIDED_SLICE").inputs[3]]
    model.buffers[steps.buffer].data = np.array([1, 2], np.int32).view(np.uint8)


def scores_of_a_sum(model, graph) -> None:
    model.signatureDefs[0].outputs[0].tensorIndex = int(operator(model, "ADD", 1).outputs[0])


def float_scores(model, graph) -> None:
    graph.tensors[graph.outputs[0]].type = 0


def no_scale(model, graph) -> None:
    graph.tensors[operator(model, "MUL").outputs[0]].quantization = None


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (
            to_tanh,
            TargetError,
            r"knows ADD, ARG_MAX, .*, STRIDED_SLICE, not TANH \(operator \d+\); use the encoder mean",
        ),
        (
            to_float,
            TargetError,
            r"knows int8 and int32, not float32, of which BATCH_MATMUL \(operator \d+\) has tensor",
        ),
        (activation, TargetError, "must not meet MUL with the fused activation 3, as operator"),
        (many_scales, TargetError, "must not meet FULLY_CONNECTED with a scale for each row"),
        (axis, TargetError, "must not meet GATHER along another axis than the first"),
        (transposed, TargetError, "must not meet BATCH_MATMUL of transposed matrices"),
        (beyond, TargetError, "must not meet GATHER of a table of 1 rows with numbers up to 1"),
        (strided, TargetError, "must not meet STRIDED_SLICE with strides or new axes"),
        (scores_of_a_sum, TargetError, "scores must come from a FULLY_CONNECTED for the C generator, and do not"),
        (
            float_scores,
            TargetError,
            "must take 'history' and return int8 'scores' for the C generator; export the file",
        ),
        (no_scale, RuntimeFileError, "an operator that the C generator cannot read"),
    ],
)
def test_what_it_does_not_know_is_refused_by_name(change, error, message) -> None:
    with pytest.raises(error, match=message):
        c(changed(change))


def test_a_context_of_any_name_is_one_in_c(tmp_path, require) -> None:
    require("gcc")

    def rename(model, graph) -> None:
        model.signatureDefs[0].inputs[1].name = "int */ für".encode()

    files = c(changed(rename))
    assert b"int32_t context_int____f_r" in files["recommender.h"]
    run_here(files, [Case((0, 1), (1,), (), 3)], tmp_path, ["-O0"])


def test_mutilated_files_end_in_a_named_error() -> None:
    content = random_model(np.random.default_rng(0), SMALL).content
    rng = np.random.default_rng(1)
    refused = 0
    for _ in range(150):
        mutated = bytearray(content)
        for place in rng.integers(8, len(content), 3):
            mutated[place] = rng.integers(256)
        try:
            c(bytes(mutated))
        except (TargetError, RuntimeFileError):
            refused += 1
    assert refused > 20


def test_scales_of_a_matrix_product_are_multiplied_in_single_precision() -> None:
    """(1 + 2^-23) · 1.5 = 1.5 + 1.5 · 2^-23 lies between two float32 and becomes the even one, 1.5 + 2 · 2^-23."""
    left, right, made = (Tensor(0, "", "int8", (1,), (scale,), (0,), 0, None) for scale in (1 + 2**-23, 1.5, 1.0))
    assert multipliers.of_product(left, right, made) == (int((1.5 + 2 * 2**-23) * 2**30), 1)
    assert multipliers.of_elements(left, right, made) == (int((1.5 + 1.5 * 2**-23) * 2**30), 1)


def test_equal_files_give_equal_code() -> None:
    content = random_model(np.random.default_rng(0), SMALL).content
    assert c(content) == c(content)


def test_a_graph_without_a_history_is_refused() -> None:
    w = Writer()
    given = w.tensor((1, 4), scale=0.5)
    with pytest.raises(TargetError, match="signature 'score' must take 'history'"):
        c(w.finish({"rows": given}, {"scores": given}))

"""What the written files answer, compared with the float student."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from small_students import ITEMS, LENGTH, WIDTH, Case, student

from kdrec import targets
from kdrec.compress import recipes
from kdrec.export import ExportJob, export_all
from kdrec.export.student_parts import on_grid, take_apart
from kdrec.targets.base import check
from kdrec.tflite.oldest_runtime import never_run
from kdrec.tflite.sizes import sizes
from kdrec.tflite.verify import run
from kdrec.tflite.views import read

pytestmark = pytest.mark.slow  # the three students take a converter process each
CASES = ("mean", "untied", "conv")
KERNELS = "int8+hidden=int4+residual=int4"


@pytest.fixture(params=CASES)
def any_case(request) -> Case:
    return request.getfixturevalue(request.param)


def best(scores: np.ndarray, k: int) -> np.ndarray:
    """(rows, k): score descending, then lower position."""
    return np.argsort(-scores, axis=1, kind="stable")[:, :k]


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.mean([len(set(a) & set(b)) / len(a) for a, b in zip(one, other, strict=True)]))


def host_answers(case: Case, files, signature) -> list[dict[str, np.ndarray]]:
    from kdrec.runtime.host import Host
    from kdrec.runtime.interpreter import LiteRtFile

    edges = LiteRtFile(files["model.tflite"]).ends("score").inputs
    host = Host(case.files["coral_edgetpu"].host, files, edges)
    return [host(call) for call in case.calls()]


def scores_of(case: Case, name: str) -> np.ndarray:
    """(rows, ITEMS) float, whatever the device hands back."""
    exported = case.files[name]
    calls = case.calls() if exported.host is None else host_answers(case, exported.files, "score")
    answers = run(exported.model, "score", calls)
    return np.concatenate([answers[key] for key in sorted(answers)], axis=1)


@pytest.mark.parametrize("name", ["android", "micro", "coral_edgetpu"])
def test_int8_files_rank_like_the_float_student(any_case, name):
    expected, received = any_case.float_scores(), scores_of(any_case, name)
    error = np.sqrt(np.mean((received - expected) ** 2)) / np.std(expected)
    assert 0 < error < 0.06
    assert overlap(best(expected, 5), best(received, 5)) > 0.85


@pytest.mark.parametrize(("name", "bound"), [("float32", 1e-5), ("float16", 5e-3), ("dynamic_int8", 0.05)])
def test_other_recipes_err_within_their_bounds(mean, name, bound):
    expected, received = mean.float_scores(), scores_of(mean, name)
    assert 0 < np.abs(received - expected).max() / np.abs(expected).max() < bound


def test_item_rows_of_four_bits_answer_as_the_rounded_student_does(any_case):
    assert_answers_as_rounded(any_case, "int4_table")


@pytest.mark.parametrize("name", [KERNELS, "float32+item_table=int4+hidden=int8"])
def test_matrices_of_other_types_answer_as_the_rounded_student_does(mean, name):
    assert_answers_as_rounded(mean, name)


def test_kernels_of_four_bits_take_half_the_bytes(mean):
    int8, int4 = (sizes(mean.files[name].model, ITEMS).weights for name in ("android", KERNELS))
    assert int8 - int4 == (WIDTH * 16 + 16 * WIDTH) // 2


def test_int16_activations_are_finer_over_the_same_table(mean):
    """Both have the same int8 matrices, so they are compared with the student that holds these."""
    of_matrices = recipes.get("float32+item_table=int8+linear=int8+hidden=int8+residual=int8")
    expected = on_grid(take_apart(mean.student), of_matrices).student.predict(mean.inputs, verbose=0)
    coarse, fine = (np.median(np.abs(scores_of(mean, name) - expected)) for name in ("android", "int16x8"))
    assert 0 < fine < 0.1 * coarse


def test_int16_scores_have_twice_the_room_that_calibration_took(mean):
    largest = np.abs(mean.student.predict(mean.calibration, verbose=0)).max()
    graph = read(mean.files["int16x8"].model).subgraphs[0]
    scores = [tensor for tensor in graph.tensors if tensor.dtype == "int16" and tensor.shape == (1, ITEMS + 1)]
    assert 1.9 < 32767 * scores[0].scale / largest < 2.5  # two calls with extreme items were seen, too


def assert_answers_as_rounded(case: Case, name: str) -> None:
    rounded = on_grid(take_apart(case.student), recipes.get(name)).student
    expected, received = rounded.predict(case.inputs, verbose=0), scores_of(case, name)
    assert 0 < np.sqrt(np.mean((received - expected) ** 2)) / np.std(expected) < 0.06
    assert overlap(best(expected, 5), best(received, 5)) > 0.85
    assert check(case.files[name].model, targets.get("android")) == []


def test_item_rows_of_four_bits_take_half_the_bytes(mean, untied):
    assert sizes(mean.files["int4_table"].model, ITEMS).tables == (ITEMS + 1) * WIDTH // 2
    assert sizes(untied.files["int4_table"].model, ITEMS).tables == (ITEMS + 1 + ITEMS) * WIDTH // 2


def test_recommend_is_the_head_of_score(any_case):
    content, calls = any_case.files["android"].model, any_case.calls()
    scores = run(content, "score", calls)["scores"]
    answers = run(content, "recommend", calls)
    np.testing.assert_array_equal(answers["items"], best(scores, 10))
    np.testing.assert_array_equal(answers["scores"], np.take_along_axis(scores, answers["items"], axis=1))


def test_embed_is_the_query_of_the_float_student(any_case):
    import tf_keras as keras

    embed = keras.Model(any_case.student.inputs, any_case.student.get_layer("query").output)
    expected = embed.predict(any_case.inputs, verbose=0)
    received = run(any_case.files["android"].model, "embed", any_case.calls())["query"]
    assert received.shape == (40, WIDTH)
    assert 0 < np.sqrt(np.mean((received - expected) ** 2)) / np.std(expected) < 0.05


@pytest.mark.parametrize("name", ["android", "micro", "float32", "float16", "int16x8", KERNELS])
def test_a_tied_table_is_stored_once(mean, name):
    width = {"float32": 4, "float16": 2}.get(name, 1)
    assert sizes(mean.files[name].model, ITEMS).tables == width * (ITEMS + 1) * WIDTH


def test_untied_tables_are_two(untied):
    assert sizes(untied.files["android"].model, ITEMS).tables == (ITEMS + 1) * WIDTH + ITEMS * WIDTH


def test_the_overhead_is_below_8_kib(any_case):
    assert sizes(any_case.files["android"].model, ITEMS).overhead < 8 * 1024


def test_signatures_are_described_as_the_file_has_them(any_case):
    android = any_case.files["android"].signatures
    assert set(android) == {"recommend", "score", "embed"}
    assert set(android["score"].inputs) == set(any_case.inputs)
    assert android["score"].inputs["history"].shape == (1, LENGTH)
    items, scores = (android["recommend"].outputs[name] for name in ("items", "scores"))
    assert (items.dtype, items.shape, scores.dtype, scores.shape) == ("int32", (1, 10), "float32", (1, 10))
    micro = any_case.files["micro"].signatures
    assert set(micro) == {"score"}
    assert (micro["score"].outputs["scores"].dtype, micro["score"].inputs["history"].dtype) == ("int8", "int32")
    assert micro["score"].outputs["scores"].scale > 0


def test_an_edge_tpu_stage_is_int8_throughout_and_scored_in_parts(any_case):
    coral = any_case.files["coral_edgetpu"]
    spec = coral.signatures["score"]
    assert [spec.outputs[f"scores_{part}"].shape for part in range(3)] == [(1, 14), (1, 13), (1, 13)]
    assert {end.dtype for end in (*spec.inputs.values(), *spec.outputs.values())} == {"int8"}
    file = read(coral.model)
    assert len(file.subgraphs) == 1 and "GATHER" not in file.operator_counts()
    table = [tensor for tensor in file.subgraphs[0].tensors if tensor.is_constant and tensor.shape == (14, WIDTH)]
    assert len(table) == 1  # 14 rows: no padding row among 40


@pytest.mark.parametrize("name", ["android", "micro"])
def test_no_int8_graph_divides(any_case, name):
    file = read(any_case.files[name].model)
    assert "DIV" not in file.operator_counts()
    matrices = [
        graph.tensors[operator.inputs[1]]
        for graph in file.subgraphs
        for operator in graph.operators
        if operator.name == "FULLY_CONNECTED"
    ]
    assert matrices and not any(matrix.is_per_channel for matrix in matrices)


def test_exports_keep_the_rules_of_their_targets(any_case):
    for name in ("android", "micro", "coral_edgetpu"):
        target = replace(targets.get(name), max_fc_outputs=None)
        assert [str(found) for found in check(any_case.files[name].model, target) if not found.is_warning] == []


def test_old_runtimes_were_asked_for_every_operator(any_case):
    """Else scripts/benchmarks/min_runtime.py is to be run again."""
    litert = [exported.model for name, exported in any_case.files.items() if name != "micro"]
    assert [name for content in litert for name in never_run(content)] == []


def test_rewriting_moved_every_output_by_rounding_only(any_case):
    assert 0 < any_case.files["android"].moved["score/scores"] < 2


def test_padding_is_never_recommended_when_every_score_is_negative():
    """Items point against every query: q = -s, so each item of the history's direction scores below padding's 0."""
    model = student()
    rng = np.random.default_rng(3)
    table = np.abs(rng.normal(size=(ITEMS + 1, WIDTH))).astype(np.float32)
    table[0] = 0
    model.get_layer("item_table").set_weights([table])
    model.get_layer("linear").set_weights([-np.eye(WIDTH, dtype=np.float32), np.zeros(WIDTH, np.float32)])
    model.get_layer("residual").set_weights([np.zeros((16, WIDTH), np.float32)])
    model.get_layer("history_mean").set_weights([np.ones(LENGTH, np.float32)])
    calibration = {"history": np.tile(np.arange(1, LENGTH + 1, dtype=np.int32), (30, 1))}
    job = ExportJob("android", recipes.get("int8"), topk=ITEMS)
    (exported,) = export_all(model, [job], calibration)
    calls = [
        {"history": np.array([[0, 0, 0, 3, 2, 1]], np.int32)},
        {"history": np.array([[0, 0, 0, 0, 0, 9]], np.int32)},
    ]
    answers = run(exported.model, "recommend", calls)
    assert (answers["scores"] < 0).all()
    for items in answers["items"]:
        assert sorted(items) == list(range(ITEMS))


MICRO = """
import sys
import numpy as np
from tflite_micro.python.tflite_micro import runtime

content, calls = open(sys.argv[1], "rb").read(), np.load(sys.argv[2])
interpreter = runtime.Interpreter.from_bytes(content)
answers = []
for history in calls:
    interpreter.set_input(history[np.newaxis], 0)
    interpreter.invoke()
    answers.append(interpreter.get_output(0).copy())
np.save(sys.argv[3], np.concatenate(answers))
"""


def test_the_micro_file_runs_in_tensorflow_lite_micro(mean, require, tmp_path):
    """The two interpreters round differently, so rankings are compared, never bytes."""
    require("tflite-micro")
    (tmp_path / "model.tflite").write_bytes(mean.files["micro"].model)
    np.save(tmp_path / "calls.npy", mean.inputs["history"])
    paths = [str(tmp_path / name) for name in ("model.tflite", "calls.npy", "answers.npy")]
    subprocess.run([sys.executable, "-c", MICRO, *paths], check=True, capture_output=True)
    stored = np.load(tmp_path / "answers.npy").astype(float)
    assert overlap(best(mean.float_scores(), 5), best(stored, 5)) > 0.85

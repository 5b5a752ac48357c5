"""A .tflite file in LiteRT: called by name, and a bad file is an error, not a dead process."""

import numpy as np
import pytest
import tiny_models

from kdrec.errors import DataError, KdrecError, RuntimeFileError
from kdrec.runtime.interpreter import Edge, LiteRtFile
from kdrec.runtime.judge import file_scorer
from kdrec.runtime.scores import FileScores

HISTORY = np.array([[0, 0, 1, 2, 3]], np.int32)
MARK = "model.tflite cannot be loaded: the bytes given .*; export it again, or copy it again if it was copied"


def test_signatures_are_known_by_name(android_model) -> None:
    file = LiteRtFile(android_model)
    assert set(file.signatures) == {"recommend", "score"}
    specs = file.specs()["recommend"]
    assert specs.inputs["history"].shape == (1, tiny_models.LENGTH)
    assert specs.outputs["items"].dtype == "int32" and specs.outputs["items"].scale is None
    assert specs.outputs["scores"].shape == (1, tiny_models.K)


def test_quantization_of_the_ends_is_in_the_specs(micro_model) -> None:
    scores = LiteRtFile(micro_model).specs()["score"].outputs["scores"]
    assert scores.dtype == "int8" and scores.scale is not None and scores.scale > 0
    assert -128 <= scores.zero_point <= 127


def test_int8_scores_are_near_the_formula(micro_model) -> None:
    rows = tiny_models.histories(20)
    exact = np.array([tiny_models.expected(row) for row in rows])
    scores = FileScores(LiteRtFile(micro_model))({"history": rows})
    error = np.abs(scores - exact).max()
    assert 0 < error < 0.05 * np.abs(exact).max()


def test_quantize_rounds_halves_away_from_zero_and_clips() -> None:
    edge = Edge(np.dtype("int8"), (1, 6), scale=0.5, zero_point=0)
    values = np.array([0.25, -0.25, 0.75, -0.75, 1000.0, -1000.0])
    assert edge.quantize(values).tolist() == [1, -1, 2, -2, 127, -128]
    assert np.array_equal(edge.quantize(edge.dequantize(np.arange(-128, 128, dtype=np.int8))), np.arange(-128, 128))


def test_a_float_end_is_left_as_it_is() -> None:
    edge = Edge(np.dtype("float32"), (1, 2), scale=0.0, zero_point=0)
    assert edge.dequantize(np.array([0.5, 2.0])).tolist() == edge.quantize(np.array([0.5, 2.0])).tolist() == [0.5, 2.0]
    assert edge.spec().scale is None


@pytest.mark.parametrize("num_threads", [0, 1.5, True])
def test_threads_are_counted(android_model, num_threads) -> None:
    with pytest.raises(DataError, match="num_threads must be an integer of at least 1, received .*; use 1"):
        LiteRtFile(android_model, num_threads=num_threads)


def test_an_unknown_signature_lists_those_there(android_model) -> None:
    with pytest.raises(RuntimeFileError, match="has no signature 'embed', it has recommend, score; export it with kdr"):
        LiteRtFile(android_model).run("embed", {})


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({}, "signature 'score' takes the inputs history, received none; give each of them once"),
        ({"history": HISTORY[:, 1:]}, r"input 'history' of 'score' must be int32 \(1, 5\), received int32 \(1, 4\)"),
        ({"history": HISTORY.astype(np.int64)}, r"must be int32 \(1, 5\), received int64 \(1, 5\); bring it to"),
    ],
)
def test_inputs_are_checked(android_model, inputs, message: str) -> None:
    with pytest.raises(RuntimeFileError, match=message):
        LiteRtFile(android_model).run("score", inputs)


def test_a_failure_inside_litert_is_named(android_model) -> None:
    with pytest.raises(RuntimeFileError, match="model.tflite: LiteRT failed in 'score': gather index out of bounds"):
        LiteRtFile(android_model).run("score", {"history": HISTORY + 1000})


@pytest.mark.parametrize("content", [b"", b"TFL3", b"x" * 100])
def test_what_is_no_tflite_file(content: bytes) -> None:
    with pytest.raises(RuntimeFileError, match=MARK):
        LiteRtFile(content)


def test_a_cut_file_is_refused_at_every_length(android_model) -> None:
    for size in range(0, len(android_model) - 1, max(1, len(android_model) // 60)):
        with pytest.raises(RuntimeFileError, match="model.tflite cannot be loaded"):
            LiteRtFile(android_model[:size])


def test_altered_files_end_in_a_named_error_or_an_answer(android_model, micro_model) -> None:
    rng = np.random.default_rng(0)
    refused = 0
    for number in range(200):
        content = bytearray(micro_model if number % 2 else android_model)
        for place in rng.integers(0, len(content), rng.integers(1, 9)):
            content[place] = rng.integers(256)
        try:
            FileScores(LiteRtFile(bytes(content)))({"history": HISTORY})
        except KdrecError:
            refused += 1
    assert refused > 20


def test_a_single_file_is_a_scorer(android_model, tmp_path) -> None:
    (tmp_path / "m.tflite").write_bytes(android_model)
    scores = file_scorer(tmp_path / "m.tflite")({"history": HISTORY})
    np.testing.assert_allclose(scores[0], tiny_models.expected(HISTORY[0]), rtol=1e-5, atol=1e-5)


def test_a_file_that_is_not_there(tmp_path) -> None:
    with pytest.raises(RuntimeFileError, match="absent.tflite cannot be read: No such file or directory; give the"):
        file_scorer(tmp_path / "absent.tflite")


def test_a_device_stage_alone_is_no_scorer() -> None:
    model = tiny_models.coral((1, tiny_models.WIDTH), (tiny_models.N_ITEMS,))
    with pytest.raises(
        RuntimeFileError, match="signature 'score' must take 'history', it takes device_input; open the"
    ):
        FileScores(LiteRtFile(model))

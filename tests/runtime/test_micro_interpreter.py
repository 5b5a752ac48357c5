"""A micro file through the tflite-micro wheel: same ranking as the formula, arena bytes, and crashes as errors."""

import importlib.util

import numpy as np
import pytest
import tiny_models

from kdrec.errors import DataError, RuntimeFileError
from kdrec.runtime import Recommender, micro_process
from kdrec.runtime.interpreter import LiteRtFile
from kdrec.runtime.micro_interpreter import MicroFile
from kdrec.runtime.scores import FileScores

ROWS = tiny_models.histories(20)


def test_scores_near_the_formula_and_an_arena(micro_model, require) -> None:
    require("tflite-micro")
    said = MicroFile(micro_model).run({"history": ROWS})
    exact = np.array([tiny_models.expected(row) for row in ROWS])
    assert said.stored.dtype == np.int8 and said.stored.shape == exact.shape
    assert 0 < np.abs(said.scores - exact).max() < 0.06 * np.abs(exact).max()
    assert 500 < said.arena_bytes < 20_000


def test_every_row_is_answered_by_itself(micro_model, require) -> None:
    """The arena space of the input is reused: a row must not depend on those before it."""
    require("tflite-micro")
    file = MicroFile(micro_model)
    together = file({"history": ROWS[:4]})
    for row in range(4):
        np.testing.assert_array_equal(together[row], file({"history": ROWS[row : row + 1]})[0])
    assert len({tuple(scores) for scores in together.tolist()}) > 1


def test_the_scorer_of_a_micro_bundle_is_the_micro_interpreter(micro_bundle, micro_model, require) -> None:
    require("tflite-micro")
    recommender = Recommender.load(micro_bundle)
    micro = recommender.scorer()({"history": ROWS})
    litert = FileScores(LiteRtFile(micro_model))({"history": ROWS})
    np.testing.assert_array_equal(micro, MicroFile(micro_model)({"history": ROWS}))
    step = LiteRtFile(micro_model).signatures["score"].outputs["scores"].scale
    assert np.abs(micro - litert).max() <= 6 * step  # the two round differently
    assert len(recommender.recommend(["i4"], k=3).items) == 3


def test_without_the_wheel_the_error_says_what_to_install(micro_model, monkeypatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    message = r"model.tflite needs the micro interpreter, which is not installed: pip install 'kdrec\[micro\]'"
    with pytest.raises(RuntimeFileError, match=message):
        MicroFile(micro_model)({"history": ROWS})


def worker(tmp_path, monkeypatch, code: str) -> None:
    (tmp_path / "worker.py").write_text(code)
    monkeypatch.setattr(micro_process, "WORKER", tmp_path / "worker.py")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: True)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)", "the micro interpreter died of SIGSEGV; the file"),
        (
            "import sys\nsys.exit(\"Didn't find op for builtin opcode 'TILE'\")",
            "refused the file: Didn't find op for builtin opcode 'TILE'; `kdrec check` says which rule it breaks",
        ),
        ("raise SystemExit(3)", "refused the file: no reason given"),
        ("import time\ntime.sleep(30)", "the micro interpreter took longer than 2 seconds; give fewer rows"),
        (
            "import sys, numpy\nnumpy.save(sys.argv[1] + '/outputs.npy', numpy.zeros((1, 1, 12), 'int8'))",
            "the micro interpreter reported no arena size; update tflite-micro",
        ),
    ],
)
def test_what_goes_wrong_there_is_an_error_here(micro_model, tmp_path, monkeypatch, code: str, message: str) -> None:
    worker(tmp_path, monkeypatch, code)
    with pytest.raises(RuntimeFileError, match=message):
        MicroFile(micro_model, timeout=2.0)({"history": ROWS[:1]})


def test_a_file_of_several_graphs_is_refused(android_model) -> None:
    message = "model.tflite must have one graph with the signature 'score', it has 2 and recommend, score; export it"
    with pytest.raises(RuntimeFileError, match=message):
        MicroFile(android_model)


def test_a_device_stage_is_refused() -> None:
    model = tiny_models.coral((1, tiny_models.WIDTH), (tiny_models.N_ITEMS,))
    with pytest.raises(RuntimeFileError, match="'score' must take 'history' and return 'scores'; export it for the"):
        MicroFile(model)


def test_what_is_no_tflite_file() -> None:
    with pytest.raises(RuntimeFileError, match="model.tflite cannot be loaded: the bytes given"):
        MicroFile(b"nonsense")


def test_tokens_are_checked_because_firmware_does_not(micro_model) -> None:
    with pytest.raises(DataError, match="history must hold tokens from 0 to 12, received 99"):
        MicroFile(micro_model)({"history": np.array([[99]])})


def test_no_row_is_an_error(micro_model) -> None:
    with pytest.raises(RuntimeFileError, match="x must have at least one row, received none; give a history"):
        MicroFile(micro_model)({"history": ROWS[:0]})

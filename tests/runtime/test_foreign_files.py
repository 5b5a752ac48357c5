"""A file of unknown origin runs in a process of its own: whatever it does there is a named error here."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from kdrec.bench import bench
from kdrec.cli import app
from kdrec.data.interactions import Interactions
from kdrec.data.splits import given
from kdrec.errors import DataError, RuntimeFileError
from kdrec.evaluate_model import open_model
from kdrec.runtime import foreign
from kdrec.runtime.foreign import ForeignFile
from kdrec.runtime.interpreter import LiteRtFile
from kdrec.runtime.judge import file_scorer
from kdrec.runtime.scores import FileScores
from kdrec.tflite.read import parse
from kdrec.tflite.schema import operator_name
from kdrec.tflite.write import pack

DEMO = Path(__file__).parents[2] / "tflite_models" / "demo" / "android" / "model.tflite"
ONE = {"history": np.ones((1, 50), np.int32), "daypart": np.ones(1, np.int32)}


def deadly() -> bytes:
    """The demo's file with a scale at which a check of LiteRT's ADD ends the process: 1e38 in place of 0.01."""
    model = parse(DEMO)
    for graph in model.subgraphs:
        added = next(each for each in graph.operators if name_of(model, each) == "ADD")
        graph.tensors[added.outputs[0]].quantization.scale = np.array([1e38], np.float32)
    return pack(model)


def name_of(model, operator) -> str:
    return operator_name(model.operatorCodes[operator.opcodeIndex])


@pytest.fixture(scope="module")
def deadly_path(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("files") / "theirs.tflite"
    path.write_bytes(deadly())
    return path


def test_the_file_does_kill_who_runs_it(deadly_path) -> None:
    """Or the tests below would show nothing."""
    code = (
        "import sys, numpy as np; from kdrec.runtime.interpreter import LiteRtFile; from pathlib import Path\n"
        "file = LiteRtFile(Path(sys.argv[1]).read_bytes())\n"
        "file.run('score', {'history': np.ones((1, 50), np.int32), 'daypart': np.ones(1, np.int32)})"
    )
    done = subprocess.run([sys.executable, "-c", code, str(deadly_path)], capture_output=True)
    assert done.returncode < 0


def test_a_file_that_kills_litert_is_a_named_error(deadly_path) -> None:
    file = ForeignFile(deadly_path.read_bytes(), "theirs.tflite")
    message = (
        r"theirs.tflite crashed LiteRT \(SIGABRT\); the file was altered, or asks for what LiteRT cannot do: check"
    )
    with pytest.raises(RuntimeFileError, match=message):
        file.run("score", ONE)
    with pytest.raises(RuntimeFileError, match="theirs.tflite crashed LiteRT before; open the file again"):
        file.run("score", ONE)


def test_the_scorer_of_a_file_survives_it(deadly_path) -> None:
    scorer = file_scorer(deadly_path)
    with pytest.raises(RuntimeFileError, match=r"theirs.tflite crashed LiteRT \(SIGABRT\)"):
        scorer({"history": np.array([[1, 2]]), "daypart": np.array([1])})


def test_judging_it_and_the_commands_survive_it(deadly_path) -> None:
    log = Interactions([0, 0], [0, 1], ["u"], np.arange(1200), times=[1, 2])
    opened = open_model(str(deadly_path), given(log, log.select(np.zeros(2, bool)), log.select(np.zeros(2, bool))))
    with pytest.raises(RuntimeFileError, match=r"theirs.tflite crashed LiteRT \(SIGABRT\)"):
        opened.scorer({"history": np.array([[1, 2]]), "daypart": np.array([1])})
    for command in (["check", "--target", "android"], ["inspect"]):  # they read the file, and do not run it
        done = CliRunner().invoke(app, [command[0], str(deadly_path), *command[1:]], env={"COLUMNS": "400"})
        assert done.exit_code == 0, done.output
    with pytest.raises(RuntimeFileError, match=r"theirs.tflite crashed LiteRT \(SIGABRT\)"):
        bench(deadly_path, "score", runs=1, warmup=0)


def test_a_good_file_answers_as_in_this_process() -> None:
    here, there = (kind(DEMO.read_bytes(), "model.tflite") for kind in (LiteRtFile, ForeignFile))
    assert here.specs() == there.specs()
    rng = np.random.default_rng(0)
    for _ in range(3):
        inputs = {"history": rng.integers(0, 1201, (1, 50)).astype(np.int32), "daypart": np.array([2], np.int32)}
        for signature in here.signatures:
            one, other = here.run(signature, inputs), there.run(signature, inputs)
            assert set(one) == set(other)
            for name, array in one.items():
                np.testing.assert_array_equal(array, other[name])
    with pytest.raises(RuntimeFileError, match=r"input 'daypart' of 'score' must be int32 \(1,\), received int64"):
        there.run("score", {**inputs, "daypart": np.array([2])})
    with pytest.raises(RuntimeFileError, match="LiteRT failed in 'score': .*out of bounds"):
        there.run("score", {**inputs, "history": np.full((1, 50), 2**30, np.int32)})
    there.run("score", inputs)  # which it survived


def test_its_process_ends_with_the_file() -> None:
    file = ForeignFile(DEMO.read_bytes())
    number = file._process.pid
    os.kill(number, 0)
    del file
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"nonsense", "m.tflite cannot be loaded: .*TFL3"),
        (DEMO.read_bytes()[:20_000], "m.tflite cannot be loaded: "),
    ],
)
def test_a_damaged_file_is_refused_before_it_reaches_litert(content, message, monkeypatch) -> None:
    monkeypatch.setattr(foreign, "WORKER", Path("/nowhere"))
    with pytest.raises(RuntimeFileError, match=message):
        ForeignFile(content, "m.tflite")


@pytest.mark.parametrize(
    ("worker", "message"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", r"m.tflite crashed LiteRT \(SIGSEGV\); the file"),
        ("raise ImportError('no LiteRT')", "m.tflite ended LiteRT's process: ImportError: no LiteRT; the file was"),
        ("import time; time.sleep(60)", "m.tflite took LiteRT longer than 2 seconds; give a smaller file"),
        ("print('gibberish'); import time; time.sleep(60)", "answer what cannot be read"),
        ('print(\'{"arrays": {"a": ["object", [3]]}}\', \'x\' * 99)', "answer what cannot be read"),
        ("print('x' * 3_000_000)", r"answer what cannot be read \(a line without end\)"),
    ],
)
def test_whatever_its_process_does_is_an_error_here(worker, message, monkeypatch, tmp_path) -> None:
    (tmp_path / "worker.py").write_text(worker)
    monkeypatch.setattr(foreign, "WORKER", tmp_path / "worker.py")
    with pytest.raises(RuntimeFileError, match=message):
        ForeignFile(DEMO.read_bytes(), "m.tflite", timeout=2.0 if "longer" in message else 60.0)


def test_threads_are_checked() -> None:
    with pytest.raises(DataError, match="num_threads must be an integer of at least 1, received 0; use 1"):
        ForeignFile(DEMO.read_bytes(), num_threads=0)


def test_a_scorer_of_a_file_runs_it_there_with_the_same_scores() -> None:
    scorer = file_scorer(DEMO)
    assert isinstance(scorer._file, ForeignFile)
    x = {"history": np.array([[3, 4], [5, 600]]), "daypart": np.array([0, 4])}
    np.testing.assert_array_equal(scorer(x), FileScores(LiteRtFile(DEMO.read_bytes()))(x))

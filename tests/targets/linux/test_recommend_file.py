"""The one Python file for arm64 Linux, run here by itself: its lists are kdrec's, and it says what is wrong."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from kdrec.bundle.items import Items
from kdrec.bundle.read import open_bundle
from kdrec.bundle.write import write_bundle
from kdrec.cli import app
from kdrec.device_code import write_code
from kdrec.runtime import Recommender
from kdrec.targets.linux_arm64.backends.python.recommend import Recommender as Alone
from kdrec.targets.linux_arm64.backends.python.recommend import context_value
from kdrec.tflite.oldest_runtime import MeasuredRuntime, Runtime

DEMO = Path(__file__).parents[3] / "tflite_models/demo"
IDS = open_bundle(DEMO / "android").items.ids
GOLDEN = json.loads((DEMO / "android/golden.json").read_text())["cases"]
QUESTIONS: list[dict] = [
    *({"history": [IDS[token - 1] for token in case["inputs"]["history"] if token]} for case in GOLDEN),
    {"history": list(IDS[:70]), "k": 3},
    {"history": ["I0012", "nothing", "I0007", "I0012"], "context": {"daypart": "evening"}},
    {"history": np.array(["I0012"]), "context": {"daypart": "noon"}, "exclude": ["I0980", "nowhere"]},
    {"history": ["I0012", "I0007"], "exclude_history": False, "k": 100},
    {"history": ["I0012", "I0007"], "k": 101},
    {"history": ["I0012"], "candidates": [*IDS[40:90], "elsewhere"], "k": 20},
    {"history": [], "k": 1100},
    {"history": ["nothing"], "exclude": ["I0042"], "k": 5},
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Written from the Android bundle, whose file is the one that the target linux_arm64 has."""
    out = tmp_path_factory.mktemp("linux") / "recommender"
    write_code(DEMO / "android", out, "linux-arm64", "python")
    return out


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    """In a process of its own where nothing but numpy and LiteRT can be imported of what kdrec is built on."""
    hidden = ["kdrec", "tensorflow", "tf_keras", "keras", "pandas", "flatbuffers.util"]
    code = (
        f"import runpy, sys; sys.modules.update(dict.fromkeys({hidden})); sys.argv = sys.argv[1:]; "
        f"runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    command = [sys.executable, "-c", code, str(folder / "recommend.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder.parent)


def test_lists_are_those_of_kdrec(folder: Path) -> None:
    alone, whole = Alone(folder), Recommender.load(DEMO / "android")
    for question in QUESTIONS:
        found, expected = alone.recommend(**question), whole.recommend(**question)
        for name in found._fields:
            assert getattr(found, name) == (expected.fallback if name == "fallback" else list(getattr(expected, name)))


@pytest.mark.slow
def test_the_command_lists_items_and_titles(folder: Path) -> None:
    arguments = (
        "--history",
        "I0012",
        "--history",
        "I0007",
        "-k",
        "3",
        "--context",
        "daypart=evening",
        "--exclude",
        "I0260",
    )
    expected = Recommender.load(folder).recommend(
        ["I0012", "I0007"], 3, context={"daypart": "evening"}, exclude=["I0260"]
    )
    done = run(folder, *arguments)
    assert done.returncode == 0, done.stderr
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    assert [line[0] for line in lines] == list(expected.items)
    assert [line[1] for line in lines] == list(expected.titles)
    assert json.loads(run(folder, *arguments, "--json").stdout)["scores"] == list(expected.scores)


def test_golden_vectors_come_back_to_the_bit(folder: Path) -> None:
    done = run(folder, "--golden")
    said = "16 of 16 answers are equal to the bit; of their best ten items 100.0% are here, too\n"
    assert (done.returncode, done.stdout) == (0, said), done.stderr


def test_another_answer_is_seen(folder: Path) -> None:
    """Of 16 golden vectors one score, one in-graph list, and two of ten items of one list are others."""
    alone = Alone(folder)
    golden = json.loads(alone.files["golden.json"])
    golden["cases"][2]["outputs"]["score"]["sha256"] = "0" * 64
    golden["cases"][3]["outputs"]["recommend"]["items"].reverse()
    golden["cases"][5]["outputs"]["score"]["top"][4:6] = [-1, -2]
    alone.files["golden.json"] = json.dumps(golden).encode()
    assert alone.golden() == (16, 14, pytest.approx((15 + 0.8) / 16))


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("model.tflite", lambda old: old[:-1] + bytes([old[-1] ^ 1]), "model.tflite was altered: its sha256"),
        ("manifest.json", lambda old: old.replace(b'"length": 50', b'"length": 49'), "was altered: its own sha256"),
        ("manifest.json", lambda old: old.replace(b'"schema": 1', b'"schema": 3'), "has schema 3, newer than 2"),
        ("items.json", lambda old: None, "items.json is missing, though manifest.json lists it; copy the whole folder"),
        ("manifest.json", lambda old: None, "manifest.json is missing; copy the whole folder again"),
    ],
)  # fmt: skip
def test_an_altered_bundle_is_refused(tmp_path: Path, name: str, change, message: str) -> None:
    write_code(DEMO / "android", tmp_path / "copy", "linux_arm64", "python")
    path = tmp_path / "copy" / name
    content = change(path.read_bytes())
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        Alone(tmp_path / "copy")


def test_the_runtimes_that_were_measured_are_sealed(tmp_path: Path) -> None:
    named = MeasuredRuntime(Runtime("tflite-runtime", "2.14.0"), Runtime("ai-edge-litert", "2.0.3"))
    bundle = open_bundle(DEMO / "android")
    write_bundle(tmp_path, bundle.files, replace(bundle.manifest, runtime=named))
    assert Alone(tmp_path).manifest["runtime"]["runs_from"] == {"package": "tflite-runtime", "version": "2.14.0"}
    path = tmp_path / "manifest.json"
    path.write_bytes(path.read_bytes().replace(b"2.14.0", b"2.13.0"))
    with pytest.raises(ValueError, match="was altered: its own sha256"):
        Alone(tmp_path)


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ({"history": "I0012"}, "history must be a list of item ids, received 'I0012'; put ids into a list"),
        ({"history": ["I0012"], "k": 1200}, "k must be from 1 to 1199, the items that may be listed, received 1200"),
        ({"history": ["I0012"], "k": 0}, "k must be from 1 to 1199"),
        ({"history": [], "context": {"device": "tv"}}, "context has no 'device', the model takes daypart; leave"),
    ],
)
def test_wrong_arguments_are_named(folder: Path, question: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Alone(folder).recommend(**question)


def test_the_command_names_them_too(folder: Path) -> None:
    done = run(folder, "--history", "I0012", "-k", "0")
    assert done.returncode == 2 and "error: k must be from 1 to 1199" in done.stderr
    with pytest.raises(ValueError, match="--context must be NAME=VALUE, received 'evening'"):
        context_value("evening", {})
    assert context_value("hour=9", {"hour": [9, 21]}) == ("hour", 9)


def test_ids_are_of_the_catalogue_s_type(folder: Path) -> None:
    alone = Alone(folder)
    assert alone.id_of("7") == "7"
    alone.ids = Items.of([7, 9], ["Tent", "Kettle"], []).ids
    assert alone.id_of("7") == 7
    with pytest.raises(ValueError, match="an item id must be an integer like 7, received 'I7'"):
        alone.id_of("I7")


def test_what_is_written_and_refused(folder: Path, tmp_path: Path) -> None:
    assert (folder / "requirements.txt").read_text() == "numpy\nai-edge-litert==2.3.0\n"
    readme = (folder / "README.md").read_text()
    assert "recommend.py --history I0000 --history I0001" in readme and "(['I0000', 'I0001'], k=5)" in readme
    assert open_bundle(folder).manifest == open_bundle(DEMO / "android").manifest
    arguments = ["--target", "linux_arm64", "--backend", "python", "--out", str(tmp_path / "out")]
    for source, message in (
        ("micro", "manifest.json must name the target linux_arm64, it names micro"),
        (
            "android/model.tflite",
            "recommend.py needs titles and checksums beside the file; give the folder of a bundle",
        ),
    ):
        done = CliRunner().invoke(app, ["export", str(DEMO / source), *arguments], env={"COLUMNS": "500"})
        assert done.exit_code == 2 and message in done.output

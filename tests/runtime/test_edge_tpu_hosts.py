"""The hosts written for an Edge TPU, in Python and in C++, against kdrec's own Recommender on the same bundle."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from host_programs import LITERT, Ask, ask_cpp, ask_python, build, build_common, build_doubles, run_cpp

from kdrec import targets
from kdrec.bundle import DataSource, HistoryInput, Items, Manifest, golden, open_bundle, write_bundle
from kdrec.bundle.golden import Answer
from kdrec.device_code import write_code
from kdrec.errors import TargetError
from kdrec.runtime import Recommender
from kdrec.runtime.judge import judge
from kdrec.targets.coral_edgetpu.backends.hosts import hosts
from kdrec.targets.coral_edgetpu.prepare import script

pytestmark = pytest.mark.slow
DEMO = Path(__file__).parents[2] / "tflite_models" / "demo" / "coral_edgetpu"
MANY, LENGTH = 6_000, 8


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Callable[[], Path]:
    """Makes what all programs share, once, and not before somebody who has g++ asks for it."""
    return cache(lambda: build_common(tmp_path_factory.mktemp("common")))


@pytest.fixture
def common(built, require) -> Path:
    require("g++")
    return built()


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "hosts"
    write_code(DEMO, folder, "coral_edgetpu", "hosts")
    return folder


@pytest.fixture
def program(common, demo) -> Path:
    return demo / "recommend" if (demo / "recommend").exists() else build(common, demo)


@pytest.fixture(scope="module")
def large(tmp_path_factory) -> Path:
    """6,000 items × 16 in three matrices, untrained: integers as ids, attention, and items that share a rare row."""
    from kdrec.compress import recipes
    from kdrec.export import ExportJob, export
    from kdrec.models.students.history import history

    rng = np.random.default_rng(3)
    student = history(
        MANY, embedding_dim=16, history_length=LENGTH, hidden=16, encoder="attention", encoder_options={"heads": 2},
        context={"hour": 3}, unranked=1,
    )  # fmt: skip
    for layer in student.layers:
        layer.set_weights([weight + rng.normal(size=weight.shape) * 0.2 for weight in layer.get_weights()])
    table = student.get_layer("item_table").get_weights()[0]
    table[0] = 0
    student.get_layer("item_table").set_weights([table])
    examples = {
        "history": rng.integers(1, MANY + 2, (40, LENGTH)).astype(np.int32),
        "hour": rng.integers(0, 4, 40).astype(np.int32),
    }
    device = targets.get("coral_edgetpu")
    job = ExportJob(
        device.name, recipes.get("int8"), device.signatures, device.topk, device.one_subgraph, device.lookup,
        device.max_fc_outputs,
    )  # fmt: skip
    exported = export(student, job, examples)
    items = Items.of([10 * n for n in range(MANY)], [f"Title {n}\twith tab" for n in range(MANY)], [5, 3], [7, 13])
    manifest = Manifest(
        name="large", target=device.name, recipe="int8", kdrec="0.1.0", libraries={},
        data=DataSource("large", "ab" * 32, MANY, MANY + 2), history=HistoryInput(LENGTH, True, MANY + 1),
        context={"hour": (6, 12, 18)}, files={}, signatures=exported.signatures, oracle="litert", host=exported.host,
    )  # fmt: skip
    files = {**exported.files, "items.json": items.to_json()}
    cases = [{"history": examples["history"][0].tolist(), "hour": [1]}]
    files["golden.json"] = golden.make("litert", cases, judge(manifest, files).answers)
    folder = tmp_path_factory.mktemp("large") / "bundle"
    write_bundle(folder, files, manifest)
    return folder


def expected(recommender: Recommender, ask: Ask) -> list:
    """What kdrec's own runtime lists, as the hosts print it."""
    found = recommender.recommend(ask.history, ask.k, exclude=ask.exclude, context=ask.context)
    titles = [" ".join(title.split()) for title in found.titles]
    return [list(row) for row in zip(map(str, found.items), found.scores, titles, strict=True)]


def check(recommender: Recommender, asks: list[Ask], said: list) -> None:
    for ask, (listed, _) in zip(asks, said, strict=True):
        wanted = expected(recommender, ask)
        assert [item for item, _, _ in listed] == [item for item, _, _ in wanted]
        np.testing.assert_array_equal([np.float32(row[1]) for row in listed], [np.float32(row[1]) for row in wanted])
        assert [" ".join(title.split()) for _, _, title in listed] == [title for _, _, title in wanted]


ASKS = [
    Ask(["I0012", "I0007"], 5, context={"daypart": "evening"}),
    Ask(["I0003"] * 70 + ["I1199", "nothing", "I0000"], 12, ["I0001", "nothing"]),  # longer than the file reads
    Ask([f"I{n:04}" for n in range(0, 1200, 20)], 1140),  # all that are left
    Ask(["I0500"], 3, context={"daypart": "an unknown one"}),
    Ask([], 7, ["I0042"], {"daypart": "night"}),  # the most popular ones
    Ask(["nothing"], 1199, ["I0042"]),
]


def test_both_hosts_recommend_what_kdrec_does(demo, program) -> None:
    recommender = Recommender.load(DEMO)
    for device, said in (ask_cpp(program, ASKS), ask_python(demo, ASKS)):
        assert device == "CPU, LiteRT"
        check(recommender, ASKS, said)


def test_both_hosts_replay_the_golden_vectors(demo, program) -> None:
    bundle = open_bundle(DEMO)
    edge, values = bundle.manifest.signatures["score"].outputs["scores"], bundle.manifest.context["daypart"]

    def answers(ask_host):
        def run(cases) -> list[Answer]:
            asks = [
                Ask(
                    [bundle.items.ids[token - 1] for token in case["history"] if token], 1,
                    context={"daypart": ("none", *values)[case["daypart"][0]]}, scores=True,
                )
                for case in cases
            ]  # fmt: skip
            scores = [np.array(scores, np.float32) for _, scores in ask_host(asks)[1]]
            stored = [np.round(each / np.float32(edge.scale) + edge.zero_point).astype(np.int8) for each in scores]
            return [Answer(*each) for each in zip(scores, stored, strict=True)]

        return run

    assert golden.replay(bundle.files["golden.json"], answers(lambda asks: ask_cpp(program, asks))) == []
    assert golden.replay(bundle.files["golden.json"], answers(lambda asks: ask_python(demo, asks))) == []


def test_a_catalogue_of_several_matrices_gives_the_same_ids(common, large, tmp_path) -> None:
    manifest = open_bundle(large).manifest
    assert [spec.shape for spec in manifest.signatures["score"].outputs.values()] == [(1, MANY // 3)] * 3
    write_code(large, tmp_path / "hosts", "coral_edgetpu", "hosts")
    rng = np.random.default_rng(4)
    asks = [
        Ask((10 * rng.integers(0, MANY, n)).tolist(), 15, [10 * n], {"hour": hour})
        for n, hour in ((1, 6), (5, 18), (8, 7), (20, 12))
    ]
    asks += [Ask([7, 20, 13], 9), Ask([7], 4, [50]), Ask([], 4)]  # 7 and 13 are rare: read, and never listed
    recommender = Recommender.load(large)
    for _, said in (ask_cpp(build(common, tmp_path / "hosts"), asks), ask_python(tmp_path / "hosts", asks)):
        check(recommender, asks, said)
    shards = {int(item) // (10 * MANY // 3) for ask in asks for item, _, _ in expected(recommender, ask)}
    assert shards == {0, 1, 2}


@pytest.mark.parametrize("coral_bundle", ["lookup"], indirect=True)
def test_rows_that_the_device_pools(common, coral_bundle, tmp_path) -> None:
    write_code(coral_bundle, tmp_path / "hosts", "coral_edgetpu", "hosts")
    asks = [Ask(["i4", "i1"], 3), Ask([f"i{n}" for n in (2, 9, 3, 0, 5, 7)], 6)]
    for _, said in (ask_cpp(build(common, tmp_path / "hosts"), asks), ask_python(tmp_path / "hosts", asks)):
        check(Recommender.load(coral_bundle), asks, said)


def test_a_delegate_gets_the_compiled_file_and_answers_alike(common, program, demo, tmp_path, require) -> None:
    """The libraries are doubles: they prove that the hosts find and call them, not that an Edge TPU computes."""
    require("gcc")
    folder = shutil.copytree(demo, tmp_path / "hosts")
    build_doubles(common, folder, tmp_path)
    program = folder / program.name
    asks = ASKS[:2]
    without, _ = ask_cpp(program, asks, tmp_path, LITERT)
    assert without == "CPU, LiteRT"  # a library, but no file that was compiled for it
    shutil.copy(folder / "model.tflite", folder / "model_edgetpu.tflite")
    for device, said in (ask_cpp(program, asks, tmp_path, LITERT), ask_python(folder, asks, tmp_path)):
        assert device == "Edge TPU"
        check(Recommender.load(DEMO), asks, said)
    unplugged = run_cpp(program, ["--history", "I0001"], tmp_path, LITERT, NO_EDGE_TPU="1")
    assert unplugged.returncode == 0 and "device: CPU, LiteRT" in unplugged.stderr


def test_what_the_hosts_refuse(demo, program, tmp_path) -> None:
    wrong = {
        "k must be from 1 to 1199, the items that may be listed, received 1200": ["--history", "I0001", "-k", "1200"],
        "the model knows no context city; leave it out": ["--context", "city=Bern"],
    }
    python = [sys.executable, str(demo / "recommend.py")]
    for message, arguments in wrong.items():
        for done in (run_cpp(program, arguments, LITERT), subprocess.run([*python, *arguments], **CAPTURED)):
            assert done.returncode == 2 and f"error: {message}" in done.stderr
    nowhere = run_cpp(program, ["--history", "I0001"], tmp_path)
    assert nowhere.returncode == 2 and "neither libLiteRt.so nor libtensorflowlite_c.so can be loaded" in nowhere.stderr
    folder = shutil.copytree(demo, tmp_path / "cut")
    (folder / "host_table.npy").write_bytes((demo / "host_table.npy").read_bytes()[:-1])
    done = run_cpp(folder / "recommend", ["--history", "I0001"], LITERT)
    assert done.returncode == 2 and "host_table.npy must be an int8 matrix of numpy; copy the bundle" in done.stderr
    done = subprocess.run([sys.executable, str(folder / "recommend.py"), "--history", "I0001"], **CAPTURED)
    assert done.returncode == 2 and "host_table.npy was altered: its sha256 is not the manifest's" in done.stderr
    for old, new, said in (
        (b'"name": "demo"', b'"name": "demi"', "manifest.json was altered: its own sha256 does not fit"),
        (b'"schema": 1', b'"schema": 3', "manifest.json has schema 3, newer than 2: export it again"),
    ):
        (folder / "manifest.json").write_bytes((demo / "manifest.json").read_bytes().replace(old, new))
        done = subprocess.run([sys.executable, str(folder / "recommend.py"), "--history", "I0001"], **CAPTURED)
        assert done.returncode == 2 and said in done.stderr


def test_a_bundle_without_a_script_gets_one_and_others_keep_theirs(demo, tmp_path) -> None:
    bundle = open_bundle(DEMO)
    older = {name: content for name, content in bundle.files.items() if name != "compile.sh"}
    assert hosts(older["model.tflite"], replace(bundle, files=older))["compile.sh"] == script()
    own = {**older, "compile.sh": b"#!/bin/sh\n"}
    assert hosts(own["model.tflite"], replace(bundle, files=own))["compile.sh"] == b"#!/bin/sh\n"
    assert Recommender.load(demo).recommend(["I0001"], 3) == Recommender.load(DEMO).recommend(["I0001"], 3)
    command = next(line for line in script().decode().splitlines() if line.startswith("edgetpu_compiler"))
    assert f"`{command}`" in (demo / "README.md").read_text()


def test_what_no_host_can_be_written_for() -> None:
    bundle = open_bundle(DEMO)
    model, manifest = bundle.files["model.tflite"], bundle.manifest
    score = manifest.signatures["score"]
    wide = replace(score.outputs["scores"], dtype="float32", scale=None, zero_point=None)
    signatures = {"score": replace(score, outputs={"scores": wide})}
    with pytest.raises(TargetError, match="scores must be int8 for the hosts of an Edge TPU, it is float32; export"):
        hosts(model, replace(bundle, manifest=replace(manifest, signatures=signatures)))
    items = Items.of([f"I{n}\n" for n in range(1200)], ["title"] * 1200, [])
    with pytest.raises(TargetError, match=r"item ids must be printable for the hosts of an Edge TPU, received 'I0\\n'"):
        hosts(model, replace(bundle, items=items))


CAPTURED = {"capture_output": True, "text": True}

"""Thousands of damaged files: each is refused by a named error or says something; none ends or stops the process."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from mutants import MUTATIONS, mutants

from kdrec import targets
from kdrec.bench.inspect import inspect_file
from kdrec.bench.latency import bench
from kdrec.bundle import Items, Manifest, open_bundle
from kdrec.errors import BundleError, KdrecError
from kdrec.runtime.judge import file_scorer
from kdrec.runtime.micro_process import arena_bytes
from kdrec.runtime.unnamed import with_score
from kdrec.targets.base import check, estimate
from kdrec.targets.base.vela import compiled
from kdrec.tflite.read import parse
from kdrec.tflite.sizes import sizes
from kdrec.tflite.views import read
from kdrec.tflite.write import pack

DEMO = Path(__file__).parents[1] / "tflite_models" / "demo"
CORAL, MICRO = (DEMO / name / "model.tflite" for name in ("coral_edgetpu", "micro"))
TARGETS = [targets.get(name) for name in targets.names()]

pytestmark = pytest.mark.slow


def outcome(work) -> bool:
    """Whether it was done; False for an error that kdrec raises on purpose, any other one goes through."""
    try:
        work()
    except KdrecError as error:
        assert str(error)
        return False
    return True


@pytest.mark.timeout(120)
def test_a_thousand_files_are_checked_or_refused() -> None:
    """Half of them small, so that most mutations meet the structure and not the weights."""
    files = [*mutants(without_weights(CORAL.read_bytes()), 700, seed=0), *mutants(MICRO.read_bytes(), 300, seed=1)]
    done = 0
    for number, content in enumerate(files):
        target = TARGETS[number % len(TARGETS)]
        done += outcome(lambda content=content, target=target: (check(content, target), estimate(content, target)))
    assert 100 < done < 900


@pytest.mark.timeout(120)
def test_other_readers_of_files_refuse_or_answer(tmp_path) -> None:
    path = tmp_path / "model.tflite"
    readers = (
        lambda _: inspect_file(path),
        lambda content: sizes(content, 1200),
        lambda content: with_score(content, "m"),
    )
    done = [0] * len(readers)
    for content in mutants(without_weights(CORAL.read_bytes()), 150, seed=2):
        path.write_bytes(content)
        for place, reader in enumerate(readers):
            done[place] += outcome(lambda reader=reader, content=content: reader(content))
    assert all(0 < times < 150 for times in done[:2])


def without_weights(content: bytes) -> bytes:
    """The file with its large matrices cut to nothing: graphs, names and scales are left."""
    model = parse(content)
    for buffer in model.buffers:
        if buffer.data is not None and len(buffer.data) > 256:
            buffer.data = buffer.data[:4]
    return pack(model)


def test_a_thousand_manifests_are_refused_or_say_the_same() -> None:
    content = (DEMO / "coral_edgetpu" / "manifest.json").read_bytes()
    whole, refused = Manifest.from_json(content), 0
    for mutant in mutants(content, 1000, seed=3):
        try:
            assert Manifest.from_json(mutant) == whole
        except BundleError as error:
            assert "manifest.json" in str(error)
            refused += 1
    assert refused > 900


def test_a_thousand_catalogues_are_refused_or_are_catalogues() -> None:
    content = Items.of(list(range(40)), [f"Item {n} ü" for n in range(40)], [3, 1, 2]).to_json()
    refused = 0
    for mutant in mutants(content, 1000, seed=4):
        try:
            items = Items.from_json(mutant)
        except BundleError as error:
            assert "items.json" in str(error)
            refused += 1
            continue
        assert len(items.ids) == len(items.titles) == len(set(items.ids))
        assert all(title.encode() is not None for title in items.titles)
        assert Items.from_json(items.to_json()) == items
    assert refused > 500


def test_a_bundle_with_an_altered_file_is_refused(tmp_path) -> None:
    """By its checksum, whichever file it is: no list comes of it."""
    folder = shutil.copytree(DEMO / "micro", tmp_path / "micro")
    for name in ("items.json", "model.tflite", "golden.json"):
        content = (folder / name).read_bytes()
        for mutant in mutants(content, 2 * len(MUTATIONS), seed=5):
            (folder / name).write_bytes(mutant)
            with pytest.raises(BundleError, match=f"{name} (must have|was altered)"):
                open_bundle(folder)
        (folder / name).write_bytes(content)
    assert open_bundle(folder).manifest.target == "micro"


@pytest.mark.timeout(120)
def test_runtimes_meet_damaged_files_in_processes_of_their_own(tmp_path, require) -> None:
    """Files that the readers let through: weights, scales and shapes that are somebody else's."""
    require("tflite-micro")
    require("ethosu")
    path = tmp_path / "model.tflite"
    readable = [each for each in mutants(MICRO.read_bytes(), 60, seed=6) if outcome(lambda each=each: read(each))]
    for content in readable[-3:]:
        path.write_bytes(content)
        outcome(lambda: bench(path, runs=1, warmup=0))
        outcome(lambda: file_scorer(path)({"history": np.array([[1, 2]]), "daypart": np.array([1])}))
        outcome(lambda content=content: arena_bytes(content, timeout=60))
        outcome(lambda content=content: compiled(content, "ethos-u55-128", timeout=60))

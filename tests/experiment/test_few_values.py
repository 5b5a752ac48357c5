"""2:4 pruning, clustering and training under rounding, one after another: what is left of each in the shipped table."""

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from small_log import ITEMS, small, write_small_log

from kdrec import experiment
from kdrec.compare import variants
from kdrec.compression import check_steps
from kdrec.config import Config
from kdrec.errors import DataError
from kdrec.preflight import check_names
from kdrec.tflite.read import parse
from kdrec.tflite.views import view

WIDTH, CLUSTERS = 8, 5


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """All three steps, and the same pruned student written without rounding."""
    folder = tmp_path_factory.mktemp("few")
    write_small_log(folder)
    steps = {"sparsity_pattern": "2:4", "clusters": CLUSTERS, "cluster_epochs": 1, "quantize_epochs": 1}
    config = small(folder, embedding_dim=WIDTH, epochs=1, targets=("android",), **steps)
    log = ("tensorboard",) if find_spec("tensorboard") else ()
    report = experiment.run(config, folder / "out", folder / "work", log=log)
    whole = replace(config, clusters=None, quantize_epochs=0, recipe="float32")
    experiment.run(whole, folder / "float", folder / "work")
    return folder, report


def shipped(folder: Path) -> np.ndarray:
    """The stored item table, without its padding row: (items, width)."""
    path = folder / "android" / "model.tflite"
    tables = {
        tensor.buffer: tensor
        for graph in view(parse(path), path.stat().st_size).subgraphs
        for tensor in graph.tensors
        if tensor.is_constant and tensor.shape == (ITEMS + 1, WIDTH)
    }
    (table,) = tables.values()
    return table.data.view(table.dtype).reshape(table.shape)[1:]


def left_by(folder: Path, stage: str) -> np.ndarray:
    """The item table of a stage, without its padding row, which must be zero."""
    (place,) = (folder / "work").glob(f"{stage}-*")
    with np.load(place / "weights.npz") as stored:
        table = next(stored[name] for name in stored.files if stored[name].shape == (ITEMS + 1, WIDTH))
    assert np.all(table[0] == 0)
    return table[1:]


@pytest.mark.slow
@pytest.mark.usefixtures("eagerly_in_module")
def test_two_of_every_four_along_a_row_are_zero(ran):
    folder, report = ran
    table = shipped(folder / "float")
    assert table.dtype == np.float32 and np.array_equal(table, left_by(folder, "pruned"))
    assert np.all(np.sum(table.reshape(-1, 4) == 0, axis=1) == 2)
    assert np.any(np.sum(table.T.reshape(-1, 4) == 0, axis=1) != 2)


@pytest.mark.slow
@pytest.mark.usefixtures("eagerly_in_module")
def test_few_values_in_the_file_and_zeros_that_stay(ran):
    folder, report = ran
    names = [stage["name"] for stage in report["stages"]]
    assert names.index("pruned") < names.index("clustered") < names.index("quantized") < names.index("export")
    pruned, clustered = left_by(folder, "pruned"), left_by(folder, "clustered")
    table = shipped(folder / "out")
    assert table.dtype == np.int8 and 3 <= len(np.unique(table)) <= CLUSTERS
    assert np.all(clustered[pruned == 0] == 0) and np.all(table[pruned == 0] == 0)
    for value in np.unique(clustered):
        assert len(np.unique(table[clustered == value])) == 1
    assert np.any(np.unique(clustered) != np.unique(left_by(folder, "quantized")))


@pytest.mark.slow
@pytest.mark.usefixtures("eagerly_in_module")
def test_the_report_has_the_step(ran):
    folder, report = ran
    kept = [row["name"] for row in report["rows"]]
    assert kept[-4:] == ["pruned", "clustered", "quantized", "int8_android"]
    assert len(report["curves"]["clustered"]) == 1
    assert "Student, clustered" in (folder / "out" / "report.html").read_text()


@pytest.mark.slow
@pytest.mark.usefixtures("eagerly_in_module")
def test_every_training_is_logged(ran, require):
    require("tensorboard")
    folder, report = ran
    logged = {path.name.partition("-")[0] for path in (folder / "work" / "logs").iterdir()}
    assert logged == {"run", *(name for name, curve in report["curves"].items() if curve)}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sparsity_pattern": "2:4", "sparsity": 0.3}, "sparsity must be 0.5 for sparsity_pattern '2:4', not 0.3"),
        ({"sparsity_pattern": "4:2"}, "sparsity_pattern must say how many of how many .* 2:4, not '4:2'"),
        ({"sparsity_pattern": "2:4", "embedding_dim": 30}, "embedding_dim must be a multiple of 4 for .* not 30"),
        (
            {"sparsity_pattern": "2:4", "pruning_schedule": "constant"},
            "pruning_schedule='constant' has no effect: TFMOT chooses the zeros of sparsity_pattern 2:4 at once",
        ),
        ({"pruning_schedule": "sudden"}, "pruning_schedule must be one of polynomial, constant, not 'sudden'"),
        ({"clusters": 2}, "clusters must be at least 3, zero and one on either side, not 2"),
        (
            {"clusters": 8, "steps": ("cluster", "prune")},
            "steps must have 'prune' before 'cluster', not cluster, prune: it would give every weight a value",
        ),
    ],
)
def test_contradictions_are_refused_before_anything_is_read(options, message):
    with pytest.raises(DataError, match=message):
        check_names(Config(**options))


def test_training_under_rounding_may_follow_clustering_or_not():
    check_steps(Config(clusters=8, quantize_epochs=1, steps=("prune", "quantize", "cluster")))
    check_steps(Config(clusters=8, sparsity=0.0, quantize_epochs=1, steps=("cluster", "prune", "quantize")))


def test_a_comparison_has_clusters_where_it_says_so():
    found = variants(Config(clusters=8, sparsity_pattern="2:4"))
    assert {name for name, config in found.items() if config.clusters} == {
        "distillation, clustering, quantization", "distillation, pruning, clustering, quantization"
    }  # fmt: skip
    for name, config in found.items():
        assert (config.sparsity_pattern == "2:4") == ("pruning" in name)

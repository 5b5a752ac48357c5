"""The steps after distillation: which are taken, in which order."""

from functools import partial
from shutil import rmtree

import numpy as np
import pytest
from small_log import ITEMS, small, write_small_log

from kdrec import experiment, procedures
from kdrec.bundle.read import open_bundle
from kdrec.compression import STEPS, check_shrink, check_steps, final
from kdrec.config import STEPS as IN_CONFIG
from kdrec.config import Config
from kdrec.errors import DataError
from kdrec.search.space import least_bytes
from kdrec.stages import Stages, curve_of
from kdrec.steps import make_deterministic
from kdrec.tflite.sizes import sizes
from kdrec.tflite.views import read


def test_configuration_and_table_name_the_same_steps():
    assert tuple(STEPS) == IN_CONFIG


def test_a_step_that_is_asked_for_must_have_its_place():
    with pytest.raises(DataError, match="steps must name 'prune', which is asked for, not quantize alone"):
        check_steps(Config(sparsity=0.5, steps=("quantize",)))
    check_steps(Config(sparsity=0.0, steps=()))


def test_no_step_of_that_name():
    with pytest.raises(
        DataError, match="no 'melt'; it has distill, shrink, table, vocabulary, prune, cluster, quantize"
    ):
        check_steps(Config(steps=("melt", "prune")))


@pytest.mark.parametrize("steps", [("prune", "vocabulary"), ("quantize", "prune", "vocabulary")])
def test_a_catalogue_is_cut_before_anything_that_its_training_would_undo(steps):
    config = Config(vocabulary=100, sparsity=0.5, quantize_epochs=1 * ("quantize" in steps), steps=steps)
    with pytest.raises(DataError, match="steps must name 'vocabulary' before prune and quantize, .* not " + steps[0]):
        check_steps(config)
    check_steps(Config(vocabulary=100, sparsity=0.0, steps=steps))
    check_steps(Config(sparsity=0.5, steps=steps))


@pytest.mark.parametrize("options", [{"clusters": 8}, {"quantize_epochs": 1}])
def test_a_student_is_distilled_before_it_has_the_numbers_of_a_file(options):
    step = "cluster" if "clusters" in options else "quantize"
    with pytest.raises(DataError, match=f"steps must name 'distill' before '{step}', whose values it would undo, not "):
        check_steps(Config(sparsity=0.0, steps=(step, "distill"), **options))
    check_steps(Config(sparsity=0.5, steps=("prune", "distill", step), **options))


def test_no_step_twice():
    with pytest.raises(DataError, match="steps must name none twice"):
        Config(steps=("prune", "prune"))


@pytest.mark.slow
@pytest.mark.usefixtures("eagerly")
def test_steps_are_taken_in_the_order_that_is_given(tmp_path):
    write_small_log(tmp_path)
    steps = {"prune_epochs": 1, "quantize_epochs": 1, "steps": ("quantize", "prune")}
    config = small(tmp_path, sparsity=0.5, epochs=1, targets=("android",), **steps)
    report = experiment.run(config, tmp_path / "out", tmp_path / "work")
    stages = [stage["name"] for stage in report["stages"]]
    assert stages.index("quantized") < stages.index("pruned") < stages.index("export")
    kept = {row["name"]: row["sparsity"] for row in report["rows"]}
    assert kept["quantized"] < 0.4 and kept["pruned"] == pytest.approx(0.5, abs=0.05)


@pytest.mark.slow
@pytest.mark.usefixtures("eagerly")
def test_a_student_is_pruned_and_then_distilled(tmp_path):
    """What stands before distillation hears no teacher; distillation keeps the zeros, and changes the rest."""
    write_small_log(tmp_path)

    config = small(
        tmp_path,
        epochs=1,
        prune_epochs=1,
        cuts_per_user=2,
        sampled_histories=0.5,
        steps=("prune", "distill"),
    )
    stages = Stages(tmp_path / "work")
    found = experiment.students(stages, *procedures.read(stages, config), config, plain=False).students
    assert list(found) == ["student", "student_distilled", "pruned_alone", "distilled_later"]
    heard = {name: curve_of(form.stage.folder)[0]["distillation_loss"] > 0 for name, form in found.items()}
    assert heard == {name: "distilled" in name for name in found}
    tables = {name: np.load(form.stage.folder / "weights.npz")["w0"] for name, form in found.items()}
    zeros = tables["pruned_alone"] == 0
    assert np.mean(zeros) == pytest.approx(0.5, abs=0.05)
    assert np.array_equal(tables["distilled_later"] == 0, zeros)
    assert not np.allclose(tables["distilled_later"], tables["pruned_alone"], atol=1e-3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"shrink_dim": 32}, "shrink_dim must be below embedding_dim=32, not 32; leave it out, or train a larger"),
        ({"shrink_hidden": 200}, "shrink_hidden must be below hidden=128, not 200"),
        ({"shrink_hidden": 0, "hidden": 0}, "shrink_hidden must be below hidden=0, not 0"),
        ({"shrink_history": 9, "history_length": 8}, "shrink_history must be below history_length=8, not 9"),
    ],
)
def test_what_would_not_be_smaller(options, message):
    with pytest.raises(DataError, match=message):
        check_shrink(Config(**options))
    check_shrink(Config(shrink_dim=31, shrink_hidden=0, shrink_history=9))  # how long histories are, the data say


def test_a_table_is_turned_before_it_is_pruned_or_rounded():
    steps = ("prune", "quantize", "shrink")
    with pytest.raises(DataError, match="steps must name 'shrink' before 'prune' and 'quantize'.*in another order"):
        check_steps(Config(shrink_dim=16, quantize_epochs=1, steps=steps))
    check_steps(Config(shrink_dim=16, sparsity=0.0, steps=steps))
    check_steps(Config(steps=steps))


@pytest.mark.parametrize("steps", [("quantize", "prune"), ("quantize", "shrink", "prune")])
def test_rows_of_one_length_are_rounded_last(steps):
    with pytest.raises(DataError, match="steps must have 'quantize' last for unit_rows, not quantize, prune: rows are"):
        check_steps(Config(unit_rows=True, quantize_epochs=1, steps=steps))
    check_steps(Config(unit_rows=True, quantize_epochs=1))
    assert not final(Config(unit_rows=True, quantize_epochs=1)).unit_rows and final(Config(unit_rows=True)).unit_rows


def test_a_search_counts_the_bytes_of_the_narrow_student():
    wide = Config(embedding_dim=64, hidden=128, shrink_dim=16, shrink_hidden=0)
    assert least_bytes(wide, 1000) == least_bytes(Config(embedding_dim=16, hidden=0), 1000)
    assert final(wide).embedding_dim == 16


class Cut(Exception):
    """What a user does at the first epoch of a training."""


@pytest.mark.slow
@pytest.mark.usefixtures("eagerly")
def test_every_step_on_a_narrower_student(tmp_path):
    """Shrunk, pruned, rounded: the files have the narrow table, every form is judged, and a cut training goes on.

    Item rows have length 1 in every form, and in the files but for rounding.
    """
    write_small_log(tmp_path)
    config = small(
        tmp_path, embedding_dim=12, shrink_dim=6, hidden=16, shrink_hidden=4, shrink_history=5, shrink_epochs=2,
        epochs=1, quantize_epochs=1, losses=("softened_kl", "de"), teacher="mf_bpr", teacher_options={"epochs": 1},
        targets=("android", "coral_edgetpu"), unit_rows=True,
    )  # fmt: skip

    def cut(stage, done, total, note):
        if (stage, done, total) == ("shrunk", 1, 2):
            raise Cut

    with pytest.raises(Cut):
        experiment.run(config, tmp_path / "out", tmp_path / "work", cut)
    report = experiment.run(config, tmp_path / "out", tmp_path / "work")
    forms = [row["name"] for row in report["rows"] if row["form"] == "keras"]
    assert forms == ["teacher", "student", "student_distilled", "shrunk", "pruned", "quantized"]
    for target in config.targets:
        bundle = open_bundle(tmp_path / "out" / target)
        assert bundle.manifest.history.length == 5
        shapes = {shape for shape, *_ in sizes(bundle.files["model.tflite"], ITEMS).constants}
        assert {(4, 6), (6, 4), (6, 6)} <= shapes  # what goes into the units that are left, out of them, and past them
    android = next(row for row in report["rows"] if row["target"] == "android")
    assert android["table_bytes"] == (ITEMS + 1) * 6
    tensors = read((tmp_path / "out" / "android" / "model.tflite").read_bytes()).subgraphs[0].tensors
    table = next(tensor for tensor in tensors if tensor.is_constant and tensor.shape == (ITEMS + 1, 6))
    lengths = np.linalg.norm(table.scale * table.values().astype(float), axis=1)
    assert lengths[0] == 0 and 0 < np.abs(lengths[1:] - 1).max() < table.scale * np.sqrt(6) / 2
    (trained,) = (tmp_path / "work").glob("shrunk-*")
    assert len(report["curves"]["shrunk"]) == 2
    went_on = (trained / "weights.npz").read_bytes()
    rmtree(trained)
    stages = Stages(tmp_path / "work", prepare=partial(make_deterministic, config.seed))
    experiment.students(stages, *procedures.read(stages, config), config)
    assert (trained / "weights.npz").read_bytes() == went_on


def test_a_small_table_is_not_shrunk_but_replaces_one_that_was():
    asked = {"embedding_dim": 16, "shrink_dim": 8, "table": "hashing"}
    with pytest.raises(DataError, match="table must be 'full' for a student that is shrunk, not 'hashing'"):
        check_shrink(Config(**asked))
    check_shrink(Config(**asked, table_epochs=1))

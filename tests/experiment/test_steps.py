"""The steps after distillation: which are taken, in which order."""

import pytest
from small_log import small, write_small_log

from kdrec import experiment
from kdrec.compression import STEPS, check_steps
from kdrec.config import STEPS as IN_CONFIG
from kdrec.config import Config
from kdrec.errors import DataError


def test_configuration_and_table_name_the_same_steps():
    assert tuple(STEPS) == IN_CONFIG


def test_a_step_that_is_asked_for_must_have_its_place():
    with pytest.raises(DataError, match="steps must name 'prune', which is asked for, not quantize alone"):
        check_steps(Config(sparsity=0.5, steps=("quantize",)))
    check_steps(Config(sparsity=0.0, steps=()))


def test_no_step_of_that_name():
    with pytest.raises(DataError, match="steps has no 'melt'; it has prune, cluster, quantize"):
        check_steps(Config(steps=("melt", "prune")))


def test_no_step_twice():
    with pytest.raises(DataError, match="steps must name none twice"):
        Config(steps=("prune", "prune"))


def test_steps_are_taken_in_the_order_that_is_given(tmp_path):
    write_small_log(tmp_path)
    config = small(tmp_path, sparsity=0.5, prune_epochs=1, quantize_epochs=1, steps=("quantize", "prune"))
    report = experiment.run(config, tmp_path / "out", tmp_path / "work")
    stages = [stage["name"] for stage in report["stages"]]
    assert stages.index("quantized") < stages.index("pruned") < stages.index("export")
    kept = {row["name"]: row["sparsity"] for row in report["rows"]}
    assert kept["quantized"] < 0.4 and kept["pruned"] == pytest.approx(0.5, abs=0.05)

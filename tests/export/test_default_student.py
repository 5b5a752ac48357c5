"""The default student, in every recipe for every target: small overhead, equal bytes twice, verified."""

import numpy as np
import pytest

from kdrec import targets
from kdrec.compress import recipes
from kdrec.export import Exported, ExportJob, export_all
from kdrec.models.students.history import history
from kdrec.tflite.sizes import sizes

ITEMS, LENGTH, K = 5000, 50, 10  # many enough for a top list of two levels, and for an Edge TPU to score in parts


def pairs() -> list[tuple[str, str]]:
    """Targets and recipes that give different files, each once."""
    found = {}
    for name in targets.names():
        target = targets.get(name)
        options = (target.signatures, target.one_subgraph, target.lookup, target.max_fc_outputs)
        for recipe in target.recipes:
            found.setdefault((options, recipe), (name, recipe))
    return list(found.values())


PAIRS = pairs()

pytestmark = pytest.mark.slow


def exported() -> dict[tuple[str, str], Exported]:
    """Every pair's file, from a converter process of its own."""
    jobs = []
    for name, recipe in PAIRS:
        target = targets.get(name)
        given = (target.signatures, K, target.one_subgraph, target.lookup, target.max_fc_outputs)
        jobs.append(ExportJob(f"{name} {recipe}", recipes.get(recipe), *given))
    rng = np.random.default_rng(0)
    student = history(ITEMS, history_length=LENGTH, seed=1)
    student.get_layer("item_table").set_weights([np.r_[np.zeros((1, 32)), rng.normal(size=(ITEMS, 32))]])
    calibration = {"history": rng.integers(1, ITEMS + 1, (20, LENGTH)).astype(np.int32)}
    return dict(zip(PAIRS, export_all(student, jobs, calibration), strict=True))


@pytest.fixture(scope="module")
def once() -> dict[tuple[str, str], Exported]:
    return exported()


def test_all_but_tables_and_weights_takes_less_than_8_kib(once):
    """Weights of a linear layer of 32×32, a hidden one of 32×128 and back, their biases, and those of 50 positions."""
    numbers = 32 * 32 + 32 + 32 * 128 + 128 + 128 * 32 + LENGTH
    for pair, found in once.items():
        split_up = sizes(found.model, ITEMS)
        assert 1024 < split_up.overhead < 8 * 1024, pair
        assert 32 * 32 + 2 * 32 * 128 <= split_up.weights < 4 * numbers, pair


def test_a_device_that_looks_up_has_one_table_in_every_precision(once):
    """Of an Edge TPU the host has it, and the padding row."""
    for pair, found in once.items():
        width = {"float32": 4, "float16": 2, "int4_table": 0.5}.get(pair[1], 1)
        rows = ITEMS + (targets.get(pair[0]).lookup != "host")
        assert sizes(found.model, ITEMS).tables == rows * 32 * width, pair


def test_equal_inputs_give_equal_bytes(once):
    for pair, again in exported().items():
        assert dict(again.files) == dict(once[pair].files), pair


def test_every_file_was_compared_with_the_converter_s(once):
    for (target, recipe), found in once.items():
        outputs = [f"score/{name}" for name in found.signatures["score"].outputs]
        assert set(outputs) <= set(found.moved), (target, recipe)
        assert all(0 <= steps < 2 for steps in found.moved.values()), (target, recipe)

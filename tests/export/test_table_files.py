"""Files of students whose items share rows: what they answer on phones and microcontrollers, and where bytes go."""

import numpy as np
import pytest
from small_students import histories

from kdrec import targets
from kdrec.compress import recipes
from kdrec.export import ExportJob
from kdrec.export.calibration import calls, covering
from kdrec.export.convert import Conversion, convert
from kdrec.export.finish import finish
from kdrec.export.signatures import build
from kdrec.export.student_parts import take_apart
from kdrec.models import tables
from kdrec.models.students.history import history
from kdrec.runtime.micro_interpreter import MicroFile
from kdrec.targets.base import check
from kdrec.tflite.sizes import sizes
from kdrec.tflite.verify import run
from kdrec.tflite.views import read

pytestmark = pytest.mark.slow

ITEMS, WIDTH, LENGTH = 40, 8, 6
OPTIONS = {"codebooks": {"books": 4, "pieces": 16}, "quotient_remainder": {"rows": 9}, "hashing": {"rows": 11}}
CASES = {name: (name, OPTIONS.get(name, {})) for name in tables.names() if name != "full"}
CASES["sum"] = ("quotient_remainder", {"rows": 9, "operation": "sum"})
INT8, FLOAT32 = recipes.get("int8"), recipes.get("float32")
JOBS = [
    ExportJob("android", INT8, ("score",)),
    ExportJob("micro", INT8, ("score",), one_subgraph=True),
    ExportJob("micro_float32", FLOAT32, ("score",), one_subgraph=True),
]
EVERY = pytest.mark.parametrize("name", CASES)
# Bytes of item tables: rows that are shared (with those that are zero), codes and places.
SHARED = {
    "adaptive": (8 + 1) * WIDTH + (32 + 1) * 2 + 41, "codebooks": 16 * WIDTH + 41 * 4, "hashing": 12 * WIDTH,
    "quotient_remainder": (6 + 9) * WIDTH, "sum": (6 + 9) * WIDTH,
}  # fmt: skip


def trained(table, options):
    """A student with random weights, whose table stands for rows of a size that int8 has to work for."""
    rng = np.random.default_rng(5)
    student = history(
        ITEMS, embedding_dim=WIDTH, history_length=LENGTH, hidden=16, table=table, table_options=options,
        item_counts=rng.permutation(ITEMS),
    )  # fmt: skip
    for layer in student.layers:
        if layer.name == "item_table":
            layer.fit(0.2 * rng.normal(size=(ITEMS, WIDTH)))
        else:
            layer.set_weights([weight + 0.2 * rng.normal(size=weight.shape) for weight in layer.get_weights()])
    return student


@pytest.fixture(scope="module")
def exported():
    """By case: scores of the float student, and its files by job. One converter process makes them all."""
    rng = np.random.default_rng(7)
    calibration, asked = {"history": histories(rng, 400)}, {"history": histories(rng, 40)}
    students = {name: trained(*case) for name, case in CASES.items()}
    parts = {name: take_apart(student) for name, student in students.items()}
    wanted = [(name, job) for name in CASES for job in JOBS]
    built = [build(parts[name], job, covering(parts[name], calibration)) for name, job in wanted]
    contents = convert(
        [
            Conversion(f"{name} {job.name}", signatures, job.recipe, integer_ends=job.one_subgraph)
            for (name, job), signatures in zip(wanted, built, strict=True)
        ]
    )
    files = {name: {} for name in CASES}
    for (name, job), content in zip(wanted, contents, strict=True):
        files[name][job.name], moved = finish(content, parts[name], job, {"score": calls(asked)})
        assert moved["score/scores"] < 2
    scores = {name: student.predict(asked, verbose=0) for name, student in students.items()}
    return {name: (asked, scores[name], files[name]) for name in CASES}


def best(scores, k=5):
    return np.argsort(-scores, axis=1, kind="stable")[:, :k]


def error(received, expected):
    return np.sqrt(np.mean((received - expected) ** 2)) / np.std(expected)


@EVERY
def test_phones_score_as_the_float_student_does(exported, name):
    asked, expected, files = exported[name]
    received = run(files["android"], "score", calls(asked))["scores"]
    assert 0 < error(received, expected) < 0.06
    broken = {found.rule for found in check(files["android"], targets.get("android"))}
    assert broken <= {"signatures_present"}  # only one was asked for
    whole = run(files["micro_float32"], "score", calls(asked))["scores"]
    np.testing.assert_allclose(whole, expected, atol=1e-4 * np.abs(expected).max())


@EVERY
def test_microcontrollers_score_as_the_float_student_does(exported, name, require):
    require("tflite-micro")
    asked, expected, files = exported[name]
    assert [str(found) for found in check(files["micro"], targets.get("micro"))] == []
    received = MicroFile(files["micro"]).run(asked)
    assert 0 < error(received.scores, expected) < 0.08
    whole = MicroFile(files["micro_float32"]).run(asked).scores
    np.testing.assert_allclose(whole, expected, atol=1e-4 * np.abs(expected).max())


@EVERY
def test_bytes_are_those_of_the_shared_rows(exported, name):
    files = exported[name][2]
    for file in ("android", "micro"):
        counted = sizes(files[file], ITEMS)
        assert counted.tables == SHARED[name]
        whole = [shape for shape, _, _ in counted.constants if shape and shape[0] in (ITEMS, ITEMS + 1)]
        assert set(whole) <= {(ITEMS + 1,)}, "no table has a row an item"
        kinds = {dtype for shape, dtype, _ in counted.constants if shape == (ITEMS + 1,)}
        assert kinds <= {"int8"}  # codes and places are not stored as int32
        assert "DIV" not in read(files[file]).operator_counts()

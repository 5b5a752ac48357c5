"""The earlier, easier states that a teacher keeps when it is asked to."""

import numpy as np
import pytest
import threadpoolctl

from kdrec.data.interactions import Interactions
from kdrec.errors import DataError
from kdrec.models.teachers.als import als
from kdrec.models.teachers.base import Teacher, load
from kdrec.models.teachers.ease import ease

HISTORY = {"history": np.array([[0, 3, 7, 1], [0, 0, 0, 4]])}


@pytest.fixture(scope="module")
def log():
    users, items = np.nonzero(np.random.default_rng(0).random((30, 9)) < 0.4)
    return Interactions(users, items, np.arange(30), np.arange(9))


def test_als_keeps_the_factors_of_early_iterations(log):
    """After 2 and 6 of 15 iterations they are those of a training that ends there."""
    options = {"factors": 4, "regularization": 2.0, "seed": 3}
    teacher = als(log, snapshots=2, **options)
    states = teacher.snapshots(3)
    assert states[-1] is teacher
    for state, iterations in zip(states, (2, 6, 15), strict=True):
        alone = als(log, iterations=iterations, **options)
        with threadpoolctl.threadpool_limits(1):
            np.testing.assert_allclose(state(HISTORY), alone(HISTORY), rtol=1e-4, atol=1e-5)
    assert not np.allclose(states[0](HISTORY), teacher(HISTORY), atol=1e-3)


def test_ease_keeps_solutions_of_larger_penalties(log):
    calls = []
    teacher = ease(
        log, l2=3.0, recency=None, snapshots=2, progress=lambda done, total, logs: calls.append((done, total))
    )
    assert calls == [(1, 3), (2, 3), (3, 3)]
    states = teacher.snapshots(3)
    assert states[-1] is teacher and [state.l2 for state in states] == pytest.approx([300.0, 30.0, 3.0])
    for state, l2 in zip(states, (300.0, 30.0, 3.0), strict=True):
        np.testing.assert_allclose(state.weights, ease(log, l2=l2).weights, rtol=1e-6)


@pytest.mark.parametrize("build", [als, ease])
def test_snapshots_are_saved_and_evenly_chosen(log, build, tmp_path):
    teacher = build(log, snapshots=2)
    teacher.save(tmp_path / "teacher")
    loaded = load(tmp_path / "teacher")
    assert loaded.provides == teacher.provides >= {"snapshots"}
    for state, again in zip(teacher.snapshots(3), loaded.snapshots(3), strict=True):
        assert np.array_equal(state(HISTORY), again(HISTORY))
    first, _, last = loaded.snapshots(3)
    two = loaded.snapshots(2)
    assert np.array_equal(two[0](HISTORY), first(HISTORY)) and two[1] is last is loaded
    assert loaded.snapshots(1) == [loaded]
    assert "snapshots" not in first.provides


@pytest.mark.parametrize("build", [als, ease])
def test_a_teacher_without_snapshots_says_so(log, build):
    teacher = build(log)
    assert "snapshots" not in teacher.provides
    with pytest.raises(DataError, match=f"teacher '{teacher.name}' keeps no snapshots; .* with the option snapshots=2"):
        teacher.snapshots(2)


def test_a_teacher_without_vectors_says_so(log):
    with pytest.raises(DataError, match="teacher 'ease' has no item_embedding; use a loss on scores, or als or two_to"):
        _ = ease(log).item_embedding
    assert Teacher.provides == frozenset()


@pytest.mark.parametrize(("build", "wrong", "most"), [(als, 4, 3), (als, -1, 3), (als, 1.5, 3), (ease, 6, 5)])
def test_a_number_of_snapshots_must_be_possible(log, build, wrong, most):
    options = {"iterations": 4} if build is als else {}
    with pytest.raises(DataError, match=f"snapshots must be a whole number from 0 to {most}, not {wrong}; 2 is enough"):
        build(log, snapshots=wrong, **options)

"""Ranking order against a full sort."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kdrec.runtime.order import best, best_of_top


@given(st.lists(st.integers(-2, 2), min_size=1, max_size=30), st.data())
def test_the_best_are_those_of_a_full_sort(scores: list[int], data) -> None:
    allowed = np.array(data.draw(st.lists(st.booleans(), min_size=len(scores), max_size=len(scores))))
    values = np.array(scores, float)
    order = sorted(np.flatnonzero(allowed), key=lambda position: (-values[position], position))
    for k in range(1, len(order) + 1):
        assert best(values, allowed, k).tolist() == order[:k]


@given(st.lists(st.integers(-2, 2), min_size=2, max_size=30), st.data())
def test_the_top_of_a_file_is_used_only_when_it_is_enough(scores: list[int], data) -> None:
    """However the file orders equal scores, and whichever it keeps, the list is that of a full sort, or none."""
    values = np.array(scores, float)
    allowed = np.array(data.draw(st.lists(st.booleans(), min_size=len(scores), max_size=len(scores))))
    kept = data.draw(st.integers(1, len(scores)))
    shuffled = np.array(data.draw(st.permutations(range(len(scores)))))
    top = shuffled[np.argsort(-values[shuffled], kind="stable")][:kept]
    for k in range(1, int(allowed.sum()) + 1):
        found = best_of_top(top, values[top], allowed, k)
        if found is not None:
            assert top[found].tolist() == best(values, allowed, k).tolist()


def test_the_whole_catalogue_as_top_is_always_enough() -> None:
    scores = np.array([1.0, 1.0, 1.0])
    found = best_of_top(np.array([2, 0, 1]), scores, np.ones(3, bool), 3)
    assert found is not None and found.tolist() == [1, 2, 0]

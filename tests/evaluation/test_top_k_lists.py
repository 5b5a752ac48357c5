import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdrec.errors import DataError
from kdrec.evaluation import ItemLists, top_k


def slow_top_k(scores, k, seen):
    order = sorted((item for item in range(len(scores)) if item not in seen), key=lambda item: (-scores[item], item))
    return (order + [-1] * k)[:k]


@given(st.data())
def test_equals_sorting_by_score_then_position(data):
    n_items = data.draw(st.integers(1, 8))
    score = st.sampled_from([-np.inf, -1.5, 0.0, 2.0, np.inf])
    rows = data.draw(st.lists(st.lists(score, min_size=n_items, max_size=n_items), min_size=1, max_size=4))
    seen = [data.draw(st.sets(st.integers(0, n_items - 1))) for _ in rows]
    k = data.draw(st.integers(1, n_items))
    expected = [slow_top_k(row, k, known) for row, known in zip(rows, seen, strict=True)]
    assert top_k(np.array(rows), k, ItemLists.of(seen)).tolist() == expected


def test_all_negative_scores_list_real_items_only():
    assert top_k(np.array([[-3.0, -1.0, -2.0]]), 2).tolist() == [[1, 2]]


def test_int8_keeps_its_smallest_value_last():
    assert top_k(np.array([[-128, 127, 0]], dtype=np.int8), 3).tolist() == [[1, 2, 0]]


@pytest.mark.parametrize("k", [0, 4])
def test_refuses_k_outside_the_catalogue(k):
    with pytest.raises(DataError, match=f"k must be from 1 to the catalogue's 3 items, received {k}; choose a smaller"):
        top_k(np.zeros((2, 3)), k)


def test_refuses_nan():
    with pytest.raises(DataError, match="the row of user 0 holds NaN at item 1"):
        top_k(np.array([[0.0, np.nan]]), 1)


def test_refuses_seen_lists_of_another_number_of_rows():
    with pytest.raises(DataError, match="seen must have one list a row of scores, 2, received 1"):
        top_k(np.zeros((2, 3)), 1, ItemLists.of([[0]]))

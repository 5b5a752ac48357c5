import numpy as np
import pytest

from kdrec.errors import DataError
from kdrec.evaluation.candidates import candidates
from kdrec.evaluation.item_lists import ItemLists

NOTHING = ItemLists.of([[], []])


def test_nan_names_the_first_user_and_item():
    scores = np.zeros((2, 3))
    scores[1, 2] = np.nan
    with pytest.raises(DataError, match="the row of user 71 holds NaN at item 2 \\(1 such rows in this batch\\)"):
        candidates(scores, NOTHING, 3, np.array([70, 71]))


def test_nan_at_a_seen_item_is_still_refused():
    with pytest.raises(DataError, match="the row of user 70 holds NaN at item 0"):
        candidates(np.array([[np.nan, 1.0], [0.0, 1.0]]), ItemLists.of([[0], []]), 2, np.array([70, 71]))


@pytest.mark.parametrize("shape", [(2, 4), (2, 2), (3, 3), (2,)])
def test_scores_that_do_not_match_the_catalogue_name_both_shapes(shape):
    received = str(shape).replace("(", r"\(").replace(")", r"\)")
    with pytest.raises(DataError, match=rf"catalogue: expected shape \(2, 3\), received {received}; score this"):
        candidates(np.zeros(shape), NOTHING, 3, np.array([0, 1]))


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int64, np.float16, np.float32, np.float64])
def test_the_whole_range_of_a_type_keeps_its_order(dtype):
    limits = np.iinfo(dtype) if np.issubdtype(dtype, np.integer) else np.finfo(dtype)
    ready = candidates(np.array([[limits.min, 0, limits.max]], dtype=dtype), ItemLists.of([[]]), 3, np.array([0]))
    assert ready.scores[0, 0] <= ready.scores[0, 1] < ready.scores[0, 2]
    assert (ready.ordered == ready.scores).all()


def test_float64_differences_are_not_rounded_into_ties():
    ready = candidates(np.array([[1.0, 1.0 + 1e-12]]), ItemLists.of([[]]), 2, np.array([0]))
    assert ready.scores[0, 0] < ready.scores[0, 1]


def test_the_callers_scores_are_not_changed():
    scores = np.array([[1.0, 2.0], [3.0, 4.0]])
    candidates(scores, ItemLists.of([[0], [1]]), 2, np.array([0, 1]))
    assert scores.tolist() == [[1.0, 2.0], [3.0, 4.0]]

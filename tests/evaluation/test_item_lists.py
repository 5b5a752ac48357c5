import numpy as np
import pytest

from kdrec.errors import DataError
from kdrec.evaluation.item_lists import ItemLists


def test_take_picks_rows_in_the_order_asked_and_keeps_the_order_within():
    lists = ItemLists.of([[5, 2], [], [7], [1, 0, 4]])
    taken = lists.take(np.array([3, 1, 0]))
    assert taken.indptr.tolist() == [0, 3, 3, 5]
    assert taken.items.tolist() == [1, 0, 4, 5, 2]


def test_mask_and_from_mask_are_inverse():
    mask = np.array([[True, False, True], [False, False, False], [False, True, False]])
    assert (ItemLists.from_mask(mask).mask(3) == mask).all()


def test_no_rows_at_all():
    lists = ItemLists.of([])
    assert len(lists) == 0
    assert lists.take(np.array([], dtype=np.int64)).items.tolist() == []


@pytest.mark.parametrize("indptr", [[0, 1], [1, 2], []])
def test_refuses_ends_that_do_not_match_the_items(indptr):
    with pytest.raises(DataError, match=r"indptr must begin with 0 and end with the number of items, 2; it begins"):
        ItemLists(np.array(indptr, dtype=np.int64), np.array([4, 5]))


def test_refuses_falling_indptr():
    with pytest.raises(DataError, match="indptr must never fall from one row to the next"):
        ItemLists(np.array([0, 2, 1, 2]), np.array([4, 5]))

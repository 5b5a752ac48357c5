import numpy as np
import pytest

from kdrec.errors import DataError
from kdrec.evaluation.candidates import candidates
from kdrec.evaluation.item_lists import ItemLists
from kdrec.evaluation.ties import TieGroups, tie_groups


def groups_of(scores, held_out, seen=None):
    scores = np.array(scores)
    users = np.arange(len(scores)) + 40
    ready = candidates(scores, ItemLists.of(seen or [[]] * len(scores)), scores.shape[1], users)
    return tie_groups(ready, ItemLists.of(held_out), users)


def test_two_users_counted_by_hand():
    groups = groups_of([[9, 5, 5, 5, 1], [1, 2, 3, 4, 5]], [[1, 3, 4], [4, 0]])
    assert groups.user.tolist() == [0, 0, 1, 1]
    assert groups.above.tolist() == [1, 4, 0, 4]
    assert groups.size.tolist() == [3, 1, 1, 1]
    assert groups.held_out.tolist() == [2, 1, 1, 1]
    assert groups.held_out_above.tolist() == [0, 2, 0, 1]
    assert groups.n_held_out.tolist() == [3, 2]
    assert groups.n_candidates.tolist() == [5, 5]


def test_seen_items_are_neither_above_nor_tied():
    groups = groups_of([[9, 5, 5, 5, 1]], [[1]], [[0, 2]])
    assert (groups.above.tolist(), groups.size.tolist(), groups.n_candidates.tolist()) == ([0], [2], [3])


def test_a_score_of_minus_infinity_ranks_last_but_does_not_tie_with_seen_items():
    groups = groups_of([[-np.inf, -np.inf, -np.inf, 0.0]], [[1]], [[0]])
    assert (groups.above.tolist(), groups.size.tolist()) == ([1], [2])


def test_pessimistic_puts_held_out_items_last_in_their_group():
    groups = groups_of([[9, 5, 5, 5, 1], [1, 2, 3, 4, 5]], [[1, 3, 4], [4, 0]]).pessimistic()
    assert groups.user.tolist() == [0, 0, 0, 1, 1]
    assert groups.above.tolist() == [2, 3, 4, 0, 4]
    assert groups.size.tolist() == groups.held_out.tolist() == [1, 1, 1, 1, 1]
    assert groups.held_out_above.tolist() == [0, 1, 2, 0, 1]


def test_join_renumbers_users():
    scores, held_out = [[3, 2, 2], [1, 1, 1], [1, 2, 3]], [[1], [0, 2], [2]]
    whole = groups_of(scores, held_out)
    joined = TieGroups.join([groups_of(scores[:2], held_out[:2]), groups_of(scores[2:], held_out[2:])])
    for name, value in vars(whole).items():
        assert getattr(joined, name).tolist() == value.tolist(), name


def test_train_test_overlap_raises():
    with pytest.raises(DataError, match="must not overlap: item 3 of user 41 is in both \\(1 such pairs in this batch"):
        groups_of([[1, 2, 3, 4], [1, 2, 3, 4]], [[0], [1, 3]], [[1], [3]])


def test_an_item_held_out_twice_raises():
    with pytest.raises(DataError, match="held_out must list an item once a user: user 41 has item 2 more than once"):
        groups_of([[1, 2, 3], [1, 2, 3]], [[0], [2, 1, 2]])

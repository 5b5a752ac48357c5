from itertools import product

import numpy as np
import pytest
import ranking_oracle as oracle
from hypothesis import given
from hypothesis import strategies as st

from kdrec.evaluation.candidates import candidates
from kdrec.evaluation.exposure import exposure
from kdrec.evaluation.item_lists import ItemLists
from kdrec.evaluation.metrics import coverage, popularity


def shown(scores, seen, k, popular=None):
    scores = np.array(scores)
    rows, n_items = scores.shape
    ready = candidates(scores, ItemLists.of(seen), n_items, np.arange(rows))
    return exposure(ready, k, np.ones(n_items) if popular is None else np.array(popular))


@given(st.data())
def test_coverage_and_popularity_are_means_over_all_combinations_of_orders(data):
    n_items = data.draw(st.integers(1, 4))
    scores = data.draw(
        st.lists(st.lists(st.integers(0, 1), min_size=n_items, max_size=n_items), min_size=1, max_size=2)
    )
    seen = [data.draw(st.sets(st.integers(0, n_items - 1), max_size=n_items - 1)) for _ in scores]
    k = data.draw(st.integers(1, n_items))
    popular = np.arange(n_items) ** 2 + 0.5

    together = list(product(*(oracle.lists(row, known, k) for row, known in zip(scores, seen, strict=True))))
    union = [len(frozenset().union(*lists)) / n_items for lists in together]
    listed = [[popular[item] for items in lists for item in items] for lists in together]
    lists = shown(scores, seen, k, popular)
    assert coverage(lists) == pytest.approx(np.mean(union))
    assert popularity(lists) == pytest.approx(np.mean([np.mean(values) for values in listed]))


def test_users_who_all_tie_cover_as_independent_draws_do():
    users, items, k = 7, 20, 3
    assert coverage(shown(np.zeros((users, items)), [[]] * users, k)) == pytest.approx(1 - (1 - k / items) ** users)


def test_everybody_shown_the_same_items_covers_only_those():
    lists = shown([[1.0, 9.0, 8.0, 2.0]] * 5, [[]] * 5, 2, [0.0, 0.4, 0.2, 0.0])
    assert coverage(lists) == 2 / 4
    assert popularity(lists) == pytest.approx((0.4 + 0.2) / 2)


def test_a_user_who_has_seen_nearly_everything_shows_what_is_left():
    lists = shown([[1.0, 9.0, 8.0, 2.0]], [[0, 1, 2]], 2)
    assert lists.expected.tolist() == [0.0, 0.0, 0.0, 1.0]
    assert lists.tied == 0


def test_a_score_of_minus_infinity_does_not_tie_with_seen_items():
    lists = shown([[-np.inf, -np.inf, 1.0]], [[0]], 2)
    assert lists.expected.tolist() == [0.0, 1.0, 1.0]
    assert lists.tied == 0


def test_batches_add_up():
    scores = np.random.default_rng(0).integers(0, 3, (5, 6))
    seen = [[0], [], [1, 2], [5], []]
    whole = shown(scores, seen, 2)
    parts = shown(scores[:2], seen[:2], 2).plus(shown(scores[2:], seen[2:], 2))
    np.testing.assert_allclose(parts.expected, whole.expected)
    np.testing.assert_allclose(parts.missed, whole.missed)
    assert (parts.tied, parts.users, parts.tied_share()) == (whole.tied, 5, whole.tied / 5)

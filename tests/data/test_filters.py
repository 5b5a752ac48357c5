import numpy as np
import pytest

from kdrec.data.filters import deduplicate, k_core, minimum_rating, prepare
from kdrec.data.interactions import Interactions
from kdrec.errors import DataError


def log(users, items, **more) -> Interactions:
    return Interactions(users, items, np.arange(max(users) + 1), np.arange(max(items) + 1) + 100, **more)


def slow_core(pairs, min_user, min_item):
    """One pair leaves at a time until every user and item has enough."""
    pairs = list(pairs)
    while True:
        for user, item in pairs:
            users, items = [p[0] for p in pairs], [p[1] for p in pairs]
            if users.count(user) < min_user or items.count(item) < min_item:
                pairs.remove((user, item))
                break
        else:
            return pairs


def test_minimum_rating_keeps_the_threshold():
    left, counts = minimum_rating(log([0, 0, 1], [0, 1, 2], ratings=[3, 4, 2]), 3)
    assert (left.user_ids.tolist(), left.item_ids.tolist()) == ([0], [100, 101])
    assert str(counts) == "minimum_rating(3): pairs 3 to 2, users 2 to 1, items 3 to 2"


def test_minimum_rating_needs_ratings():
    with pytest.raises(DataError, match="minimum_rating=3 needs ratings, and the log has none; name their column"):
        minimum_rating(log([0], [0]), 3)


def test_deduplicate_keeps_the_first_by_time():
    left, counts = deduplicate(log([0, 0, 0, 1], [1, 0, 1, 1], times=[9, 5, 2, 1]))
    assert (left.items.tolist(), left.times.tolist()) == ([1, 0, 1], [2, 5, 1])
    assert (counts.before, counts.after) == ((4, 2, 2), (3, 2, 2))


@pytest.mark.parametrize("seed", range(5))
def test_k_core_is_that_of_the_slow_oracle(seed):
    rng = np.random.default_rng(seed)
    cells = rng.permutation(12 * 9)[:40]
    pairs = sorted(zip((cells // 9).tolist(), (cells % 9).tolist(), strict=True))
    expected = slow_core(pairs, 3, 4)
    source = Interactions([p[0] for p in pairs], [p[1] for p in pairs], np.arange(12), np.arange(9))
    if not expected:
        with pytest.raises(DataError, match=r"k_core\(3, 4\) left no pair of 40 pairs"):
            k_core(source, 3, 4)
        return
    left, counts = k_core(source, 3, 4)
    found = zip(left.user_ids[left.users].tolist(), left.item_ids[left.items].tolist(), strict=True)
    assert sorted(found) == sorted(expected)
    assert counts.after[0] == len(expected)


def test_k_core_goes_on_until_nothing_changes():
    # item 3 leaves first, then user 2 has too few, then item 2
    left, _ = k_core(log([0, 0, 1, 1, 2, 2, 0], [0, 1, 0, 1, 2, 3, 2]), 2, 2)
    assert (left.user_ids.tolist(), left.item_ids.tolist()) == ([0, 1], [100, 101])


def test_prepare_reports_each_filter_in_turn():
    source = log([0, 0, 0, 1, 1, 2], [0, 0, 1, 0, 1, 2], ratings=[5, 5, 5, 5, 5, 1])
    left, counts = prepare(source, minimum_rating=2, min_user_items=2, min_item_users=2)
    assert [count.name for count in counts] == ["minimum_rating(2)", "deduplicate", "k_core(2, 2)"]
    assert [count.after[0] for count in counts] == [5, 4, 4]
    assert (left.n_users, left.n_items) == (2, 2)


def test_prepare_without_options_only_deduplicates():
    left, counts = prepare(log([0, 0], [1, 1]))
    assert ([count.name for count in counts], len(left)) == (["deduplicate", "k_core(1, 1)"], 1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"minimum_rating": 6}, r"minimum_rating\(6\) left no pair of 2 pairs, 2 users and 1 items; lower it or"),
        ({"min_user_items": 2}, r"k_core\(2, 1\) left no pair of 2 pairs"),
    ],
)
def test_an_emptied_log_names_the_filter(options, message):
    with pytest.raises(DataError, match=message):
        prepare(log([0, 1], [0, 0], ratings=[5, 4]), **options)

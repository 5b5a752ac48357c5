import dataclasses

import numpy as np
import pytest
from hypothesis import given as for_all
from hypothesis import strategies

from kdrec.data.interactions import Interactions
from kdrec.data.splits import Split, by_time, given, leave_last_out, random_per_user
from kdrec.errors import DataError, UnknownNameError


def crowd(seed: int = 0, timed: bool = True) -> Interactions:
    """20 users with 1 to 12 distinct items of 15, times with ties."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(1, 13, 20)
    items = np.concatenate([rng.permutation(15)[:count] for count in counts])
    times = rng.integers(0, 30, len(items)) if timed else None
    return Interactions(np.repeat(np.arange(20), counts), items, np.arange(20), np.arange(15), times=times)


def pairs(log) -> set:
    return set(zip(log.users.tolist(), log.items.tolist(), strict=True))


METHODS = {
    "leave_last_out": lambda: leave_last_out(crowd()),
    "by_time": lambda: by_time(crowd(), 0.2, 0.1),
    "random_per_user": lambda: random_per_user(crowd(), 0.1, 0.3),
}


@pytest.mark.parametrize("method", METHODS)
def test_every_pair_is_in_one_part_and_a_repeat_is_equal(method):
    split = METHODS[method]()
    parts = [pairs(split.part(name)) for name in ("train", "valid", "test")]
    assert sum(map(len, parts)) == len(crowd()) and set.union(*parts) == pairs(crowd())
    assert all(parts)
    assert split.fingerprint() == METHODS[method]().fingerprint()
    assert (split.method, split.ordered) == (method, method != "random_per_user")


def test_leave_last_out_is_that_of_a_loop():
    log, n_valid, n_test = crowd(3), 2, 1
    split = leave_last_out(log, n_valid, n_test)
    left = 0
    for user in range(20):
        mine = log.items[log.users == user].tolist()
        if len(mine) < 4:
            train, valid, test, left = mine, [], [], left + 1
        else:
            train, valid, test = mine[:-3], mine[-3:-1], mine[-1:]
        assert split.train.items[split.train.users == user].tolist() == train
        assert split.valid.items[split.valid.users == user].tolist() == valid
        assert split.test.items[split.test.users == user].tolist() == test
    assert split.options == {"n_valid": 2, "n_test": 1, "users_left_in_train": left}
    assert left > 0


def test_by_time_cuts_at_one_moment_and_keeps_ties_together():
    split = by_time(crowd(), valid=0.2, test=0.1)
    assert split.train.times.max() < split.valid.times.min()
    assert split.valid.times.max() < split.test.times.min()
    n = len(crowd())
    assert len(split.test) >= int(0.1 * n) and len(split.valid) + len(split.test) >= int(0.3 * n)


def test_random_per_user_rounds_each_users_share_down():
    log = crowd()
    split = random_per_user(log, valid=0.1, test=0.29, seed=4)
    for user in range(20):
        count = int((log.users == user).sum())
        assert (split.test.users == user).sum() == count * 29 // 100
        assert (split.valid.users == user).sum() == count * 10 // 100


def test_random_per_user_follows_its_seed():
    prints = {random_per_user(crowd(), seed=seed).fingerprint() for seed in (0, 1, 2)}
    assert len(prints) == 3


def test_random_per_user_takes_every_place_equally_often():
    log = Interactions(np.repeat(np.arange(3000), 4), np.tile(np.arange(4), 3000), np.arange(3000), np.arange(4))
    counts = random_per_user(log, valid=0, test=0.25).test.item_counts()
    assert counts.sum() == 3000 and (np.abs(counts - 750) < 5 * np.sqrt(3000 * 0.25 * 0.75)).all()


@for_all(strategies.integers(0, 1000))
def test_no_user_with_a_held_out_pair_of_leave_last_out_lacks_history(seed):
    split = leave_last_out(crowd(seed))
    assert np.isin(split.users("test"), split.users("train")).all()
    assert split.users("valid").tolist() == split.users("test").tolist()


def test_history_source_is_what_came_before():
    ordered, sets = leave_last_out(crowd()), random_per_user(crowd())
    assert ordered.history_source("valid") is ordered.train
    assert pairs(ordered.history_source("test")) == pairs(ordered.train) | pairs(ordered.valid)
    assert ordered.history_source("test") is ordered.history_source("test")
    assert sets.history_source("test") is sets.train
    timed = by_time(crowd())
    assert len(timed.history_source("test")) == len(timed.train) + len(timed.valid)


def test_users_are_those_with_a_held_out_pair():
    log = Interactions([0, 0, 0, 1, 2, 2, 2], [0, 1, 2, 0, 2, 1, 0], [5, 6, 7], [1, 2, 3], times=range(7))
    users = leave_last_out(log).users("test")
    assert (users.tolist(), users.dtype) == ([0, 2], np.int32)


def test_unknown_part_is_refused():
    split = leave_last_out(crowd())
    with pytest.raises(UnknownNameError, match="part has no 'tset'; it has train, valid, test"):
        split.users("tset")
    with pytest.raises(UnknownNameError, match="part to be judged has no 'train'; it has valid, test"):
        split.history_source("train")


def test_given_may_lack_valid():
    log = crowd()
    split = given(log.select(log.items < 10), None, log.select(log.items >= 10), source="papers")
    assert (len(split.valid), split.ordered, split.options) == (0, False, {"source": "papers"})
    assert split.users("valid").tolist() == []


def test_a_held_out_item_that_train_lacks_is_kept():
    log = Interactions([0, 0, 0, 1, 1, 1], [0, 1, 2, 0, 1, 3], [5, 6], [1, 2, 3, 4], times=range(6))
    split = leave_last_out(log)
    assert split.test.items.tolist() == [2, 3] and split.train.item_counts().tolist() == [2, 0, 0, 0]


def test_overlap_is_refused_with_an_example():
    log = crowd()
    first = log.select(np.arange(len(log)) == 0)
    user, item = int(first.users[0]), int(first.items[0])
    message = f"train and test must have no pair in common, and share 1, for example user .*{user}.* item .*{item}.*;"
    with pytest.raises(DataError, match=message):
        given(log, None, first)
    with pytest.raises(DataError, match="valid and test must have no pair in common"):
        given(log.select(np.arange(len(log)) > 0), first, first)


def test_a_repeated_pair_is_refused():
    log = Interactions([0, 0, 0], [1, 0, 1], [5], [7, 8], times=[1, 2, 3])
    with pytest.raises(DataError, match="share 1, for example user 5 with item 8; deduplicate first"):
        leave_last_out(log)


def test_other_vocabularies_are_refused():
    log = crowd()
    other = dataclasses.replace(log, item_ids=np.arange(15) + 1)
    with pytest.raises(
        DataError, match="test must have the item_ids of train, and has others; read the parts together"
    ):
        given(log, None, other)


def test_equal_vocabularies_that_are_not_one_array_are_accepted():
    log = crowd()
    test = dataclasses.replace(log.select(log.items >= 10), item_ids=np.arange(15))
    assert len(given(log.select(log.items < 10), None, test).test) == len(test)


@pytest.mark.parametrize("method", [leave_last_out, by_time, lambda log: given(log, None, log, ordered=True)])
def test_time_is_needed_for_order(method):
    with pytest.raises(DataError, match="needs times, and the log has none; give time_column=, or split by random_per"):
        method(crowd(timed=False))


@pytest.mark.parametrize("method", [by_time, random_per_user])
@pytest.mark.parametrize("shares", [(0.5, 0.5), (-0.1, 0.2), (0, 0)])
def test_impossible_shares_are_refused(method, shares):
    with pytest.raises(DataError, match=f"add up to less than 1, not {shares[0]} and {shares[1]}; hold out less"):
        method(crowd(), *shares)


def test_impossible_counts_are_refused():
    with pytest.raises(DataError, match="at least 0 and not both 0, not 0 and 0; hold out one"):
        leave_last_out(crowd(), 0, 0)


def test_an_empty_train_is_refused():
    log = Interactions([0, 0], [0, 1], [5], [7, 8], times=[1, 1])
    with pytest.raises(DataError, match="train must hold pairs, and it is empty; hold out less"):
        by_time(log, 0.0, 0.5)


def test_str_says_how_and_how_much():
    split = random_per_user(crowd(), 0.1, 0.2)
    sizes = f"train {len(split.train)}, valid {len(split.valid)}, test {len(split.test)} pairs"
    assert str(split) == f"random_per_user(valid=0.1, test=0.2, seed=0): {sizes}; histories are sets"
    assert isinstance(split, Split)


@pytest.mark.parametrize("method", [random_per_user, by_time])
def test_a_share_of_a_hundred_is_so_many(method):
    """In floating point 0.29 · 100 is 28.999999999999996."""
    log = Interactions(np.zeros(100, dtype=int), np.arange(100), [5], np.arange(100), times=np.arange(100))
    assert len(method(log, valid=0.0, test=0.29).test) == 29

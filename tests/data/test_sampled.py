"""Sampled histories: what each kind may be made of, and how it joins a log."""

import numpy as np
import pytest

from kdrec.data.features import Categorical
from kdrec.data.interactions import Interactions
from kdrec.data.sampled import KINDS, sampled_histories, with_sampled
from kdrec.errors import DataError, UnknownNameError

GROUPS, USERS, SIZE = 4, 6, 20  # groups of users who share items: those of a group have random items of its 40


@pytest.fixture(scope="module")
def log():
    rng = np.random.default_rng(0)
    rows = [(group * USERS + user, group * 40 + item) for group in range(GROUPS) for user in range(USERS)
            for item in rng.permutation(40)[: rng.integers(1, SIZE)]]  # fmt: skip
    users, items = np.array(rows).T
    times = rng.permutation(len(rows))
    return Interactions(users, items, np.arange(GROUPS * USERS), np.arange(GROUPS * 40), times=times)


def histories(log):
    return [log.items[start:stop].tolist() for start, stop in zip(log.indptr, log.indptr[1:], strict=False)]


def is_subsequence(short, long):
    rest = iter(long)
    return all(item in rest for item in short)


@pytest.mark.parametrize("kind", KINDS)
def test_every_history_has_items_and_none_twice(log, kind):
    sampled = sampled_histories(log, 300, kinds=[kind], seed=1)
    lists = histories(sampled)
    assert len(lists) == sampled.n_users == 300
    assert all(len(set(items)) == len(items) >= 1 for items in lists)
    assert sampled.times is None and sampled.item_ids is log.item_ids


def test_a_subset_is_a_share_of_one_user_in_order(log):
    own = histories(log)
    counts = np.array([len(items) for items in own])
    shares = []
    for items in histories(sampled_histories(log, 2_000, kinds=["subset"], ordered=True)):
        of = [user for user, all_items in enumerate(own) if is_subsequence(items, all_items)]
        assert of
        shares.append(len(items) / counts[of].mean())
    # Uniform in (0.1, 1]: the mean is 0.55, each item kept with it; rounding and the one item at least move it little.
    assert np.mean(shares) == pytest.approx(0.55, abs=0.07)


def test_a_subset_keeps_each_item_alike():
    log = Interactions(np.zeros(10, int), np.arange(10), ["ann"], np.arange(10))
    sampled = sampled_histories(log, 4_000, kinds=["subset"])
    share = sampled.item_counts() / 4_000
    assert share == pytest.approx(np.full(10, 0.55), abs=0.03)
    sizes = np.bincount(np.diff(sampled.indptr), minlength=11)[1:] / 4_000
    assert sizes[1:9] == pytest.approx(np.full(8, 1 / 9), abs=0.02)  # round(10 · share) is uniform but at the ends
    assert sizes[[0, 9]] == pytest.approx(np.full(2, 1 / 18), abs=0.02)


def test_a_mixture_is_of_two_or_three_users_and_interleaves():
    sizes = [30, 20, 10, 40]
    users = np.repeat(np.arange(4), sizes)
    log = Interactions(users, np.arange(100), np.arange(4), np.arange(100), times=np.arange(100))
    many, lengths, turns = [], [], 0
    for items in histories(sampled_histories(log, 1_000, kinds=["mixture"], ordered=True)):
        of = users[items]
        many.append(len(set(of.tolist())))
        lengths.append(len(items))
        assert all(np.all(np.diff(np.array(items)[of == user]) > 0) for user in set(of.tolist()))  # in their order
        turns += (np.diff(of) != 0).sum() > many[-1] - 1
    assert set(many) == {2, 3} and np.mean(np.array(many) == 2) == pytest.approx(0.5, abs=0.05)
    assert np.mean(lengths) == pytest.approx(np.mean(sizes), rel=0.05)
    assert turns > 800  # of 1,000 mixtures hardly one puts its parts behind each other


def test_a_mixture_of_users_with_the_same_items_holds_each_once():
    log = Interactions([0, 0, 1, 1], [0, 1, 0, 1], ["ann", "bob"], ["a", "b"])
    assert all(len(set(items)) == len(items) for items in histories(sampled_histories(log, 50, kinds=["mixture"])))


def test_a_mixture_of_the_only_user_is_that_user():
    log = Interactions([1, 1], [0, 1], ["ann", "bob"], ["a", "b"])
    assert all(sorted(items) == [0, 1] for items in histories(sampled_histories(log, 5, kinds=["mixture"])))


def test_a_walk_never_leaves_what_users_connect(log):
    lengths = []
    for items in histories(sampled_histories(log, 500, kinds=["walk"], ordered=True, seed=3)):
        assert len({item // 40 for item in items}) == 1
        lengths.append(len(items))
    taken = np.diff(log.indptr)
    assert set(lengths) - {1} and max(lengths) <= taken.max()
    assert np.mean(lengths) == pytest.approx(taken.mean(), rel=0.15)


def test_a_walk_begins_by_the_root_of_popularity_and_goes_where_takers_go():
    # Item 0 has nine takers, item 1 has one, and nobody has both.
    log = Interactions(np.arange(10), [0] * 9 + [1], np.arange(10), np.arange(2))
    first = sampled_histories(log, 4_000, kinds=["walk"]).items
    assert np.mean(first == 0) == pytest.approx(3 / 4, abs=0.03)
    chain = Interactions([0, 0, 1, 1], [0, 1, 1, 2], ["ann", "bob"], list("abc"))
    walks = histories(sampled_histories(chain, 500, kinds=["walk"], ordered=True))
    assert {tuple(walk) for walk in walks} <= {(0, 1), (1, 0), (1, 2), (2, 1), (0,), (1,), (2,)}  # never from a to c


def test_kinds_take_turns_and_users_are_named(log):
    sampled = sampled_histories(log, 7)
    assert sampled.user_ids.tolist() == [f"sampled-{row:06d}" for row in range(7)]
    alone = sampled_histories(log, 3, kinds=["subset"])
    assert histories(sampled_histories(log, 7, kinds=["subset", "walk", "mixture"]))[:7:3] == histories(alone)


def test_equal_seeds_give_equal_histories(log):
    assert sampled_histories(log, 50).fingerprint() == sampled_histories(log, 50).fingerprint()
    assert sampled_histories(log, 50).fingerprint() != sampled_histories(log, 50, seed=1).fingerprint()


def test_ordered_histories_count_their_items(log):
    sampled = sampled_histories(log, 9, ordered=True)
    assert sampled.times.tolist() == [place for items in histories(sampled) for place in range(len(items))]


def test_repeated_pairs_are_taken_once():
    log = Interactions([0, 0, 0, 0], [0, 0, 1, 1], ["ann"], ["a", "b"])
    for items in histories(sampled_histories(log, 60)):
        assert len(set(items)) == len(items)


def test_sampled_users_join_behind_the_others():
    log = Interactions(
        [0, 0, 1], [0, 1, 2], [7, 9], list("abc"), times=[50, 60, 55], weights=[2.0, 3.0, 4.0],
        context={"hour": Categorical([0, 1, 0], ["am", "pm"])},
    )  # fmt: skip
    sampled = sampled_histories(log, 3, kinds=["subset"], ordered=True)
    both = with_sampled(log, sampled)
    assert both.user_ids.tolist() == ["7", "9", "sampled-000000", "sampled-000001", "sampled-000002"]
    assert histories(both) == histories(log) + histories(sampled)
    assert both.times[:3].tolist() == [50, 60, 55] and both.times[3:].tolist() == sampled.times.tolist()
    assert both.weights[:3].tolist() == [2.0, 3.0, 4.0] and set(both.weights[3:].tolist()) == {1.0}
    assert both.context["hour"].tokens[:3].tolist() == [1, 2, 1] and set(both.context["hour"].codes[3:]) == {-1}
    sets = with_sampled(log, sampled_histories(log, 3))
    assert set(sets.times[3:].tolist()) == {0}
    bare = Interactions(log.users, log.items, log.user_ids, log.item_ids)
    assert with_sampled(bare, sampled).times is None


def test_what_cannot_be_sampled_is_refused(log):
    with pytest.raises(DataError, match="rows and the pairs of train must be at least 1, not 0 and"):
        sampled_histories(log, 0)
    with pytest.raises(DataError, match="must be at least 1, not 4 and 0"):
        sampled_histories(log.select(np.zeros(len(log), bool)), 4)
    with pytest.raises(UnknownNameError, match="kinds has no 'shuffle'; it has subset, mixture, walk"):
        sampled_histories(log, 4, kinds=["subset", "shuffle"])
    with pytest.raises(UnknownNameError, match="kinds must name one of subset, mixture, walk, and is empty"):
        sampled_histories(log, 4, kinds=[])
    other = Interactions([0], [0], ["ann"], ["z"])
    with pytest.raises(DataError, match="sampled must have the item_ids of train, and has others"):
        with_sampled(log, sampled_histories(other, 1))

import time

import numpy as np
import pytest

from kdrec.data.sets.demo import demo
from kdrec.data.splits import leave_last_out
from kdrec.data.synthetic import DAYPARTS
from kdrec.errors import DataError


@pytest.fixture(scope="module")
def log():
    return demo()


def test_sizes_and_features(log):
    counts = np.diff(log.indptr)
    assert (log.n_users, log.n_items) == (3000, 1200)
    assert counts.min() >= 15 and counts.max() <= 60
    assert log.item_ids[42] == "I0042" and log.user_ids[7] == "U0007"
    assert list(log.item_features) == ["title", "category", "tags", "price"]
    assert list(log.user_features) == ["age_group"]
    assert len(set(log.titles())) == 1200
    assert (log.item_counts() > 0).all()


def test_takes_less_than_two_seconds():
    start = time.process_time()
    demo(seed=1)
    assert time.process_time() - start < 2 * 2  # twice the promise, for a busy machine


def test_seed_decides_everything():
    prints = [demo(users=100, items=200, seed=seed).fingerprint() for seed in (0, 0, 1)]
    assert prints[0] == prints[1] != prints[2]


def test_no_user_takes_an_item_twice_or_at_the_same_time(log):
    keys = log.users.astype(np.int64) * log.n_items + log.items
    assert len(np.unique(keys)) == len(log)
    same = log.users[1:] == log.users[:-1]
    assert (np.diff(log.times)[same] > 0).all()


def test_popularity_has_a_long_tail(log):
    counts = np.sort(log.item_counts())[::-1]
    assert counts[:120].sum() > 0.3 * len(log)  # a tenth of the items has a third of the pairs
    assert counts[600:].sum() < 0.25 * len(log)


def test_consecutive_items_are_related(log):
    category = log.item_features["category"].codes[log.items]
    same_user = log.users[1:] == log.users[:-1]
    assert (category[1:] == category[:-1])[same_user].mean() > 0.6  # by chance about a twentieth


def test_interests_drift(log):
    """A user's first and last five items share fewer categories than the last five and the five before."""
    category = log.item_features["category"].codes[log.items]

    def shared(user, start, stop):
        mine = category[log.indptr[user] : log.indptr[user + 1]]
        return np.isin(mine[-5:], mine[start:stop]).mean()

    users = np.flatnonzero(np.diff(log.indptr) >= 20)
    early = np.mean([shared(user, 0, 5) for user in users])
    late = np.mean([shared(user, -10, -5) for user in users])
    assert early < 0.8 * late


def test_the_daypart_matters_and_is_that_of_the_clock(log):
    part, category = log.context["daypart"].codes, log.item_features["category"].codes[log.items]
    first = np.append(True, np.diff(log.times) > 3600)  # a session's first event; later ones may pass midnight
    assert (part[first] == (log.times[first] % 86_400) * 4 // 86_400).all()
    table = np.zeros((len(DAYPARTS), 20))
    np.add.at(table, (part, category), 1)
    lift = table / table.sum(axis=1, keepdims=True) / (table.sum(axis=0) / len(log))
    assert (lift.max(axis=0) > 1.05).all() and lift.max(axis=0).mean() > 1.15  # every category has its hour


def test_items_appear_in_time(log):
    first = np.full(log.n_items, np.inf)
    np.minimum.at(first, log.items, log.times)
    assert (first > log.times.min() + 100 * 86_400).mean() > 0.2


def ndcg_at_10(scores, split):
    """Mean of 1 / log2(1 + rank) over the users whose one held-out item is among the first ten."""
    source, users = split.history_source("test"), split.users("test")
    scores = scores.copy()
    scores[source.users, source.items] = -np.inf
    held_out = scores[split.test.users, split.test.items][:, None]
    ranks = 1 + (scores[users] > held_out).sum(axis=1)
    return np.where(ranks <= 10, 1 / np.log2(1 + ranks), 0).mean()


def ease(x, penalty=100.0):
    """Steck 2019: B = −P / diag(P), P = (XᵀX + λI)⁻¹, with a zero diagonal."""
    inverse = np.linalg.inv(x.T @ x + penalty * np.eye(x.shape[1], dtype=np.float32))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0)
    return weights


def test_a_good_model_clearly_beats_popularity(log):
    split = leave_last_out(log)
    source = split.history_source("test")
    x = np.zeros((log.n_users, log.n_items), dtype=np.float32)
    x[source.users, source.items] = 1
    age = source.indptr[source.users + 1] - 1 - np.arange(len(source))
    recent = np.zeros_like(x)
    recent[source.users, source.items] = 0.8**age
    weights = ease(x)
    popular = ndcg_at_10(np.tile(x.sum(axis=0), (log.n_users, 1)), split)
    taste = ndcg_at_10(x @ weights, split)
    recency = ndcg_at_10(recent @ weights, split)
    assert taste >= 2.5 * popular
    assert 0.12 < taste < recency < 0.4  # long-term taste counts, recency counts more, and neither gives it all


@pytest.mark.parametrize(("users", "items"), [(2, 40), (30, 100), (5, 3000)])
def test_other_sizes(users, items):
    log = demo(users=users, items=items)
    assert (log.n_users, log.n_items, len(set(log.titles()))) == (users, items, items)
    assert np.diff(log.indptr).min() > 0


def test_too_small_is_refused():
    with pytest.raises(DataError, match="users and items must be at least 2 and 40, not 2 and 39; the demo needs"):
        demo(users=2, items=39)

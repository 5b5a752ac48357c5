"""The tables of a teacher cache and the lists of a teacher's earlier states, against what can be counted."""

from functools import partial

import numpy as np
import pytest

from kdrec.data.histories import pad_histories
from kdrec.data.interactions import Interactions
from kdrec.distill import cache_tables
from kdrec.distill.cache_tables import ItemUsers
from kdrec.distill.teacher_cache import TeacherCache
from kdrec.errors import BundleError, DataError

N_ITEMS, N_USERS, WIDTH = 6, 5, 3


def random_log(seed=0):
    taken = np.random.default_rng(seed).random((N_USERS, N_ITEMS)) < 0.5
    taken[:, 0] = True  # nobody is without history, nobody has all
    taken[:, 1] = False
    users, items = np.nonzero(taken)
    return Interactions(users, items, np.arange(N_USERS), np.arange(N_ITEMS))


class Embedded:
    """score_j = user row · item row, plus snapshots that reverse and shift the items."""

    name = "embedded"
    provides = frozenset({"user_embedding", "item_embedding", "snapshots"})

    def __init__(self, seed=0, turned=False):
        rng = np.random.default_rng(seed)
        self.users, self.item_embedding = rng.normal(size=(N_USERS, WIDTH)), rng.normal(size=(N_ITEMS, WIDTH))
        self.turned = turned

    def user_embedding(self, x):
        return self.users[x["user"]] * (-1 if self.turned else 1)

    def __call__(self, x):
        return self.user_embedding(x) @ self.item_embedding.T

    def snapshots(self, count):
        return [Embedded(turned=number % 2 == 0) for number in range(count - 1)] + [self]


@pytest.fixture
def write(tmp_path):
    log = random_log()
    users = np.arange(N_USERS, dtype=np.int32)
    counts = np.diff(log.indptr)
    return log, counts, partial(TeacherCache.write, tmp_path / "cache", Embedded(), log, users, counts)


def slow_item_users(scores, top):
    """scores: (rows, items), None where a row has seen the item."""
    table = []
    for item in range(len(scores[0])):
        rows = [row for row in range(len(scores)) if scores[row][item] is not None]
        best = sorted(rows, key=lambda row: (-scores[row][item], row))[:top]
        table.append(best + [-1] * (top - len(best)))
    return table


@pytest.mark.parametrize("waiting", [1, 7, 10**6])
@pytest.mark.parametrize("top", [1, 4, 60])
def test_item_users_against_a_slow_oracle(monkeypatch, top, waiting):
    monkeypatch.setattr(cache_tables, "WAITING", waiting)
    monkeypatch.setattr(cache_tables, "AT_ONCE", 20)
    monkeypatch.setattr(cache_tables, "ITEMS", 3)
    rng = np.random.default_rng(top)
    scores = rng.integers(-3, 4, (50, 8)).astype(np.float32) * np.float32([1, 1e-40, 1e30, 1, 1, 1, 1, 1])
    scores[:, 4] = np.arange(50)  # every row beats all before
    scores[:, 5] = -0.0
    seen = rng.random(scores.shape) < 0.3
    seen[:, 7] = True
    users = ItemUsers(8, top)
    for start, stop in ((0, 11), (11, 12), (12, 50)):
        users.add(start, np.where(seen, -np.inf, scores)[start:stop])
    expected = [[None if seen[row, item] else float(scores[row, item]) for item in range(8)] for row in range(50)]
    table = users.table()
    assert table.dtype == np.int32
    assert table.tolist() == slow_item_users(expected, top)


def test_item_users_of_a_cache_rank_the_rows_that_have_not_seen_the_item(write):
    log, _, cache = write
    scores = Embedded()({"user": np.arange(N_USERS)})
    seen = {(user, item) for user, item in zip(log.users.tolist(), log.items.tolist(), strict=True)}
    told = [[None if (u, i) in seen else scores[u, i] for i in range(N_ITEMS)] for u in range(N_USERS)]
    for batch_size in (2, 512):
        table = cache(needs={"item_users"}, item_top=3, batch_size=batch_size).tables["item_users"]
        assert table.tolist() == slow_item_users(told, 3)
    assert table[0].tolist() == [-1, -1, -1]  # all have it
    assert cache(needs={"item_users"}).tables["item_users"].shape == (N_ITEMS, N_USERS)  # there are no more rows


def test_embeddings_multiply_to_the_scaled_scores(write):
    _, _, cache = write
    both = cache(needs={"user_embedding", "item_embedding"}, scale=9.0)
    assert both.fields == {"user_embedding", "item_embedding"}
    assert set(both.batch(np.arange(2))) == {"teacher_user_embedding"}
    users, items = both.arrays["user_embedding"], both.tables["item_embedding"]
    assert (users.dtype, items.dtype, items.shape) == (np.float16, np.float32, (N_ITEMS, WIDTH))
    np.testing.assert_allclose(items, 3.0 * Embedded().item_embedding, rtol=1e-6)
    expected = 9.0 * Embedded()({"user": np.arange(N_USERS)})
    np.testing.assert_allclose(users.astype(np.float32) @ items.T, expected, atol=0.02)


def test_scores_too_large_to_keep_are_the_product_of_needed_embeddings(write):
    _, _, cache = write
    both = cache(needs={"scores", "user_embedding", "item_embedding"}, dense=False)
    assert both.fields == {"user_embedding", "item_embedding"}
    both.check_has({"scores", "top_items"})
    assert cache(needs={"scores", "user_embedding"}, dense=False).fields == {
        "top_items", "top_scores", "user_embedding"
    }  # fmt: skip


def test_item_counts_leave_unlabelled_users_out(write):
    log, _, cache = write
    counts = cache(needs={"item_counts"}).tables["item_counts"]
    assert counts.dtype == np.float32 and counts[:2].tolist() == [N_USERS, 0]
    assert counts.tolist() == [int((log.items == item).sum()) for item in range(N_ITEMS)]
    nobody_but_two = ~np.isin(np.arange(N_USERS), [0, 3])
    left = cache(needs={"item_counts"}, unlabelled=nobody_but_two).tables["item_counts"]
    assert left.tolist() == [int(((log.items == i) & np.isin(log.users, [0, 3])).sum()) for i in range(N_ITEMS)]


@pytest.mark.parametrize("count", [1, 3])
def test_snapshot_items_are_the_top_lists_of_the_states_the_teacher_last(write, count):
    log, counts, cache = write
    kept = cache(needs={"snapshot_items"}, snapshots=count, top=2, batch_size=3)
    assert kept.fields == {"snapshot_items"}
    lists = kept.batch(np.arange(N_USERS))["teacher_snapshot_items"]
    assert (lists.shape, lists.dtype) == ((N_USERS, count, 2), np.int32)
    seen = pad_histories(log, np.arange(N_USERS))
    for number, state in enumerate(Embedded().snapshots(count)):
        scores = state({"user": np.arange(N_USERS)})
        for user in range(N_USERS):
            unseen = [item for item in range(N_ITEMS) if item + 1 not in seen[user]]
            assert lists[user, number].tolist() == sorted(unseen, key=lambda i: -scores[user, i])[:2]  # noqa: B023
    assert count == 1 or not np.array_equal(lists[:, 0], lists[:, -1])


def test_a_damaged_table_is_refused(write):
    _, _, cache = write
    kept = cache(needs={"item_counts", "scores"})
    np.save(kept.folder / "item_counts.npy", np.zeros(N_ITEMS + 1, np.float32))
    with pytest.raises(
        BundleError, match=r"item_counts.npy must be .*\[6\].*, and is .*\[7\].*; write the cache again"
    ):
        TeacherCache.open(kept.folder)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (np.zeros((N_ITEMS + 1, 2)), r"of teacher 'embedded' must be \(6, d\), one row an item, not \(7, 2\)"),
        (np.full((N_ITEMS, 2), np.nan), "of teacher 'embedded' must be finite; train the teacher again"),
    ],
)
def test_a_wrong_item_embedding_is_refused(tmp_path, table, said):
    teacher, log = Embedded(), random_log()
    teacher.item_embedding = table
    rows = np.arange(2), np.ones(2, int)
    with pytest.raises(DataError, match=said):
        TeacherCache.write(tmp_path / "c", teacher, log, *rows, needs={"item_embedding"})

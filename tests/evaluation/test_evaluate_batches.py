import re
from time import process_time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdrec.errors import DataError
from kdrec.evaluation import ItemLists, evaluate_batches

POPULARITY = np.array([0.9, 0.5, 0.2, 0.1])
SCORES = np.array([[4, 3, 2, 1], [1, 2, 3, 4], [1, 1, 1, 1], [0, 0, 9, 9]])
HELD_OUT = ItemLists.of([[1], [0, 3], [], [2]])
SEEN = ItemLists.of([[0], [], [1], [1]])


def judge(batches=(SCORES,), held_out=HELD_OUT, seen=SEEN, **options):
    return evaluate_batches(batches, held_out, seen, popularity=POPULARITY, **{"ks": (1, 2), **options})


def test_users_without_a_held_out_item_are_left_out_and_counted():
    result = judge(users=np.array([11, 12, 13, 14]))
    assert result.users.tolist() == [11, 12, 14]
    assert result.left_out == 1
    assert result.per_user["recall@1"].tolist() == [1.0, 0.5, 0.5]
    assert result.metrics["recall@1"] == pytest.approx((1.0 + 0.5 + 0.5) / 3)
    # Best unseen items: user 11's 1, 12's 3, 14's 2 or 3; the fourth user's tie is nobody's.
    assert result.metrics["coverage@1"] == (1 + 1 + 0.5) / 4
    assert result.metrics["popularity@1"] == pytest.approx((0.5 + 0.1 + (0.2 + 0.1) / 2) / 3)
    assert result.tied_share == {"tied@1": 1 / 3, "tied@2": 0.0}


def test_sets_of_items_are_judged_apart_among_all():
    """User 0 has item 1 at rank 1; user 1 item 3 at rank 1 and item 0 at rank 4; user 3 item 2, tied for rank 1."""
    odd = np.array([False, True, False, True])
    sets = {"odd": odd, "even": ~odd, "none": np.zeros(4, bool)}
    found = judge(item_sets=sets).by_items
    assert found["odd"]["recall@1"] == (1 + 1) / 2 and found["odd"]["ndcg@2"] == (1 + 1) / 2
    assert found["even"]["recall@1"] == (0 + 0.5) / 2 and found["even"]["recall@2"] == (0 + 1) / 2
    assert found["even"]["ndcg@2"] == pytest.approx((0 + (1 + 1 / np.log2(3)) / 2) / 2)
    assert np.isnan(found["none"]["recall@1"])
    parts = judge([SCORES[:1], SCORES[1:]], item_sets=sets).by_items
    assert parts["even"] == pytest.approx(found["even"]) and judge().by_items == {}
    assert judge(item_sets={"all": odd | ~odd}).by_items["all"] == pytest.approx(
        {name: judge().metrics[name] for name in found["odd"]}
    )


def test_names_are_the_metric_at_k():
    names = ["recall", "precision", "f1", "ndcg", "hr", "mrr", "map"]
    expected = {f"{name}@{k}" for name in names for k in (1, 2)} | {"auc"}
    result = judge()
    assert set(result.per_user) == set(result.pessimistic) == expected
    assert set(result.metrics) == expected | {f"{name}@{k}" for name in ("coverage", "popularity") for k in (1, 2)}


@given(st.lists(st.integers(1, 4), min_size=1, max_size=4).filter(lambda sizes: sum(sizes) == 4))
def test_the_size_of_batches_changes_nothing(sizes):
    ends = np.cumsum(sizes)
    whole, parts = judge(), judge(SCORES[end - size : end] for size, end in zip(sizes, ends, strict=True))
    assert parts.metrics == pytest.approx(whole.metrics)
    assert parts.tied_share == whole.tied_share
    for name, value in whole.per_user.items():
        np.testing.assert_array_equal(parts.per_user[name], value)


def test_a_batch_of_nobody_judged_is_no_obstacle():
    assert judge(SCORES[i : i + 1] for i in range(4)).left_out == 1


def test_progress_is_told_the_rows_done():
    calls = []
    judge([SCORES[:3], SCORES[3:]], progress=lambda done, total: calls.append((done, total)))
    assert calls == [(3, 4), (4, 4)]


def test_prints_a_table_and_gives_plain_figures():
    result = judge()
    assert "3 users, 1 without a held-out item" in str(result)
    assert re.search(r"recall@1 +0\.6667   pessimistic 0\.5000", str(result))
    assert result.as_dict()["metrics"] == result.metrics
    assert (result.as_dict()["users"], result.as_dict()["left_out"]) == (3, 1)


@pytest.mark.parametrize("k", [0, 5])
def test_k_outside_the_catalogue_is_refused(k):
    with pytest.raises(DataError, match=f"k must be from 1 to the catalogue's 4 items, received {k}"):
        judge(ks=(1, k))


@pytest.mark.parametrize("ks", [(), (2, 2)])
def test_no_k_or_the_same_twice_is_refused(ks):
    with pytest.raises(DataError, match=rf"ks must name at least one k and none twice, received {re.escape(str(ks))}"):
        judge(ks=ks)


def test_nan_names_the_user_not_the_row():
    scores = SCORES.astype(float)
    scores[3, 0] = np.nan
    with pytest.raises(DataError, match="the row of user 14 holds NaN at item 0"):
        judge([scores], users=np.array([11, 12, 13, 14]))


def test_scores_of_another_width_are_refused():
    with pytest.raises(DataError, match=r"expected shape \(3, 4\), received \(3, 5\)"):
        judge([np.zeros((4, 5))])


@pytest.mark.parametrize(("rows", "said"), [(3, "received 3 rows for 4"), (5, "received at least 5 rows for 4")])
def test_missing_or_extra_rows_are_refused(rows, said):
    with pytest.raises(DataError, match=f"batches must hold one row a user, {said} users"):
        judge([np.zeros((rows, 4))])


def test_lists_of_different_lengths_are_refused():
    with pytest.raises(DataError, match="must have one row a user each, received 4, 1 and 4 rows"):
        judge(seen=ItemLists.of([[]]))


def test_nothing_held_out_at_all_is_refused():
    with pytest.raises(DataError, match="held_out must list an item for at least one user, received 4 empty lists"):
        judge(held_out=ItemLists.of([[]] * 4))


@pytest.mark.parametrize("name", ["held_out", "seen"])
@pytest.mark.parametrize("item", [-1, 4])
def test_items_outside_the_catalogue_are_refused(name, item):
    with pytest.raises(DataError, match=f"{name} must hold item positions from 0 to 3, received {item}; pass"):
        judge(**{name: ItemLists.of([[item], [], [], []])})


def test_overlap_of_seen_and_held_out_is_refused():
    with pytest.raises(DataError, match="must not overlap: item 2 of user 3 is in both"):
        judge(seen=ItemLists.of([[], [], [], [2]]))


def test_a_full_ranking_pass_over_movielens_size_takes_seconds():
    users, items, held = 6040, 3706, 27
    rng = np.random.default_rng(0)
    held_out = ItemLists(np.arange(users + 1) * held, np.tile(np.arange(held), users))
    nothing = ItemLists(np.zeros(users + 1, np.int64), np.empty(0, np.int64))
    batches = (rng.random((rows, items), dtype=np.float32) for rows in [512] * 11 + [408])
    start = process_time()
    result = evaluate_batches(batches, held_out, nothing, popularity=np.ones(items), ks=(10, 20))
    assert process_time() - start < 5.0
    # Random scores: within four standard errors of chance, where one user's AUC varies by (n + m + 1) / 12 n m.
    error = np.sqrt((items + 1) / (12 * held * (items - held)) / users)
    assert abs(result.metrics["auc"] - 0.5) < 4 * error

"""Every relevance metric against the enumeration of all orders, chance level, and numbers counted by hand."""

from math import comb, log2

import numpy as np
import pytest
import ranking_oracle as oracle
from hypothesis import given
from hypothesis import strategies as st

from kdrec.evaluation import ItemLists, evaluate_batches
from kdrec.evaluation.metrics import AT_K, WITHOUT_K

NAMES = [metric.__name__ for metric in AT_K + WITHOUT_K]


def judge(scores, held_out, seen, k):
    scores = np.array(scores)
    return evaluate_batches(
        [scores], ItemLists.of(held_out), ItemLists.of(seen), popularity=np.ones(scores.shape[1]), ks=(k,)
    )


def column(name, k):
    return name if name == "auc" else f"{name}@{k}"


@st.composite
def cases(draw):
    """A few users whose integer scores tie often; each item of a user is held out, seen, or neither."""
    n_items = draw(st.integers(1, 5))
    row = st.lists(st.integers(0, 2), min_size=n_items, max_size=n_items)
    scores, held_out, seen = [], [], []
    for _ in range(draw(st.integers(1, 3))):
        scores.append(draw(row))
        kinds = draw(st.lists(st.sampled_from("hsn"), min_size=n_items, max_size=n_items).filter(lambda r: "h" in r))
        held_out.append([item for item, kind in enumerate(kinds) if kind == "h"])
        seen.append([item for item, kind in enumerate(kinds) if kind == "s"])
    return scores, held_out, seen, draw(st.integers(1, n_items))


def test_the_oracle_knows_every_metric():
    assert sorted(oracle.METRICS) == sorted(NAMES)


@given(cases())
def test_mean_and_worst_over_all_orders(case):
    scores, held_out, seen, k = case
    result = judge(*case)
    for name in NAMES:
        by_user = [
            oracle.values(name, row, relevant, known, k)
            for row, relevant, known in zip(scores, held_out, seen, strict=True)
        ]
        means = np.array([np.mean(values) for values in by_user])
        np.testing.assert_allclose(result.per_user[column(name, k)], means, atol=1e-12, err_msg=name)
        worst = np.array([min(values) for values in by_user])
        defined = worst[~np.isnan(worst)]
        expected = defined.mean() if len(defined) else np.nan
        np.testing.assert_allclose(result.pessimistic[column(name, k)], expected, atol=1e-12, err_msg=name)


@given(cases())
def test_tied_share_is_the_share_of_users_with_more_than_one_possible_list(case):
    scores, _, seen, k = case
    several = [len(set(oracle.lists(row, known, k))) > 1 for row, known in zip(scores, seen, strict=True)]
    assert judge(*case).tied_share[f"tied@{k}"] == np.mean(several)


@given(cases())
def test_only_the_order_of_scores_counts(case):
    scores, held_out, seen, k = case
    result = judge(*case)
    for transformed in (np.array(scores) * 3.0 - 50.0, np.exp(scores), np.array(scores, np.int8)):
        again = judge(transformed, held_out, seen, k)
        for name, value in result.per_user.items():
            np.testing.assert_array_equal(again.per_user[name], value, err_msg=name)
        assert again.metrics["coverage@" + str(k)] == result.metrics["coverage@" + str(k)]


@given(cases())
def test_pessimistic_is_never_above_the_mean(case):
    result = judge(*case)
    for name, worst in result.pessimistic.items():
        assert np.isnan(worst) or worst <= result.metrics[name] + 1e-12, name


@pytest.mark.parametrize(("n", "k"), [(1, 1), (1, 10), (4, 3), (7, 10), (40, 10), (3, 40)])
def test_an_all_equal_model_earns_chance_level(n, k):
    items = 40
    metrics = judge(np.zeros((1, items)), [range(n)], [[]], k).metrics
    discounts = sum(1 / log2(rank + 1) for rank in range(1, k + 1))
    ideal = sum(1 / log2(rank + 1) for rank in range(1, min(n, k) + 1))
    assert metrics[f"recall@{k}"] == pytest.approx(k / items)
    assert metrics[f"precision@{k}"] == pytest.approx(n / items)
    assert metrics[f"f1@{k}"] == pytest.approx(2 * k * n / items / (k + n))
    assert metrics[f"ndcg@{k}"] == pytest.approx(n / items * discounts / ideal)
    assert metrics[f"hr@{k}"] == pytest.approx(1 - comb(items - n, k) / comb(items, k))
    first = [comb(items - rank, n - 1) / comb(items, n) for rank in range(1, k + 1)]
    assert metrics[f"mrr@{k}"] == pytest.approx(sum(p / rank for rank, p in enumerate(first, 1)))
    hits = [n / items * (1 + (rank - 1) * (n - 1) / (items - 1)) / rank for rank in range(1, k + 1)]
    assert metrics[f"map@{k}"] == pytest.approx(sum(hits) / min(n, k))
    assert n == items or metrics["auc"] == 0.5


def test_counted_by_hand_without_ties():
    # Ranks: item 0 (held out), 1, 2 (held out), 3, 4 (held out); k = 3.
    metrics = judge([[5.0, 4.0, 3.0, 2.0, 1.0]], [[0, 2, 4]], [[]], 3).metrics
    assert metrics["recall@3"] == pytest.approx(2 / 3)
    assert metrics["precision@3"] == pytest.approx(2 / 3)
    assert metrics["f1@3"] == pytest.approx(2 / 3)
    assert metrics["ndcg@3"] == pytest.approx((1 + 1 / log2(4)) / (1 + 1 / log2(3) + 1 / log2(4)))
    assert metrics["hr@3"] == metrics["mrr@3"] == 1.0
    assert metrics["map@3"] == pytest.approx((1 / 1 + 2 / 3) / 3)
    assert metrics["auc"] == pytest.approx((2 + 1 + 0) / (3 * 2))


def test_a_perfect_list_earns_one():
    metrics = judge([[5.0, 4.0, 3.0, 2.0, 1.0]], [[0, 1]], [[]], 2).metrics
    assert {metrics[column(name, 2)] for name in NAMES} == {1.0}


def test_no_hit_earns_zero():
    metrics = judge([[1.0, 2.0, 3.0, 4.0]], [[0]], [[]], 3).metrics
    assert {metrics[column(name, 3)] for name in NAMES} == {0.0}


def test_auc_is_undefined_without_another_unseen_item_and_left_out_of_the_mean():
    result = judge([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]], [[0, 1], [0]], [[2], []], 1)
    assert np.isnan(result.per_user["auc"]).tolist() == [True, False]
    assert result.metrics["auc"] == 1.0


def test_auc_that_is_undefined_for_everyone_is_nan():
    assert np.isnan(judge([[1.0, 2.0]], [[0, 1]], [[]], 1).metrics["auc"])

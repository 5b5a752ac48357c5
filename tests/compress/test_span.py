"""What is left out is what is missed least: against singular values, and against all choices."""

from itertools import combinations

import numpy as np
import pytest

from kdrec.compress.span import kept, picked, turned

ITEMS, QUERIES, WIDTH = 30, 50, 6


def table(rows, seed, rank=WIDTH):
    """Columns that differ in size and depend on each other."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(rows, rank)) @ rng.normal(size=(rank, WIDTH)) * np.arange(1, WIDTH + 1)


def lost(span, items, queries):
    """Σ (q · E_j − q′ · E′_j)² over all pairs."""
    return np.square(queries @ items.T - (queries @ span.back.T) @ (items @ span.into).T).sum()


@pytest.mark.parametrize("width", [1, 3, 5])
def test_the_scores_lose_the_discarded_singular_values(width):
    items, queries = table(ITEMS, 0), table(QUERIES, 1)
    span = turned(items.T @ items, queries.T @ queries, width)
    discarded = np.linalg.svd(queries @ items.T, compute_uv=False)[width:]
    assert lost(span, items, queries) == pytest.approx(np.square(discarded).sum(), rel=1e-5)
    assert span.into.T @ span.into == pytest.approx(np.eye(width), abs=1e-9)


def test_with_readers_that_ask_alike_in_all_directions_the_table_loses_its_own():
    items = table(ITEMS, 0)
    span = turned(items.T @ items, np.eye(WIDTH), 2)
    discarded = np.linalg.svd(items, compute_uv=False)[2:]
    assert lost(span, items, np.eye(WIDTH)) == pytest.approx(np.square(discarded).sum(), rel=1e-5)


@pytest.mark.parametrize("choose", [turned, picked])
def test_all_columns_lose_nothing(choose):
    items, queries = table(ITEMS, 0), table(QUERIES, 1)
    span = choose(items.T @ items, queries.T @ queries, WIDTH)
    np.testing.assert_allclose(span.into @ span.back, np.eye(WIDTH), atol=1e-9)


@pytest.mark.parametrize("choose", [turned, picked])
def test_a_table_of_low_rank_loses_nothing_at_that_width(choose):
    items, queries = table(ITEMS, 0, rank=2), table(QUERIES, 1)
    span = choose(items.T @ items, queries.T @ queries, 2)
    scores = queries @ items.T
    assert lost(span, items, queries) < 1e-9 * np.square(scores).sum()


def test_an_empty_table_is_no_division_by_zero():
    for choose in (turned, picked):
        assert np.isfinite(choose(np.zeros((3, 3)), np.zeros((3, 3)), 2).back).all()


def test_picked_columns_are_columns():
    items, queries = table(ITEMS, 0), table(QUERIES, 1)
    span = picked(items.T @ items, queries.T @ queries, 3)
    columns = np.flatnonzero(span.into.any(axis=1))
    assert np.array_equal(items @ span.into, items[:, columns])


def refitted(made, weights, columns):
    """What is lost with some columns alone, fitted anew."""
    wanted, left = made @ weights, made[:, list(columns)]
    return np.square(wanted - left @ np.linalg.lstsq(left, wanted, rcond=None)[0]).sum()


@pytest.mark.parametrize("count", range(WIDTH))
def test_columns_are_left_out_one_by_one_as_by_trying_all(count):
    for seed in range(5):
        made, weights = table(ITEMS, seed), np.random.default_rng(seed).normal(size=(WIDTH, 2))
        columns = tuple(range(WIDTH))
        while len(columns) > count:
            columns = min(combinations(columns, len(columns) - 1), key=lambda left: refitted(made, weights, left))
        assert tuple(kept(made.T @ made, weights, np.eye(2), count)) == columns


def test_a_column_that_another_repeats_costs_nothing():
    made = table(ITEMS, 0)
    made[:, 2] = 100 * made[:, 4]
    left = kept(made.T @ made, np.ones((WIDTH, 1)), np.eye(1), WIDTH - 1)
    assert len({2, 4} & set(left)) == 1


def test_columns_that_must_stay_take_over():
    made = np.random.default_rng(0).normal(size=(ITEMS, 3))
    made[:, 0] = 5.0  # a constant, as the last column is: its mean is all that it has
    made[:, 2] = 1.0
    assert kept(made.T @ made, np.ones((3, 1)), np.eye(1), 1, optional=2) == [1]


def test_outputs_are_compared_by_their_metric():
    weights = np.array([[3.0, 0.0], [0.0, 1.0]])
    assert kept(np.eye(2), weights, np.diag([1.0, 1.0]), 1) == [0]
    assert kept(np.eye(2), weights, np.diag([1.0, 100.0]), 1) == [1]

"""Draws, losses, the graph and the queries of the factor models, each against a slow oracle."""

import numpy as np
import pytest
import tensorflow as tf
from factor_log import N_ITEMS, N_USERS, WIDTH, log, random_tables, taken_by

from kdrec.data.histories import pad_histories
from kdrec.data.interactions import Interactions
from kdrec.models.teachers.lightgcn import graph
from kdrec.models.teachers.lightgcn.model import LightGcnModel
from kdrec.models.teachers.lightgcn.teacher import LightGcn
from kdrec.models.teachers.mf_bpr import train as mf_train
from kdrec.models.teachers.mf_bpr.batches import FactorBatches, Untaken
from kdrec.models.teachers.mf_bpr.model import FactorModel, FactorOptions
from kdrec.models.teachers.mf_bpr.objectives import bpr, softmax
from kdrec.models.teachers.mf_bpr.teacher import MfBpr, Tables


def test_untaken_items_are_drawn_uniformly_and_taken_ones_never():
    train, taken = log(), taken_by(log())
    drawn = Untaken(train)(np.arange(N_USERS), 4_000, np.random.default_rng(0))
    for user, row in enumerate(drawn):
        shares = np.bincount(row, minlength=N_ITEMS) / len(row)
        left = N_ITEMS - len(taken[user])
        expected = [0.0 if item in taken[user] else 1 / left for item in range(N_ITEMS)]
        assert np.array_equal(shares > 0, np.array(expected) > 0)
        np.testing.assert_allclose(shares, expected, atol=0.04)


@pytest.mark.parametrize("shared", [False, True])
def test_epochs_hold_every_pair_but_the_last_few_and_do_not_depend_on_where_they_start(shared):
    batches = FactorBatches(log(), 16, 3, shared, seed=0)
    steps = batches.steps_per_epoch
    both = list(batches(0).take(2 * steps).as_numpy_iterator())
    second = list(batches(1).take(steps).as_numpy_iterator())
    for a, b in zip(both[steps:], second, strict=True):
        assert all(np.array_equal(a[name], b[name]) for name in a)
    assert any(not np.array_equal(a["negatives"], b["negatives"]) for a, b in zip(both, second, strict=False))
    counts = sum(np.bincount(batch["item"], minlength=N_ITEMS) for batch in second)
    assert counts.sum() == steps * 16 and (counts <= log().item_counts()).all()
    assert second[0]["negatives"].shape == ((3,) if shared else (16, 3))
    taken = taken_by(log())
    assert all(item in taken[user] for user, item in zip(second[0]["user"], second[0]["item"], strict=True))
    if not shared:
        against = zip(second[0]["user"], second[0]["negatives"], strict=True)
        assert all(taken[user].isdisjoint(items.tolist()) for user, items in against)


def test_negatives_of_a_batch_come_from_the_whole_catalogue():
    batch = FactorBatches(log(), 16, 500, shared=True, seed=0).batch(np.arange(16), np.random.default_rng(0))
    assert set(batch["negatives"].tolist()) == set(range(N_ITEMS))


def test_a_user_who_took_everything_is_not_trained_on():
    train = Interactions([0, 0, 0, 1], [0, 1, 2, 0], [10, 11], [20, 21, 22])
    assert FactorBatches(train, 2, 1, shared=False, seed=0).rows.tolist() == [3]


def test_bpr_against_its_formula():
    rng = np.random.default_rng(0)
    query, items = rng.normal(size=(5, 3)).astype(np.float32), rng.normal(size=(6, 3)).astype(np.float32)
    item, negatives = rng.integers(0, 6, 5), rng.integers(0, 6, (5, 4))
    expected = [
        np.mean([-np.log(1 / (1 + np.exp(-(q @ items[i] - q @ items[j])))) for j in others])
        for q, i, others in zip(query, item, negatives, strict=True)
    ]
    np.testing.assert_allclose(bpr(query, items, item, negatives), expected, rtol=1e-5)


def test_softmax_against_its_formula_in_which_a_row_has_its_own_item_once():
    rng = np.random.default_rng(0)
    query, items = rng.normal(size=(5, 3)).astype(np.float32), rng.normal(size=(6, 3)).astype(np.float32)
    item, negatives = np.array([0, 1, 2, 3, 4], np.int32), np.array([2, 5, 2, 1], np.int32)
    expected = []
    for q, i in zip(query, item, strict=True):
        exps = [np.exp(q @ items[j]) for j in [i, *(j for j in negatives if j != i)]]
        expected.append(-np.log(exps[0] / np.sum(exps)))
    np.testing.assert_allclose(softmax(query, items, item, negatives), expected, rtol=1e-5)


@pytest.mark.parametrize("loss", [bpr, softmax])
def test_losses_of_large_scores_are_finite(loss):
    query = tf.Variable([[1e4], [-1e4]])
    negatives = np.array([[1], [1]], np.int32) if loss is bpr else np.array([1], np.int32)
    with tf.GradientTape() as tape:
        values = loss(query, tf.constant([[1.0], [0.0]]), np.array([0, 0], np.int32), negatives)
    np.testing.assert_allclose(values, [0.0, 1e4])
    np.testing.assert_allclose(tape.gradient(values, query), [[0.0], [-1.0]])


def test_the_objective_is_the_weighted_loss_plus_the_squares_of_the_rows_that_are_named():
    options = FactorOptions(N_USERS, N_ITEMS, WIDTH, "bpr", regularization=0.3, seed=0)
    model = FactorModel(options)
    users, items = (table.numpy() for table in (model.users, model.items))
    batch = FactorBatches(log(weights=True), 8, 2, shared=False, seed=0).batch(np.arange(8), np.random.default_rng(0))
    losses = bpr(users[batch["user"]], items, batch["item"], batch["negatives"]).numpy()
    squares = 0.0
    for row in range(8):
        named = [users[batch["user"][row]], items[batch["item"][row]], *items[batch["negatives"][row]]]
        squares += sum(float(vector @ vector) for vector in named)
    assert set(batch["weight"]) == set(log(weights=True).weights[:8])
    expected = np.mean(batch["weight"] * losses) + 0.3 * squares / 2 / 8
    assert float(model.objective(batch)) == pytest.approx(expected, rel=1e-5)


def slow_adjacency(train):
    pairs = set(zip(train.users.tolist(), train.items.tolist(), strict=True))
    matrix = np.zeros((N_USERS + N_ITEMS, N_USERS + N_ITEMS))
    for user, item in pairs:
        of_user, of_item = sum(u == user for u, _ in pairs), sum(i == item for _, i in pairs)
        matrix[user, N_USERS + item] = matrix[N_USERS + item, user] = 1 / np.sqrt(of_user * of_item)
    return matrix


def slow_means(matrix, table, graph_layers):
    layers = [np.linalg.matrix_power(matrix, k) @ table for k in range(graph_layers + 1)]
    return np.mean(layers, axis=0)


def test_adjacency_against_a_slow_oracle():
    np.testing.assert_allclose(graph.adjacency(log()).toarray(), slow_adjacency(log()), rtol=1e-6)


def test_vectors_and_gradients_spread_over_the_graph():
    matrix, table = slow_adjacency(log()), np.concatenate(random_tables())
    x = tf.Variable(table)
    seed = np.random.default_rng(1).normal(size=table.shape).astype(np.float32)
    with tf.GradientTape() as tape:
        spread = graph.propagated(graph.as_tensor(graph.adjacency(log())), x, 3)
        total = tf.reduce_sum(spread * seed)
    np.testing.assert_allclose(spread, slow_means(matrix, table, 3), atol=1e-6)
    np.testing.assert_allclose(tape.gradient(total, x), slow_means(matrix, seed, 3), atol=1e-6)


@pytest.mark.parametrize("temperature", [None, 0.2])
def test_a_known_user_with_the_training_history_has_the_trained_vector(temperature):
    """The teacher, which puts a query together from a history, and the model, which spreads a table, agree."""
    train, graph_layers = log(), 3
    options = FactorOptions(N_USERS, N_ITEMS, WIDTH, "softmax", 0.0, seed=0)
    model = LightGcnModel(options, graph.adjacency(train), graph_layers, temperature)
    users, items = (table.numpy() for table in model.embedded())
    tables = graph.tables(train, graph_layers, model.users.numpy(), model.items.numpy())
    teacher = LightGcn(tables, recency=None, temperature=temperature)
    known = np.arange(N_USERS - 1)
    x = {"user": known, "history": pad_histories(train, known)}
    np.testing.assert_allclose(teacher.user_embedding(x), users[:-1], atol=1e-6)
    np.testing.assert_allclose(teacher.item_embedding, items, atol=1e-5)
    means = slow_means(slow_adjacency(train), np.concatenate([model.users, model.items]), graph_layers)
    if temperature is not None:
        means /= np.linalg.norm(means, axis=1, keepdims=True)
    expected = means[:N_USERS] @ means[N_USERS:].T / (temperature or 1.0)
    np.testing.assert_allclose(teacher(x), expected[:-1], rtol=1e-4, atol=1e-5)


def test_an_unknown_user_is_a_node_whose_own_row_is_zero():
    """Layer k of the node is Σ over its history of layer k − 1 of the items, by degrees."""
    train, graph_layers, history = log(), 2, [2, 5, 6]
    users, items = random_tables()
    matrix, table = slow_adjacency(train), np.concatenate([users, items])
    layers = [np.linalg.matrix_power(matrix, k) @ table for k in range(graph_layers + 1)]
    taken = taken_by(train)
    expected = np.zeros(WIDTH)
    for k in range(1, graph_layers + 1):
        for item in history:
            degree = sum(item in each for each in taken)
            expected += layers[k - 1][N_USERS + item] / np.sqrt(len(history) * degree) / (graph_layers + 1)
    teacher = LightGcn(graph.tables(train, graph_layers, users, items), recency=None, temperature=None)
    tokens = np.array([[0, *(item + 1 for item in history)]])
    for user in (-1, N_USERS, N_USERS - 1):  # the last one has no pair in training
        got = teacher.user_embedding({"user": np.array([user]), "history": tokens})
        np.testing.assert_allclose(got[0], expected, atol=1e-6)
    np.testing.assert_allclose(teacher.user_embedding({"history": tokens})[0], expected, atol=1e-6)


def test_an_unknown_user_is_folded_in_by_ridge_regression(monkeypatch):
    train, (users, items) = log(), random_tables()
    monkeypatch.setattr(mf_train, "RIDGE", 0.5)
    items[-1] = 100.0  # of an item without pairs, which says nothing
    taken = taken_by(train)
    means = np.array([items[sorted(each)].mean(axis=0) for each in taken[:-1]])
    ridge = np.sqrt(0.5 * np.mean(np.sum(means**2, axis=0)))
    weights = np.linalg.lstsq(
        np.concatenate([means, ridge * np.eye(WIDTH)]), np.concatenate([users[:-1], np.zeros((WIDTH, WIDTH))])
    )[0]
    teacher = MfBpr(mf_train.tables(train, users, items), recency=None)
    expected = (items[2] + items[5]) / 2 @ weights
    for user in (-1, N_USERS, N_USERS - 1):
        x = {"user": np.array([user]), "history": np.array([[0, 3, 6]])}
        np.testing.assert_allclose(teacher.user_embedding(x)[0], expected, rtol=1e-4, atol=1e-5)
    third = {"history": np.array([[3, 6, N_ITEMS]])}
    np.testing.assert_allclose(teacher.user_embedding(third)[0], expected * 2 / 3, rtol=1e-4, atol=1e-5)


def test_a_known_user_has_the_trained_row_moved_by_what_is_recent():
    users, items = random_tables()
    history = np.random.default_rng(2).normal(size=(N_ITEMS, WIDTH)).astype(np.float32)
    x = {"user": np.array([3]), "history": np.array([[3, 6]])}
    sets = MfBpr(Tables(users, items, history), recency=None)
    np.testing.assert_allclose(sets.user_embedding(x)[0], users[3], atol=1e-6)
    np.testing.assert_allclose(sets(x)[0], items @ users[3], rtol=1e-4, atol=1e-5)
    ordered = MfBpr(Tables(users, items, history), recency=1.0)
    moved = (0.5 * history[2] + history[5]) / 1.5 - (history[2] + history[5]) / 2
    np.testing.assert_allclose(ordered.user_embedding(x)[0], users[3] + moved, atol=1e-6)

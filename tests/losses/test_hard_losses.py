"""The losses on what users did, against slow oracles written from their formulas."""

import math

import numpy as np
import pytest
import tensorflow as tf

from kdrec.errors import TrainingError
from kdrec.losses.bce import Bce, bce
from kdrec.losses.bpr import Bpr, bpr, draw_unseen, labels_seed
from kdrec.losses.in_batch_softmax import InBatchSoftmax, in_batch_softmax
from kdrec.losses.sampled_softmax import SampledSoftmax, draw_shares, sampled_softmax
from kdrec.losses.softmax import softmax

ITEMS = 7
LABELS = np.array([[2, -1, 5], [3, -7, 0], [6, 2, -4], [0, -4, 0]])  # the last row holds nothing out
HELD_OUT = [[1, 4], [2], [5, 1], []]  # item positions
SEEN = [[0], [6], [3], [3]]
COUNTS = [3, 1, 4, 1, 5, 9, 2]
SCORES = np.random.default_rng(0).normal(size=(4, ITEMS)).astype(np.float32)


def log_sigmoid(x):
    return -math.log(1 + math.exp(-x))


def unseen(row):
    return [item for item in range(ITEMS) if item not in SEEN[row] + HELD_OUT[row]]


def mean_over_held_out(cost):
    """cost(row, item) averaged over the held-out items of each row."""
    return [sum(cost(row, i) for i in held) / len(held) if held else 0.0 for row, held in enumerate(HELD_OUT)]


def test_bpr_is_its_formula_over_the_items_it_drew():
    targets, items, _ = draw_unseen(tf.constant(LABELS), ITEMS, negatives=3)
    drawn = {
        (row, token - 1): items[row, 3 * at : 3 * at + 3].numpy()
        for row in range(4)
        for at, token in enumerate(targets[row].numpy())
        if token
    }
    assert sorted(drawn) == sorted((row, item) for row in range(4) for item in HELD_OUT[row])

    def cost(row, i):
        return -sum(log_sigmoid(SCORES[row, i] - SCORES[row, j]) for j in drawn[row, i]) / 3

    np.testing.assert_allclose(bpr(LABELS, SCORES, negatives=3), mean_over_held_out(cost), rtol=1e-5)


def test_draws_are_uniform_over_what_a_row_has_neither_seen_nor_held_out():
    _, items, any_free = draw_unseen(tf.constant(LABELS), ITEMS, negatives=3000)
    assert any_free.numpy().all()
    for row in range(4):
        counts = np.bincount(items[row], minlength=ITEMS)
        assert np.flatnonzero(counts).tolist() == unseen(row)
        assert counts[unseen(row)].min() > 0.9 * len(items[row]) / len(unseen(row))


def test_a_row_with_nothing_to_draw_costs_nothing():
    labels = np.array([[1, -2, -3], [1, -2, 0]])
    scores = np.array([[1.0, 2.0, 3.0], [0.0, 9.0, 0.0]], np.float32)
    assert bpr(labels, scores).numpy().tolist() == [0.0, pytest.approx(math.log(2))]
    expected = [-log_sigmoid(1.0), -(log_sigmoid(0.0) + 4 * log_sigmoid(0.0)) / 5]
    np.testing.assert_allclose(bce(labels, scores, negatives=4), expected, rtol=1e-5)


def test_a_batch_without_held_out_items_costs_nothing():
    for loss in (bpr, lambda *given: bce(*given, negatives=2), bce, sampled_softmax, in_batch_softmax):
        assert loss(np.array([[-1, 0], [0, 0]]), SCORES[:2]).numpy().tolist() == [0.0, 0.0]


def test_bce_is_its_formula_over_all_unseen_items():
    expected = []
    for row, held in enumerate(HELD_OUT):
        terms = [log_sigmoid(SCORES[row, i]) for i in held] + [log_sigmoid(-SCORES[row, j]) for j in unseen(row)]
        expected.append(-sum(terms) / len(terms) if held else 0.0)
    np.testing.assert_allclose(bce(LABELS, SCORES), expected, rtol=1e-5)


def test_bce_over_draws_is_its_formula():
    targets, items, _ = draw_unseen(tf.constant(LABELS), ITEMS, negatives=2)
    expected = []
    for row, held in enumerate(HELD_OUT):
        drawn = items[row, : 2 * len(held)].numpy()
        terms = [log_sigmoid(SCORES[row, i]) for i in held] + [log_sigmoid(-SCORES[row, j]) for j in drawn]
        expected.append(-sum(terms) / len(terms) if held else 0.0)
    np.testing.assert_allclose(bce(LABELS, SCORES, negatives=2), expected, rtol=1e-5)


def slow_sampled_softmax(negatives, power, remove_hits=True):
    """The formula, drawing by the inverse of the cumulative shares."""
    shares = np.array(COUNTS) ** power / sum(np.array(COUNTS, float) ** power)
    drawn = tf.random.stateless_uniform([4, negatives], labels_seed(tf.constant(LABELS)), dtype=tf.float64).numpy()
    items = [[sum(share <= u for share in np.cumsum(shares)) for u in row] for row in drawn]

    def cost(row, i):
        left = [j for j in items[row] if j in unseen(row) or not remove_hits]
        rest = sum(math.exp(SCORES[row, j]) / (negatives * shares[j]) for j in left)
        return -math.log(math.exp(SCORES[row, i]) / (math.exp(SCORES[row, i]) + rest))

    return mean_over_held_out(cost)


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0])
def test_sampled_softmax_is_its_formula_and_removes_accidental_hits(power):
    received = sampled_softmax(LABELS, SCORES, negatives=6, item_counts=COUNTS, power=power).numpy()
    np.testing.assert_allclose(received, slow_sampled_softmax(6, power), rtol=1e-5)
    with_hits = slow_sampled_softmax(6, power, remove_hits=False)
    assert np.all(received[:3] < np.array(with_hits)[:3] - 0.01)  # each row draws items of its own


def test_sampled_softmax_nears_softmax_with_more_draws():
    """One held-out item a row, for `softmax` counts the others among the rest."""
    labels = np.array([[2, -1, 0], [3, -7, 0], [6, -4, 0], [0, -4, 0]])
    full = softmax(labels, tf.constant(SCORES)).numpy()
    errors = [
        np.abs(sampled_softmax(labels, SCORES, negatives, COUNTS).numpy() - full).max() for negatives in (10, 100_000)
    ]
    assert 0 < errors[1] < 0.02 < errors[0]
    uncorrected = np.abs(sampled_softmax(labels, SCORES, 100_000, None, 1.0).numpy() - full).max()
    assert uncorrected < 0.02  # uniform draws need no counts


def test_in_batch_softmax_is_its_formula():
    log_share = np.log(np.array(COUNTS) / sum(COUNTS))

    def cost(row, i):
        others = [j for other, held in enumerate(HELD_OUT) if other != row for j in held]
        others = [j for j in others if j in unseen(row)]  # an item that two rows hold out is there twice
        corrected = SCORES[row] - log_share
        return -math.log(math.exp(corrected[i]) / sum(math.exp(corrected[j]) for j in [i, *others]))

    expected = mean_over_held_out(cost)
    np.testing.assert_allclose(in_batch_softmax(LABELS, SCORES, COUNTS), expected, rtol=1e-5)
    assert np.all(np.abs(in_batch_softmax(LABELS, SCORES).numpy() - expected)[:3] > 0.01)  # the correction counts


def test_in_batch_softmax_leaves_out_what_the_row_has_seen_or_holds_out():
    labels = np.array([[1, 0], [2, -1], [1, -2]])
    equal = np.zeros((3, 3), np.float32)
    assert in_batch_softmax(labels, equal).numpy().tolist() == [pytest.approx(math.log(2)), 0.0, 0.0]
    twice = in_batch_softmax(np.array([[1], [2], [2]]), equal).numpy()  # item 1 stands twice against row 0
    assert twice.tolist() == [pytest.approx(math.log(3)), pytest.approx(math.log(2)), pytest.approx(math.log(2))]


DRAWING = [Bpr(reduction="none"), Bce(negatives=5, reduction="none"), SampledSoftmax(20, COUNTS, reduction="none")]


@pytest.mark.parametrize("loss", DRAWING, ids=lambda loss: type(loss).__name__)
def test_draws_follow_from_seed_and_labels_alone(loss):
    values = loss(LABELS, SCORES).numpy()
    compiled = tf.function(loss)(tf.constant(LABELS), tf.constant(SCORES)).numpy()
    np.testing.assert_allclose(compiled, values, rtol=1e-5)
    other = type(loss).from_config({**loss.get_config(), "seed": 1})(LABELS, SCORES).numpy()
    turned = loss(LABELS[[1, 0, 2, 3]], SCORES[[1, 0, 2, 3]]).numpy()[[1, 0, 2, 3]]
    assert np.all(values[:3] != other[:3]) and np.all(values[:2] != turned[:2])


ALL = [*DRAWING, Bce(reduction="none"), InBatchSoftmax(COUNTS, reduction="none")]


@pytest.mark.parametrize("loss", ALL, ids=lambda loss: type(loss).__name__)
@pytest.mark.parametrize("sign", [1, -1])
def test_finite_at_extreme_scores(loss, sign):
    scores = tf.Variable(sign * 1e4 * SCORES)
    with tf.GradientTape() as tape:
        value = loss(LABELS, scores)
    gradient = tf.convert_to_tensor(tape.gradient(value, scores)).numpy()
    assert np.all(np.isfinite(value)) and np.all(np.isfinite(gradient))
    assert value.numpy().max() > 1e3 and value[3] == 0 and not gradient[3].any()


def test_counts_of_another_catalogue_are_refused():
    message = r"item_counts must hold one number for each of 7 items, not shape \(2,\); count the training pairs"
    for loss in (SampledSoftmax(item_counts=[1, 2]), InBatchSoftmax(item_counts=[1, 2])):
        with pytest.raises(TrainingError, match=message):
            loss(LABELS, SCORES)


def test_shares_are_powers_of_counts():
    np.testing.assert_allclose(draw_shares([4, 1, 0], 3, 0.5), [0.5, 0.25, 0.25])
    np.testing.assert_allclose(draw_shares(None, 4, 1.0), np.full(4, 0.25))


@pytest.mark.parametrize("kind", [Bpr, Bce, SampledSoftmax])
def test_no_draws_are_refused(kind):
    with pytest.raises(TrainingError, match="negatives must be at least 1, not 0"):
        kind(negatives=0)

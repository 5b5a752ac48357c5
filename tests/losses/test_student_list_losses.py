"""Losses whose items follow what the student ranks, each against a slow oracle written from its formula."""

import math

import numpy as np
import pytest
import tensorflow as tf
from fake_teacher import ITEMS, ROWS, SNAPSHOTS, TOP, case, copy_of

from kdrec.errors import TrainingError
from kdrec.losses.base import best_unseen
from kdrec.losses.hetcomp import Hetcomp, discrepancy, hetcomp, target_of
from kdrec.losses.rce_kd import RceKd, drawn_above, missed_of, rce_kd, spread_items


def own_list(scores, seen, k):
    """The best k unseen items of one row."""
    return [item for item in np.argsort(-scores, kind="stable") if not seen[item]][:k]


def fields(seed=0):
    """Student scores, the teacher's fields and seen items of a made-up batch, as numpy arrays."""
    student, teacher, batch = case(seed)
    return student["scores"].numpy(), {name: value.numpy() for name, value in teacher.items()}, batch.seen.numpy()


# From easy to hard


def slow_hetcomp(scores, listed, seen, ordered):
    rest = sum(math.exp(s) for item, s in enumerate(scores) if item not in listed and not seen[item])
    tails = [listed[k:] if ordered else [item] for k, item in enumerate(listed)]
    chances = [math.exp(scores[tail[0]]) / (sum(math.exp(scores[i]) for i in tail) + rest) for tail in tails]
    return -sum(map(math.log, chances)) / len(listed)


@pytest.mark.parametrize("ordered", [False, True])
def test_hetcomp_lifts_the_list_and_then_orders_it(ordered):
    scores, teacher, seen = fields()
    expected = [slow_hetcomp(scores[r], teacher["top_items"][r].tolist(), seen[r], ordered) for r in range(ROWS)]
    assert np.allclose(hetcomp(scores, teacher["top_items"], ordered, seen), expected, rtol=1e-5)


def test_hetcomp_without_order_does_not_see_the_order():
    scores, teacher, seen = fields()
    turned = teacher["top_items"][:, ::-1]
    values = hetcomp(scores, teacher["top_items"], False, seen)
    assert np.allclose(values, hetcomp(scores, turned, False, seen), rtol=1e-5)
    assert not np.allclose(hetcomp(scores, teacher["top_items"], True, seen), hetcomp(scores, turned, True, seen))


def test_discrepancy_is_one_minus_ndcg():
    rng = np.random.default_rng(3)
    own = np.stack([rng.permutation(9)[:4] for _ in range(3)])
    states = np.stack([[rng.permutation(9)[:4] for _ in range(2)] for _ in range(3)])
    states[0, 1, 3] = -1
    worth, discount = [2 ** math.exp(-k / 10) - 1 for k in range(4)], [1 / math.log2(k + 2) for k in range(4)]
    expected = np.zeros((3, 2))
    for row, state in np.ndindex(3, 2):
        listed = states[row, state].tolist()
        gain = sum(discount[k] * worth[listed.index(item)] for k, item in enumerate(own[row]) if item in listed)
        best = sum(d * w for d, w, item in zip(discount, worth, listed, strict=True) if item >= 0)
        expected[row, state] = 1 - gain / best
    assert np.allclose(discrepancy(own, states), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("discrepancies", "progress", "state"),
    [
        ([0.9, 0.9, 0.9], 0.0, 0),
        ([0.9, 0.9, 0.9], 0.34, 1),  # a third of the training is over
        ([0.1, 0.9, 0.9], 0.0, 1),  # knows the first already
        ([0.1, 0.2, 0.9], 0.0, 2),
        ([0.9, 0.2, 0.9], 0.5, 2),  # the first is not asked any more
        ([0.1, 0.2, 0.1], 0.0, 2),  # knows all: the teacher itself
        ([0.9, 0.9, 0.9], 1.0, 2),
    ],
)
def test_target_follows_progress_and_what_a_row_knows(discrepancies, progress, state):
    states = tf.constant([[[10, 11], [20, 21], [30, 31]]])
    target = target_of(tf.constant([discrepancies]), states, tf.constant(progress), tolerance=0.3)
    assert target.numpy().tolist() == states[:, state].numpy().tolist()


def test_hetcomp_begins_with_the_easiest_state_and_ends_with_the_ordered_teacher():
    student, teacher, batch = case(progress=0.0)
    states, unknown = teacher["snapshot_items"], Hetcomp(tolerance=0.0)  # nothing is ever known
    first = hetcomp(student["scores"], states[:, 0], False, batch.seen)
    assert np.allclose(unknown(student, teacher, batch), first, rtol=1e-6)
    batch = case(progress=1.0).batch
    last = hetcomp(student["scores"], teacher["top_items"], True, batch.seen)
    assert states.shape[1] == SNAPSHOTS and np.allclose(unknown(student, teacher, batch), last, rtol=1e-6)


def test_hetcomp_takes_a_row_that_knows_a_state_on_to_the_next():
    student, teacher, batch = case(progress=0.0)
    scores = student["scores"].numpy().copy()
    easy = teacher["snapshot_items"][2, 0].numpy()
    scores[2, easy] = 50.0 - np.arange(TOP)  # row 2 says what the easiest state says
    targets = [teacher["snapshot_items"].numpy()[row, 1 if row == 2 else 0] for row in range(ROWS)]
    expected = hetcomp(scores, np.stack(targets), False, batch.seen)
    assert np.allclose(Hetcomp(tolerance=0.01)({"scores": scores}, teacher, batch), expected, rtol=1e-5)


# Rejuvenated cross-entropy


def slow_cross_entropy(taught, scores, items):
    p, q = (np.exp(values[items]) / np.exp(values[items]).sum() for values in (taught, scores))
    return -np.sum(p * np.log(q)) if len(items) else 0.0


@pytest.mark.parametrize("beta", [0.5, 2.0])
def test_rce_kd_mixes_the_closed_list_with_what_it_misses(beta):
    scores, teacher, seen = fields()
    taught, listed = teacher["scores"], teacher["top_items"]
    own = best_unseen(scores, TOP, seen)
    missed = missed_of(listed, own, seen)
    drawn = np.full((ROWS, 3), -1)
    expected = []
    for row in range(ROWS):
        mine = own_list(scores[row], seen[row], TOP)
        lacking = [item for item in listed[row] if item not in mine]
        assert [item for item in missed[row].numpy() if item >= 0] == lacking
        others = [item for item in range(ITEMS) if item not in lacking and not seen[row, item]][:2]
        drawn[row, [0, 2]] = others
        gamma = math.exp(-beta * (TOP - len(lacking)) / TOP)
        near = slow_cross_entropy(taught[row], scores[row], mine)
        far = slow_cross_entropy(taught[row], scores[row], lacking + others)
        expected.append((1 - gamma) * near + gamma * far)
    assert np.allclose(rce_kd(taught, scores, listed, own, drawn, beta, seen), expected, rtol=1e-5)


def test_rce_kd_of_a_student_that_shares_nothing_is_the_second_part_alone():
    taught, scores = tf.math.log([[3.0, 1.0, 1.0]]), tf.math.log([[1.0, 1.0, 2.0]])
    lists = [tf.constant([[item]]) for item in (0, 2, 2)]  # teacher's, student's, drawn
    p, q = [3 / 4, 1 / 4], [1 / 3, 2 / 3]
    expected = -(p[0] * math.log(q[0]) + p[1] * math.log(q[1]))
    assert float(rce_kd(taught, scores, *lists, beta=7.0)[0]) == pytest.approx(expected, rel=1e-5)


def test_drawn_above_draws_by_how_many_missed_items_lie_below():
    """Against the exact chances of repeated choice without replacement, two of four."""
    draws = 20_000
    scores = tf.tile([[4.0, 3.0, 2.0, 1.0]], [draws, 1])
    missed = tf.tile([[3, 2]], [draws, 1])
    below = [2, 2, 1, 0]  # of the missed ones, items 3 and 2
    weight = {item: math.exp(count / 2.0) for item, count in enumerate(below)}
    uniform = tf.random.stateless_uniform([draws, 4], seed=[0, 1])
    drawn = drawn_above(scores, missed, tf.tile([[3, 1, 0, 2]], [draws, 1]), uniform, smoothing=2.0).numpy()
    for a, b in ((0, 1), (1, 0)):
        chance = weight[a] / sum(weight.values()) * weight[b] / (sum(weight.values()) - weight[a])
        assert np.mean((drawn[:, 0] == a) & (drawn[:, 1] == b)) == pytest.approx(chance, abs=0.01)
    assert set(np.unique(drawn)) == {-1, 0, 1}  # missed items are there already
    seen = tf.tile([[True, False, False, False]], [draws, 1])
    scores = tf.where(seen, 9.0, scores)
    assert set(np.unique(drawn_above(scores, missed, tf.tile([[3, 1, 0, 2]], [draws, 1]), uniform, 2.0, seen))) == {
        -1,
        1,
    }


@pytest.mark.parametrize(("n_items", "count"), [(7, 7), (7, 5), (100, 9)])
def test_spread_items_are_different_and_equally_likely(n_items, count):
    items = spread_items(10_000, n_items, count, seed=0, step=4).numpy()
    assert all(len(set(row)) == count for row in items[:100].tolist())
    assert items.min() == 0 and items.max() == n_items - 1
    assert np.bincount(items.ravel()) / 10_000 == pytest.approx(np.full(n_items, count / n_items), abs=0.03)


def test_rce_kd_of_a_copy_is_the_entropy_of_its_lists():
    _, teacher, batch = case()
    taught, listed = teacher["scores"].numpy(), teacher["top_items"].numpy()
    values = RceKd(beta=1e6)(copy_of(teacher), teacher, batch)  # both lists are one: γ = 0
    expected = [slow_cross_entropy(taught[row], taught[row], listed[row]) for row in range(ROWS)]
    assert np.allclose(values, expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Hetcomp(top=0), "top must be at least 1, not 0"),
        (lambda: Hetcomp(unordered=-0.1), "unordered must be at least 0, not -0.1"),
        (lambda: Hetcomp(tolerance=-0.1), "tolerance must be at least 0, not -0.1"),
        (lambda: RceKd(top=0), "top must be at least 1, not 0"),
        (lambda: RceKd(top=9, candidates=8), "candidates must be at least 9, not 8"),
        (lambda: RceKd(beta=0.0), "beta must be above 0, not 0.0"),
        (lambda: RceKd(smoothing=0.0), "smoothing must be above 0, not 0.0"),
    ],
)
def test_options_out_of_range_are_refused(make, message):
    with pytest.raises(TrainingError, match=message):
        make()

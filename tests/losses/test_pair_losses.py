"""Losses on pairs of items, each against a slow oracle written from its formula."""

import math

import numpy as np
import pytest
import tensorflow as tf
from fake_teacher import ROWS, TOP, case

from kdrec.errors import TrainingError
from kdrec.losses.base import best_unseen
from kdrec.losses.dcd import Dcd, dcd
from kdrec.losses.unkd import Unkd, popularity_groups, unkd


def sigma(x):
    return 1 / (1 + math.exp(-x))


def own_list(scores, seen, k):
    """The best k unseen items of one row."""
    return [item for item in np.argsort(-scores, kind="stable") if not seen[item]][:k]


def fields(seed=0):
    """Student scores, the teacher's fields and seen items of a made-up batch, as numpy arrays."""
    student, teacher, batch = case(seed)
    return student["scores"].numpy(), {name: value.numpy() for name, value in teacher.items()}, batch.seen.numpy()


def test_best_unseen_leaves_seen_items_out_and_takes_the_lower_of_equal_ones():
    scores = tf.constant([[1.0, 5.0, 1.0, 3.0]])
    assert best_unseen(scores, 3).numpy().tolist() == [[1, 3, 0]]
    assert best_unseen(scores, 3, tf.constant([[True, True, False, False]])).numpy().tolist() == [[3, 2, -1]]


# Dual correction


def slow_dcd(scores, listed, seen, steepness):
    k, own = len(listed), own_list(scores, seen, len(listed))
    ranked = [item for item in listed if item >= 0 and not seen[item]]
    under = {i: math.tanh(steepness * max((own.index(i) if i in own else k) - listed.index(i), 0)) for i in ranked}
    over = {j: math.tanh(steepness * max((listed.index(j) if j in listed else k) - own.index(j), 0)) for j in own}
    if not sum(under.values()):
        return 0.0
    pairs = [(i, j) for i in under for j in over]
    total = sum(under.values()) * sum(over.values())
    return -sum(under[i] * over[j] / total * math.log(sigma(scores[i] - scores[j])) for i, j in pairs)


@pytest.mark.parametrize("steepness", [0.1, 1.0])
def test_dcd_is_the_mean_over_pairs_of_under_and_over_estimated_items(steepness):
    scores, teacher, seen = fields()
    expected = [slow_dcd(scores[r], teacher["top_items"][r].tolist(), seen[r], steepness) for r in range(ROWS)]
    assert min(expected) > 0
    assert np.allclose(dcd(scores, teacher["top_items"], steepness, seen), expected, rtol=1e-5)


def test_dcd_by_hand():
    # The teacher lists 0, 1; the student 2, 0 (item 1 comes third). Item 0 lies one rank too low, item 1 one or more:
    # both lists end at 2, so rank 2 stands for "outside". u ∝ tanh(1), tanh(1); over-estimated is item 2, by 2 ranks.
    scores = tf.math.log([[2.0, 1.0, 4.0]])
    expected = -(math.log(2 / (2 + 4)) + math.log(1 / (1 + 4))) / 2
    assert float(dcd(scores, tf.constant([[0, 1]]), 1.0)[0]) == pytest.approx(expected, rel=1e-5)


def test_dcd_skips_padding_and_pulls_the_two_kinds_apart():
    scores = tf.Variable([[0.0, 3.0, 1.0, 2.0]])
    with tf.GradientTape() as tape:
        value = dcd(scores, tf.constant([[0, 2, -1]]))
    lifted, sunk, low, other = tape.gradient(value, scores).numpy()[0]
    assert lifted < 0 < sunk and other > 0 and low < 0
    assert float(value[0]) == pytest.approx(slow_dcd(scores[0].numpy(), [0, 2, -1], [False] * 4, 0.1))


def test_dcd_leaves_out_seen_items_that_the_teacher_lists():
    scores, seen = tf.constant([[0.5, 1.0, 3.0, 9.0]]), np.array([[False, False, False, True]])
    listed = [0, 1, 3, 2]
    expected = slow_dcd(scores[0].numpy(), listed, seen[0], 0.1)
    assert float(dcd(scores, tf.constant([listed]), 0.1, seen)[0]) == pytest.approx(expected, rel=1e-5)


def test_dcd_uses_the_best_top_items_of_both():
    student, teacher, batch = case()
    expected = dcd(student["scores"], teacher["top_items"][:, :2], 0.1, batch.seen)
    assert np.array_equal(Dcd(top=2)(student, teacher, batch), expected)
    assert not np.allclose(Dcd(top=TOP)(student, teacher, batch), expected)


# Unbiased


def slow_groups(counts, groups):
    of, before, order = {}, 0, sorted(range(len(counts)), key=lambda item: (-counts[item], item))
    for item in order:
        of[item] = min(groups * before // sum(counts), groups - 1)
        before += counts[item]
    return [[of[item] == group for item in range(len(counts))] for group in range(groups)]


def slow_unkd(scores, taught, groups, uniform, seen, decay, top):
    losses = []
    for members, draws in zip(groups, uniform, strict=True):
        ranking = [item for item in np.argsort(-taught, kind="stable") if members[item] and not seen[item]][:top]
        chances = np.exp(-np.arange(len(ranking)) / decay)
        cumulative = np.cumsum(chances) / chances.sum() if ranking else []
        pairs = [sorted(int(np.sum(np.array(cumulative) <= u)) for u in pair) for pair in draws]
        values = [-math.log(sigma(scores[ranking[a]] - scores[ranking[b]])) for a, b in pairs if a < b]
        if values:
            losses.append(sum(values) / len(values))
    return sum(losses) / len(losses)


@pytest.mark.parametrize("counts", [[9, 0, 3, 3, 1, 5, 0], [1, 1, 1, 1], [100, 1, 1]])
@pytest.mark.parametrize("groups", [1, 2, 4])
def test_popularity_groups_have_equal_shares_of_the_interactions(counts, groups):
    assert popularity_groups(tf.constant(counts), groups).numpy().tolist() == slow_groups(counts, groups)


def test_items_without_counts_are_one_group():
    assert popularity_groups(tf.zeros(3), 2).numpy().tolist() == [[True] * 3, [False] * 3]


@pytest.mark.parametrize(("decay", "top"), [(1.0, 50), (10.0, 50), (3.0, 2)])
def test_unkd_draws_pairs_by_the_teachers_rank_in_a_group(decay, top):
    scores, teacher, seen = fields()
    groups = popularity_groups(tf.constant(teacher["item_counts"]), 3).numpy()
    uniform = np.random.default_rng(5).random((ROWS, 3, 8, 2)).astype(np.float32)
    rows = zip(scores, teacher["scores"], uniform, seen, strict=True)
    expected = [slow_unkd(s, t, groups, u, hidden, decay, top) for s, t, u, hidden in rows]
    assert np.allclose(unkd(scores, teacher["scores"], groups, uniform, decay, top, seen), expected, rtol=1e-5)


def test_unkd_does_not_see_how_groups_score_against_each_other():
    student, teacher, batch = case()
    shift = tf.where(popularity_groups(teacher["item_counts"], 4)[0], 5.0, 0.0)
    moved = {**student, "scores": student["scores"] + shift}
    values = Unkd()(student, teacher, batch)
    assert np.allclose(Unkd()(moved, teacher, batch), values, rtol=1e-5)
    assert not np.allclose(Unkd(groups=1)(moved, teacher, batch), Unkd(groups=1)(student, teacher, batch))


def test_unkd_of_a_row_without_a_pair_is_zero():
    everything = tf.constant([[True, True, True]])
    draws = tf.zeros([1, 1, 4, 2])
    assert float(unkd(tf.ones([1, 3]), tf.ones([1, 3]), everything, draws, left_out=everything)[0]) == 0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Dcd(top=0), "top must be at least 1, not 0"),
        (lambda: Dcd(steepness=0.0), "steepness must be above 0, not 0.0"),
        (lambda: Unkd(groups=0), "groups must be at least 1, not 0"),
        (lambda: Unkd(pairs=0), "pairs must be at least 1, not 0"),
        (lambda: Unkd(top=1), "top must be at least 2, not 1"),
        (lambda: Unkd(decay=-1.0), "decay must be above 0, not -1.0"),
    ],
)
def test_options_out_of_range_are_refused(make, message):
    with pytest.raises(TrainingError, match=message):
        make()

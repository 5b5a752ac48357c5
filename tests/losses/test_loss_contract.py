"""What every loss in the folder must do; a new file is tested before its author writes a test."""

import numpy as np
import pytest
import tensorflow as tf

from kdrec import losses
from kdrec.errors import UnknownNameError
from kdrec.losses.base import DistillationLoss, items_mask, split_labels
from kdrec.losses.softened_kl import softened_kl

ROWS, ITEMS, WIDTH, TEACHER_WIDTH = 4, 7, 3, 5
SOFT = [name for name in losses.names() if issubclass(losses.get(name), DistillationLoss)]
HARD = [name for name in losses.names() if name not in SOFT]


def said(seed, scale=1.0, width=WIDTH):
    rng = np.random.default_rng(seed)
    return {
        "scores": tf.Variable(scale * rng.normal(size=(ROWS, ITEMS)), dtype=tf.float32),
        "query": tf.Variable(rng.normal(size=(ROWS, width)), dtype=tf.float32),
        "user_embedding": tf.constant(rng.normal(size=(ROWS, TEACHER_WIDTH)), tf.float32),
    }


NOTHING_SEEN = tf.zeros((ROWS, ITEMS), tf.bool)


def test_folder_holds_both_kinds():
    assert {"softened_kl", "score_mse", "feature_matching"} <= set(SOFT)
    assert "softmax" in HARD


@pytest.mark.parametrize("name", SOFT)
def test_soft_loss_gives_one_value_a_row_from_that_row_alone(name):
    loss = losses.get(name)()
    student, teacher = said(0), said(1)
    values = loss(student, teacher, NOTHING_SEEN).numpy()
    assert values.shape == (ROWS,) and values.dtype == np.float32
    changed = {key: tf.concat([value[:-1], 2 * value[-1:]], 0) for key, value in student.items()}
    moved = loss(changed, teacher, NOTHING_SEEN).numpy() != values
    assert moved.tolist() == [False] * (ROWS - 1) + [True]


@pytest.mark.parametrize("name", SOFT)
@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_soft_loss_has_finite_gradients_at_extreme_scores(name, scale):
    loss = losses.get(name)()
    student, teacher = said(0, scale), said(1, scale)
    reads = student["query"] if loss.reads_query else student["scores"]
    with tf.GradientTape() as tape:
        value = tf.reduce_mean(loss(student, teacher, NOTHING_SEEN))
    gradient = tape.gradient(value, reads)
    assert np.all(np.isfinite(gradient)) and np.any(gradient.numpy() != 0)


@pytest.mark.parametrize("name", [n for n in SOFT if "scores" in losses.get(n).needs])
def test_soft_loss_on_scores_is_least_where_student_equals_teacher_and_ignores_seen_items(name):
    loss = losses.get(name)()
    student, teacher = said(0), said(1)
    equal = loss(teacher, teacher, NOTHING_SEEN).numpy()
    assert np.all(equal <= loss(student, teacher, NOTHING_SEEN).numpy())
    seen = tf.constant(np.eye(ITEMS, dtype=bool)[:ROWS])
    bent = {**student, "scores": tf.where(seen, 50.0, student["scores"])}
    assert np.allclose(loss(student, teacher, seen), loss(bent, teacher, seen), rtol=1e-5)


@pytest.mark.parametrize("name", HARD)
@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_hard_loss_is_a_keras_loss_with_finite_gradients(name, scale):
    loss = losses.get(name)(reduction="none")
    scores = said(0, scale)["scores"]
    labels = tf.constant([[1, -2], [3, 0], [7, -1], [0, -4]])
    with tf.GradientTape() as tape:
        values = loss(labels, scores)
    assert values.shape == (ROWS,)
    assert values[3] == 0  # nothing held out
    assert np.all(np.isfinite(tape.gradient(values, scores)))


def test_softened_kl_by_hand():
    p, q = 0.75, 0.5  # odds of 3 : 1 against 1 : 1, softened by T = 2 from scores 2 log 3 and 0
    scores = tf.constant([[2 * np.log(3.0), 0.0]], tf.float32)
    expected = 4 * (p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q)))
    assert float(softened_kl(scores, tf.zeros((1, 2)), 2.0)[0]) == pytest.approx(expected, rel=1e-5)


def test_softmax_averages_over_held_out_items_and_leaves_seen_ones_out():
    scores = tf.constant([[np.log(1.0), np.log(2.0), np.log(5.0), 9.0]], tf.float32)
    value = losses.get("softmax")(reduction="none")(tf.constant([[1, 2, -4]]), scores)[0]
    assert float(value) == pytest.approx(-(np.log(1 / 8) + np.log(2 / 8)) / 2, rel=1e-5)


def test_items_mask_and_signed_labels():
    held_out, seen = split_labels(tf.constant([[3, -1, 0, -2]]))
    assert held_out.numpy().tolist() == [[3, 0, 0, 0]] and seen.numpy().tolist() == [[0, 1, 0, 2]]
    assert items_mask(seen, 4).numpy().tolist() == [[True, True, False, False]]


def test_unknown_loss_says_which_exist():
    with pytest.raises(UnknownNameError, match="losses has no 'kl'; it has feature_matching, score_mse, softened_kl"):
        losses.get("kl")

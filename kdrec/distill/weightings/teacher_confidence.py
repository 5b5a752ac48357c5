"""Rows that the teacher is sure of count more."""

import tensorflow as tf

from kdrec.distill.weightings.fixed import Fixed
from kdrec.losses.base import LEFT_OUT


def teacher_confidence(teacher_scores: tf.Tensor, left_out: tf.Tensor) -> tf.Tensor:
    """c_r / mean(c), c_r = 1 − H(p_r) / log n_r, p_r the softmax of the teacher's scores over the row's n_r items.

    H is the entropy: c is 1 for a teacher that bets on one item and 0 for one that cannot choose. The scale of the
    scores matters. Weights have mean 1 over the batch (that of its replica); a teacher that is sure of no row gives
    each 1. Zhang et al. (ICASSP 2022, arXiv:2201.00007) weigh a teacher's row by its cross-entropy to the label; the
    entropy takes its place, because a row may have no label.

    Args:
        teacher_scores: (rows, n_items).
        left_out: (rows, n_items) bool, seen items.

    Returns:
        (rows,) float32, at least 0.

    >>> scores, nothing = tf.constant([[0.0, 0.0], [0.0, 100.0]]), tf.zeros([2, 2], tf.bool)
    >>> teacher_confidence(scores, nothing).numpy().tolist()
    [0.0, 2.0]
    """
    log_p = tf.nn.log_softmax(tf.where(left_out, LEFT_OUT, tf.cast(teacher_scores, tf.float32)))
    entropy = -tf.reduce_sum(tf.exp(log_p) * log_p, axis=1)  # (rows,)
    items = tf.reduce_sum(tf.cast(~left_out, tf.float32), axis=1)
    sure = tf.maximum(1.0 - tf.math.divide_no_nan(entropy, tf.math.log(tf.maximum(items, 1.0))), 0.0)
    mean = tf.reduce_mean(sure)
    return tf.where(mean > 1e-6, sure / tf.maximum(mean, 1e-6), tf.ones_like(sure))  # below, sure is rounding


class TeacherConfidence(Fixed):
    """`teacher_confidence` of the rows against each teacher; the parts add up as they are given."""

    needs = frozenset({"scores"})

    def rows(self, teacher, batch):
        return teacher_confidence(teacher["scores"], batch.seen)

"""Rank softmax: the student's softmax is drawn to a distribution that falls with the teacher's rank."""

from typing import Any

import tensorflow as tf
import tf_keras as keras

from kdrec.losses.base import (
    DistillationLoss,
    check_at_least,
    check_positive,
    log_sum_unseen,
    may_rank,
    scores_of,
)


def rank_softmax(student_scores, top_items, temperature=8.0, left_out=None) -> tf.Tensor:
    """Σ_k p_k (log p_k − log softmax(s over the unseen items)_{π_k}), p_k ∝ exp(−k/T), k = 0, 1, … the teacher's rank.

    A cross-entropy between lists (ListNet, Cao et al., 2007, doi:10.1145/1273496.1273513) whose target knows the
    teacher's order and not its scores, as the position weight of Ranking Distillation does (Tang & Wang, 2018,
    arXiv:1809.07428). The entropy of p is taken off, so that the least value is 0; the gradient does not see it.

    Args:
        student_scores: (rows, n_items) s.
        top_items: (rows, K) π, the teacher's best unseen items, best first; −1 is padding.
        temperature: T > 0 in ranks: about how many places share the weight.
        left_out: (rows, n_items) bool, seen items, which neither distribution holds, or None.

    Returns:
        (rows,) float32, at least 0; 0 for a row without a list.

    >>> by_rank = -tf.range(3.0)[None] / 2.0  # scores that fall by 1/T a rank
    >>> round(float(rank_softmax(by_rank, tf.constant([[0, 1, 2]]), 2.0)[0]), 6)
    0.0
    """
    scores = tf.cast(student_scores, tf.float32)
    counts = tf.cast(may_rank(top_items, left_out), tf.float32)  # (rows, K)
    weights = counts * tf.exp(-tf.cumsum(counts, axis=1, exclusive=True) / temperature)
    p = tf.math.divide_no_nan(weights, tf.reduce_sum(weights, axis=1, keepdims=True))  # (rows, K)
    log_q = scores_of(scores, top_items) - log_sum_unseen(scores, left_out)[:, tf.newaxis]
    return tf.reduce_sum(tf.math.xlogy(p, p) - p * log_q, axis=1)


@keras.utils.register_keras_serializable("kdrec")
class RankSoftmax(DistillationLoss):
    """`rank_softmax` of the best `top` items; its `temperature` counts ranks and softens no score."""

    needs = frozenset({"top_items"})

    def __init__(self, top: int = 60, temperature: float = 8.0, **kwargs: Any):
        check_at_least("top", top)
        check_positive("temperature", temperature)
        super().__init__(**kwargs)
        self.top, self.temperature = top, temperature

    def get_config(self) -> dict:
        return {**super().get_config(), "top": self.top, "temperature": self.temperature}

    def call(self, student, teacher, batch):
        return rank_softmax(student["scores"], teacher["top_items"][:, : self.top], self.temperature, batch.seen)

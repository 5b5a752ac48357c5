"""Relaxed Ranking Distillation: the order of the teacher's best items, all of them above what it does not list."""

from typing import Any

import tensorflow as tf
import tf_keras as keras

from kdrec.losses.base import (
    LEFT_OUT,
    DistillationLoss,
    check_at_least,
    draw_items,
    may_contrast,
    may_rank,
    scores_of,
)


def rrd(student_scores, top_items, drawn_items, left_out=None) -> tf.Tensor:
    """−(1/K) Σ_k log [exp(s_{π_k}) / (Σ_{i≥k} exp(s_{π_i}) + Σ_{j∈L} exp(s_j))], a Plackett–Luce likelihood.

    The order within π counts, the order within the uninteresting items L does not (DE-RRD, Kang et al., CIKM 2020,
    arXiv:2012.04357). π is the top of the teacher's ranking itself, not a draw from it; the mean over its K items in
    place of the paper's sum keeps the value's size when K changes.

    Args:
        student_scores: (rows, n_items) s.
        top_items: (rows, K) π, the teacher's best unseen items, best first; −1 is padding.
        drawn_items: (rows, draws) L, positions drawn uniformly; those seen or in the list are dropped.
        left_out: (rows, n_items) bool, seen items, or None.

    Returns:
        (rows,) float32, at least 0; 0 for a row without a list.

    >>> value = rrd(tf.zeros([1, 3]), tf.constant([[1, 0]]), tf.constant([[2, 2]]))
    >>> round(float(tf.exp(-2 * value)[0]), 5)  # 1/(2 + 2) · 1/(1 + 2)
    0.08333
    """
    scores = tf.cast(student_scores, tf.float32)
    contrasts = may_contrast(drawn_items, top_items, left_out)
    rest = tf.reduce_logsumexp(tf.where(contrasts, scores_of(scores, drawn_items), LEFT_OUT), axis=1)
    return plackett_luce(scores_of(scores, top_items), may_rank(top_items, left_out), rest)


def plackett_luce(ranked: tf.Tensor, counts: tf.Tensor, rest: tf.Tensor) -> tf.Tensor:
    """−(1/K) Σ_k [s_k − log(Σ_{i≥k} exp(s_i) + exp(r))] over the K entries that count.

    Args:
        ranked: (lists, width) s, the student's scores in the teacher's order, best first.
        counts: (lists, width) bool, which of them belong to the list.
        rest: (lists,) r, log Σ exp of the scores that only belong below; `LEFT_OUT` for none.

    Returns:
        (lists,), at least 0; 0 for a list without an entry.

    >>> value = plackett_luce(tf.math.log([[2.0, 7.0, 1.0]]), tf.constant([[True, False, True]]), tf.math.log([3.0]))
    >>> round(float(tf.exp(-2 * value)[0]), 5)  # 2/(2 + 1 + 3) · 1/(1 + 3)
    0.08333
    """
    kept = tf.where(counts, ranked, LEFT_OUT)
    below = tf.concat([kept, rest[:, tf.newaxis]], axis=1)  # (lists, width + 1)
    tails = tf.math.cumulative_logsumexp(below, axis=1, reverse=True)[:, :-1]
    losses = tf.where(counts, tails - kept, 0.0)
    return tf.math.divide_no_nan(tf.reduce_sum(losses, axis=1), tf.reduce_sum(tf.cast(counts, losses.dtype), axis=1))


@keras.utils.register_keras_serializable("kdrec")
class Rrd(DistillationLoss):
    """`rrd` of the best `top` items against `negatives` draws a row and step."""

    needs = frozenset({"top_items"})

    def __init__(self, top: int = 60, negatives: int = 100, seed: int = 0, **kwargs: Any):
        check_at_least("top", top)
        check_at_least("negatives", negatives)
        super().__init__(**kwargs)
        self.top, self.negatives, self.seed = top, negatives, seed

    def get_config(self) -> dict:
        return {**super().get_config(), "top": self.top, "negatives": self.negatives, "seed": self.seed}

    def call(self, student, teacher, batch):
        scores, listed = student["scores"], teacher["top_items"][:, : self.top]
        drawn = draw_items(tf.shape(scores)[0], scores.shape[-1], self.negatives, self.seed, batch.step)
        return rrd(scores, listed, drawn, batch.seen)

"""Top-list Kullback–Leibler divergence: the cheap form of the softened one, for large catalogues."""

from math import log
from typing import Any

import tensorflow as tf
import tf_keras as keras

from kdrec.losses.base import (
    LEFT_OUT,
    TemperedLoss,
    check_at_least,
    draw_items,
    may_contrast,
    may_rank,
    scores_of,
)


def top_kl(top_scores, student_scores, top_items, drawn_items, temperature=1.0, left_out=None) -> tf.Tensor:
    """T² Σ_{i∈π} p_i (log p_i − log q_i), p = softmax(t/T) over the list π, log q_i = s_i/T − log Z.

    Z = Σ_{i∈π} exp(s_i/T) + (n/L) Σ_{j∈D} exp(s_j/T): the L items D are drawn uniformly from the n of the catalogue,
    those seen or listed are dropped, and each of the others stands for n/L items (the correction of a sampled softmax,
    Jean et al., 2015, arXiv:1412.2007), so that Z estimates the sum over all unseen items without a bias. The teacher
    holds items outside of its list for impossible. Otherwise as Hinton et al., 2015, arXiv:1503.02531.

    Args:
        top_scores: (rows, K) t of the listed items.
        student_scores: (rows, n_items) s.
        top_items: (rows, K) π, the teacher's best unseen items; −1 is padding.
        drawn_items: (rows, L) D, positions drawn with replacement; L may be 0.
        temperature: T > 0; the factor T² keeps the size of the gradient.
        left_out: (rows, n_items) bool, seen items, or None.

    Returns:
        (rows,) float32; 0 for a row without a list.

    >>> draws = tf.constant([[2, 2]])  # p = (1/2, 1/2); Z = 1 + 1 + (3/2) (1 + 1) = 5
    >>> value = top_kl(tf.constant([[7.0, 7.0]]), tf.zeros([1, 3]), tf.constant([[0, 1]]), draws)
    >>> round(float(tf.exp(value)[0]), 5)  # log 1/2 − log 1/5
    2.5
    """
    scores = tf.cast(student_scores, tf.float32)
    counts, contrasts = may_rank(top_items, left_out), may_contrast(drawn_items, top_items, left_out)
    stands_for = log(scores.shape[-1] / max(drawn_items.shape[-1], 1))
    listed = scores_of(scores, top_items) / temperature  # (rows, K)
    drawn = scores_of(scores, drawn_items) / temperature + stands_for  # (rows, L)
    log_z = tf.reduce_logsumexp(
        tf.concat([tf.where(counts, listed, LEFT_OUT), tf.where(contrasts, drawn, LEFT_OUT)], axis=1),
        axis=1, keepdims=True,
    )  # fmt: skip
    log_p = tf.nn.log_softmax(tf.where(counts, tf.cast(top_scores, tf.float32) / temperature, LEFT_OUT))
    terms = tf.exp(log_p) * (log_p - (listed - log_z))
    return temperature**2 * tf.reduce_sum(tf.where(counts, terms, 0.0), axis=1)


@keras.utils.register_keras_serializable("kdrec")
class TopKl(TemperedLoss):
    """`top_kl` of the best `top` items against `negatives` draws a row and step; 0 draws compare within the list."""

    needs = frozenset({"top_items", "top_scores"})

    def __init__(self, temperature: float = 1.0, top: int = 100, negatives: int = 200, seed: int = 0, **kwargs: Any):
        check_at_least("top", top)
        check_at_least("negatives", negatives, 0)
        super().__init__(temperature, **kwargs)
        self.top, self.negatives, self.seed = top, negatives, seed

    def get_config(self) -> dict:
        return {**super().get_config(), "top": self.top, "negatives": self.negatives, "seed": self.seed}

    def call(self, student, teacher, batch):
        scores, listed = student["scores"], teacher["top_items"][:, : self.top]
        drawn = draw_items(tf.shape(scores)[0], scores.shape[-1], self.negatives, self.seed, batch.step)
        temperature = self.temperature_at(batch)
        return top_kl(teacher["top_scores"][:, : self.top], scores, listed, drawn, temperature, batch.seen)

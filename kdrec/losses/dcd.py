"""Dual Correction Distillation: what the student ranks too low is put above what it ranks too high."""

from typing import Any

import tensorflow as tf
import tf_keras as keras

from kdrec.losses.base import DistillationLoss, best_unseen, check_at_least, check_positive, may_rank, scores_of


def dcd(student_scores, top_items, steepness=0.1, left_out=None) -> tf.Tensor:
    """−Σ_{i∈U} Σ_{j∈O} u_i o_j log σ(s_i − s_j), u_i ∝ tanh(μ (S_i − T_i)), o_j ∝ tanh(μ (T_j − S_j)), Σ u = Σ o = 1.

    S and T are an item's rank with the student and with the teacher; U are the under-estimated items, S_i > T_i, and O
    the over-estimated ones, T_j > S_j (Lee & Kim, CIKM 2021, arXiv:2109.03459). The paper draws items by the difference
    of their ranks; this is the mean over all pairs with the same chances. Ranks are those in the best K of either, and
    K outside of them. Only the paper's user side: the item side would need the scores of rows outside of the batch.

    Args:
        student_scores: (rows, n_items) s.
        top_items: (rows, K) the teacher's best unseen items, best first; −1 is padding.
        steepness: μ > 0, how fast the chance of an item grows with the difference of its ranks.
        left_out: (rows, n_items) bool, seen items, or None.

    Returns:
        (rows,) float32, at least 0; 0 for a row with both lists in the same order.

    >>> float(dcd(tf.constant([[2.0, 1.0, 0.0]]), tf.constant([[0, 1]]))[0])  # the teacher's order
    0.0
    >>> value = dcd(tf.math.log([[1.0, 3.0]]), tf.constant([[0, 1]]))  # item 0 lies too low, item 1 too high
    >>> round(float(tf.exp(-value)[0]), 5)  # σ(log(1/3)) = 1/4
    0.25
    """
    scores = tf.cast(student_scores, tf.float32)
    own = best_unseen(scores, top_items.shape[-1], left_out)  # (rows, K) the student's list
    under = _excess(top_items, own, steepness, may_rank(top_items, left_out))  # (rows, K) u
    over = _excess(own, top_items, steepness, own >= 0)  # (rows, K) o
    margins = scores_of(scores, top_items)[:, :, tf.newaxis] - scores_of(scores, own)[:, tf.newaxis, :]  # (rows, K, K)
    return tf.reduce_sum(under[:, :, tf.newaxis] * over[:, tf.newaxis, :] * tf.nn.softplus(-margins), axis=[1, 2])


def _excess(items: tf.Tensor, others: tf.Tensor, steepness: float, counts: tf.Tensor) -> tf.Tensor:
    """∝ tanh(μ max(rank in the others − place, 0)), its sum 1 or 0: (rows, K), (rows, K), (rows, K) -> (rows, K)."""
    width = items.shape[-1]
    places = tf.range(width, dtype=tf.float32)
    same = items[:, :, tf.newaxis] == tf.cast(others, items.dtype)[:, tf.newaxis, :]  # (rows, K, K)
    ranks = width + tf.reduce_sum(tf.cast(same, tf.float32) * (places - width), axis=-1)
    weights = tf.cast(counts, tf.float32) * tf.tanh(steepness * tf.maximum(ranks - places, 0.0))
    return tf.math.divide_no_nan(weights, tf.reduce_sum(weights, axis=1, keepdims=True))


@keras.utils.register_keras_serializable("kdrec")
class Dcd(DistillationLoss):
    """`dcd` of the best `top` items of both; it corrects a ranking, and so goes with a loss that teaches one."""

    needs = frozenset({"top_items"})

    def __init__(self, top: int = 40, steepness: float = 0.1, **kwargs: Any):
        check_at_least("top", top, 1)
        check_positive("steepness", steepness)
        super().__init__(**kwargs)
        self.top, self.steepness = top, steepness

    def get_config(self) -> dict:
        return {**super().get_config(), "top": self.top, "steepness": self.steepness}

    def call(self, student, teacher, batch):
        return dcd(student["scores"], teacher["top_items"][:, : self.top], self.steepness, batch.seen)

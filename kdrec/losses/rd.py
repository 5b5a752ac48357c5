"""Ranking Distillation: the teacher's best items are positives, weighed by their place and by how low they rank."""

from typing import Any

import tensorflow as tf
import tf_keras as keras

from kdrec.losses.base import (
    DistillationLoss,
    check_at_least,
    check_positive,
    draw_items,
    may_contrast,
    may_rank,
    scores_of,
)


def rd(student_scores, top_items, drawn_items, decay=10.0, steepness=0.1, left_out=None) -> tf.Tensor:
    """−Σ_k w_k log σ(s_{π_k}), w_k ∝ exp(−k/λ) · tanh(max(μ (rank_S(π_k) − k), 0)), Σ_k w_k = 1, k = 0, 1, …

    An item that the student ranks as high as the teacher, or higher, has weight 0, and no weight has a gradient
    (Tang & Wang, KDD 2018, arXiv:1809.07428). As in the paper the student's rank is estimated from drawn items; the
    listed ones are counted exactly, so that a row in the teacher's order costs 0 and only what ranks between the listed
    items is estimated: rank_S(i) = |{j∈π: s_j > s_i}| + (n/L) |{j∈D: s_j > s_i}|, D the L draws from n items without
    the seen and the listed. (Sorting the catalogue for exact ranks would take 70 times as long at 17,000 items, the
    student's best 200 eight times.)

    Args:
        student_scores: (rows, n_items) s.
        top_items: (rows, K) π, the teacher's best unseen items, best first; −1 is padding.
        drawn_items: (rows, L) D, positions drawn uniformly with replacement.
        decay: λ > 0 in ranks, over which the weight of a place falls.
        steepness: μ > 0, how fast the weight grows with the ranks that an item lies too low.
        left_out: (rows, n_items) bool, seen items, or None.

    Returns:
        (rows,) float32, at least 0.

    >>> nothing = tf.zeros([1, 0], tf.int32)
    >>> float(rd(tf.constant([[2.0, 1.0]]), tf.constant([[0, 1]]), nothing)[0])  # the teacher's order
    0.0
    >>> float(rd(tf.constant([[0.0, 1.0]]), tf.constant([[0, 1]]), nothing)[0])  # item 0 alone lies too low: −log σ(0)
    0.6931471824645996
    """
    scores = tf.cast(student_scores, tf.float32)
    counts, contrasts = may_rank(top_items, left_out), may_contrast(drawn_items, top_items, left_out)
    listed = scores_of(scores, top_items)  # (rows, K)
    drawn, stands_for = scores_of(scores, drawn_items), scores.shape[-1] / max(drawn_items.shape[-1], 1)  # (rows, L)
    rank = _above(listed, listed, counts) + stands_for * _above(listed, drawn, contrasts)  # (rows, K), no gradient
    kept = tf.cast(counts, tf.float32)
    place = tf.cumsum(kept, axis=1, exclusive=True)
    weights = kept * tf.exp(-place / decay) * tf.tanh(tf.maximum(steepness * (rank - place), 0.0))
    weights = tf.math.divide_no_nan(weights, tf.reduce_sum(weights, axis=1, keepdims=True))
    return tf.reduce_sum(weights * tf.nn.softplus(-listed), axis=1)


def _above(scores: tf.Tensor, others: tf.Tensor, counts: tf.Tensor) -> tf.Tensor:
    """How many of the others that count score higher: (rows, K), (rows, L), (rows, L) -> (rows, K)."""
    higher = (others[:, tf.newaxis, :] > scores[:, :, tf.newaxis]) & counts[:, tf.newaxis, :]  # (rows, K, L)
    return tf.reduce_sum(tf.cast(higher, tf.float32), axis=-1)


@keras.utils.register_keras_serializable("kdrec")
class Rd(DistillationLoss):
    """`rd` of the best `top` items, ranks estimated from `negatives` draws a row; it lifts items and sinks none."""

    needs = frozenset({"top_items"})

    def __init__(
        self, top: int = 40, decay: float = 10.0, steepness: float = 0.1, negatives: int = 100, seed: int = 0,
        **kwargs: Any,
    ):  # fmt: skip
        check_at_least("top", top)
        check_at_least("negatives", negatives, 0)
        check_positive("decay", decay)
        check_positive("steepness", steepness)
        super().__init__(**kwargs)
        self.top, self.decay, self.steepness, self.negatives, self.seed = top, decay, steepness, negatives, seed

    def get_config(self) -> dict:
        own = {name: getattr(self, name) for name in ("top", "decay", "steepness", "negatives", "seed")}
        return {**super().get_config(), **own}

    def call(self, student, teacher, batch):
        scores, listed = student["scores"], teacher["top_items"][:, : self.top]
        drawn = draw_items(tf.shape(scores)[0], scores.shape[-1], self.negatives, self.seed, batch.step)
        return rd(scores, listed, drawn, self.decay, self.steepness, batch.seen)

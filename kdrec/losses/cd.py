"""Collaborative Distillation: the teacher's probabilities of items drawn by its ranking."""

from typing import Any

import tensorflow as tf
import tf_keras as keras

from kdrec.losses.base import (
    TemperedLoss,
    check_at_least,
    check_positive,
    may_rank,
    scores_of,
)


def cd(top_scores, student_scores, top_items, drawn_ranks, temperature=1.0, offset=0.0, left_out=None) -> tf.Tensor:
    """(1/|D|) Σ_{i∈D} [−q_i log σ(s_i) − (1 − q_i) log(1 − σ(s_i)) − H(q_i)], q_i = σ((t_i + b)/τ).

    Items D are drawn by the teacher's rank (Lee et al., ICDM 2019, arXiv:1911.05276), here from its stored list. The
    entropy H of the target is taken off, so that the least value is 0; the gradient, σ(s_i) − q_i, does not see it.

    Args:
        top_scores: (rows, K) t of the listed items.
        student_scores: (rows, n_items) s.
        top_items: (rows, K) the teacher's best unseen items, best first; −1 is padding.
        drawn_ranks: (rows, draws) D, places in the list, from 0; those of seen items are dropped.
        temperature: τ > 0.
        offset: b, added to the teacher's scores: below 0 it holds unseen items for less wanted.
        left_out: (rows, n_items) bool, seen items, or None.

    Returns:
        (rows,) float32, at least 0; 0 for a row without a list.

    >>> value = cd(tf.constant([[9.0, 0.0]]), tf.math.log([[3.0, 1.0]]), tf.constant([[1, 0]]), tf.constant([[1]]))
    >>> round(float(tf.exp(2 * value)[0]), 5)  # q = 1/2, σ(s) = 3/4: −log(3/4)/2 − log(1/4)/2 − log 2 = log(4/3)/2
    1.33333
    """
    items = scores_of(top_items, drawn_ranks)  # (rows, draws)
    logits = (scores_of(tf.cast(top_scores, tf.float32), drawn_ranks) + offset) / temperature
    scores = scores_of(tf.cast(student_scores, tf.float32), items)
    q, counts = tf.sigmoid(logits), tf.cast(may_rank(items, left_out), tf.float32)
    excess = (tf.nn.softplus(scores) - tf.nn.softplus(logits)) - q * (scores - logits)
    return tf.math.divide_no_nan(tf.reduce_sum(counts * excess, axis=1), tf.reduce_sum(counts, axis=1))


def ranks_by_chance(uniform: tf.Tensor, decay: float, top: int) -> tf.Tensor:
    """Ranks k = 0 … K − 1 drawn with probability ∝ exp(−k/λ), from uniform numbers in [0, 1).

    >>> ranks_by_chance(tf.constant([0.0, 0.66, 0.67, 0.99]), 1 / tf.math.log(2.0), 2).numpy().tolist()  # 2 : 1
    [0, 0, 1, 1]
    """
    ranks = tf.floor(-decay * tf.math.log1p(uniform * tf.math.expm1(-top / decay)))
    return tf.minimum(tf.cast(ranks, tf.int32), top - 1)


@keras.utils.register_keras_serializable("kdrec")
class Cd(TemperedLoss):
    """`cd` of `draws` items a row and step, rank k among the best `top` with probability ∝ exp(−k/`decay`)."""

    needs = frozenset({"top_items", "top_scores"})

    def __init__(
        self, temperature: float = 1.0, top: int = 200, draws: int = 50, decay: float = 50.0, offset: float = 0.0,
        seed: int = 0, **kwargs: Any,
    ):  # fmt: skip
        check_at_least("top", top)
        check_at_least("draws", draws)
        check_positive("decay", decay)
        super().__init__(temperature, **kwargs)
        self.top, self.draws, self.decay, self.offset, self.seed = top, draws, decay, offset, seed

    def get_config(self) -> dict:
        own = {name: getattr(self, name) for name in ("top", "draws", "decay", "offset", "seed")}
        return {**super().get_config(), **own}

    def call(self, student, teacher, batch):
        top_items, scores = teacher["top_items"], student["scores"]
        uniform = tf.random.stateless_uniform([tf.shape(scores)[0], self.draws], seed=[self.seed, batch.step])
        ranks = ranks_by_chance(uniform, self.decay, min(self.top, top_items.shape[-1]))
        temperature = self.temperature_at(batch)
        return cd(teacher["top_scores"], scores, top_items, ranks, temperature, self.offset, batch.seen)

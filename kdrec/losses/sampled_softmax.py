"""The hard loss of large catalogues: a softmax over the held-out item and items drawn by popularity, corrected."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras as keras

from kdrec.errors import TrainingError
from kdrec.losses.base import LEFT_OUT, check_at_least, items_mask, scores_of, split_labels
from kdrec.losses.bpr import labels_seed


def draw_shares(item_counts: Sequence[float] | None, n_items: int, power: float) -> np.ndarray:
    """Q, the share of draws that each item gets: its count to a power; an item without a pair counts as having one.

    Args:
        item_counts: (n_items,) pairs of each item in training; None for equal shares.
        n_items: items in the catalogue.
        power: 1 draws by popularity, 0 uniformly.

    Returns:
        (n_items,) float64 of sum 1.

    Raises:
        TrainingError: the counts are not of this catalogue.

    >>> draw_shares([0, 1, 3], 3, power=1.0).tolist()
    [0.2, 0.2, 0.6]
    """
    counts = np.ones(n_items) if item_counts is None else np.asarray(item_counts, np.float64)
    if counts.shape != (n_items,):
        raise TrainingError(
            f"item_counts must hold one number for each of {n_items} items, not shape {counts.shape}; "
            "count the training pairs of every item, in the order of the catalogue"
        )
    weights = np.maximum(counts, 1.0) ** power
    return weights / weights.sum()


def sampled_softmax(
    labels: tf.Tensor,
    scores: tf.Tensor,
    negatives: int = 100,
    item_counts: Sequence[float] | None = None,
    power: float = 1.0,
    seed: int = 0,
) -> tf.Tensor:
    """−(1/|H|) Σ_{i∈H} log(exp(s_i) / (exp(s_i) + Σ_j exp(s_j − log(m Q_j)))), j over m draws from Q.

    The correction by log Q (Bengio and Senécal, 2008; Yi et al., RecSys 2019, doi:10.1145/3298689.3346996) makes the
    sum over draws an unbiased estimate of Σ_j exp(s_j): the more draws, the closer to `softmax`. Draws that the row
    has seen or holds out are removed. They depend on the batch's labels: equal batches draw equal items. A row
    without held-out items costs 0.

    Args:
        labels: (rows, width) integers: +token for a held-out item, −token for a seen one, 0 for padding.
        scores: (rows, n_items), the student's.
        negatives: m, draws a row, with replacement.
        item_counts: (n_items,) pairs of each item in training, to which Q is proportional; None: Q is uniform.
        power: of the counts in Q.
        seed: of the draws.

    Returns:
        (rows,) float32.

    >>> one = sampled_softmax([[1, -3]], tf.constant([[0.0, 9.0, 9.0]]), negatives=1, item_counts=[1, 1, 10**9])
    >>> float(one[0])  # the one draw, item 2, has been seen: nothing is left to compare with
    0.0
    """
    labels = tf.convert_to_tensor(labels)
    n_items = scores.shape[-1]
    held_out, seen = (items_mask(tokens, n_items) for tokens in split_labels(labels))  # (rows, n_items) each
    shares = draw_shares(item_counts, n_items, power)
    ends = tf.constant(np.cumsum(shares))
    drawn = tf.random.stateless_uniform([tf.shape(labels)[0], negatives], labels_seed(labels, seed), dtype=tf.float64)
    items = tf.minimum(tf.searchsorted(ends, tf.reshape(drawn, [-1]), side="right"), n_items - 1)
    items = tf.reshape(items, tf.shape(drawn))  # (rows, negatives)
    correction = tf.constant(np.log(negatives * shares), scores.dtype)
    corrected = scores_of(scores, items) - tf.gather(correction, items)
    corrected = tf.where(scores_of(held_out | seen, items), tf.cast(LEFT_OUT, scores.dtype), corrected)
    rest = tf.reduce_logsumexp(corrected, axis=1, keepdims=True)  # (rows, 1)
    wanted = tf.cast(held_out, scores.dtype)
    costs = tf.reduce_sum(wanted * tf.nn.softplus(rest - scores), axis=1)
    return tf.math.divide_no_nan(costs, tf.reduce_sum(wanted, axis=1))


@keras.utils.register_keras_serializable("kdrec")
class SampledSoftmax(keras.losses.Loss):
    """`sampled_softmax` as a Keras loss for `compile(loss=…)`."""

    def __init__(
        self,
        negatives: int = 100,
        item_counts: Sequence[float] | None = None,
        power: float = 1.0,
        seed: int = 0,
        **kwargs: Any,
    ):
        check_at_least("negatives", negatives)
        super().__init__(**kwargs)
        self.negatives, self.power, self.seed = negatives, power, seed
        self.item_counts = None if item_counts is None else np.asarray(item_counts).tolist()

    def call(self, labels: tf.Tensor, scores: tf.Tensor) -> tf.Tensor:
        return sampled_softmax(labels, scores, self.negatives, self.item_counts, self.power, self.seed)

    def get_config(self) -> dict:
        own = {"negatives": self.negatives, "item_counts": self.item_counts, "power": self.power, "seed": self.seed}
        return {**super().get_config(), **own}

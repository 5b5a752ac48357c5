"""The hard loss of two-tower training: the held-out items of a batch are each other's negatives, corrected."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras as keras

from kdrec.losses.base import LEFT_OUT, items_mask, split_labels
from kdrec.losses.sampled_softmax import draw_shares


def in_batch_softmax(labels: tf.Tensor, scores: tf.Tensor, item_counts: Sequence[float] | None = None) -> tf.Tensor:
    """−(1/|H|) Σ_{i∈H} log(exp(c_i) / (exp(c_i) + Σ_j n_j exp(c_j))), c = s − log Q, item j held out by n_j other rows.

    Popular items are held out often, so Q, an item's share of the training pairs, corrects for it (Yi et al., RecSys
    2019, doi:10.1145/3298689.3346996). Items that the row has seen or holds out itself are no negatives. A row is
    compared with the items of the other rows of its batch, whatever those rows weigh; without any, or without
    held-out items of its own, it costs 0.

    Args:
        labels: (rows, width) integers: +token for a held-out item, −token for a seen one, 0 for padding.
        scores: (rows, n_items), the student's.
        item_counts: (n_items,) pairs of each item in training; None: all items are equally frequent.

    Returns:
        (rows,) float32.

    >>> costs = in_batch_softmax([[1, 0], [2, -1]], tf.constant([[0.0, 0.0, 9.0], [9.0, 0.0, 0.0]]))
    >>> [round(float(cost), 6) for cost in costs]  # item 1 stands against item 0; item 0 has been seen
    [0.693147, 0.0]
    """
    n_items = scores.shape[-1]
    held_out, seen = (items_mask(tokens, n_items) for tokens in split_labels(tf.convert_to_tensor(labels)))
    wanted = tf.cast(held_out, scores.dtype)  # (rows, n_items)
    log_shares = tf.constant(np.log(draw_shares(item_counts, n_items, power=1.0)), scores.dtype)
    times = tf.reduce_sum(wanted, axis=0)  # (n_items,): rows of the batch that hold the item out
    corrected = scores - log_shares
    left_out = held_out | seen | (times == 0)
    others = tf.where(left_out, tf.cast(LEFT_OUT, scores.dtype), corrected + tf.math.log(tf.maximum(times, 1.0)))
    rest = tf.reduce_logsumexp(others, axis=1, keepdims=True)  # (rows, 1)
    costs = tf.reduce_sum(wanted * tf.nn.softplus(rest - corrected), axis=1)
    return tf.math.divide_no_nan(costs, tf.reduce_sum(wanted, axis=1))


@keras.utils.register_keras_serializable("kdrec")
class InBatchSoftmax(keras.losses.Loss):
    """`in_batch_softmax` as a Keras loss for `compile(loss=…)`."""

    def __init__(self, item_counts: Sequence[float] | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.item_counts = None if item_counts is None else np.asarray(item_counts).tolist()

    def call(self, labels: tf.Tensor, scores: tf.Tensor) -> tf.Tensor:
        return in_batch_softmax(labels, scores, self.item_counts)

    def get_config(self) -> dict:
        return {**super().get_config(), "item_counts": self.item_counts}

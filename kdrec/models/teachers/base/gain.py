"""How good a ranking of the catalogue is for one held-out item: what chooses an epoch while a teacher trains."""

import math

import tensorflow as tf

from kdrec.losses.base import items_mask


def gain_at_10(scores: tf.Tensor, item: tf.Tensor, seen: tf.Tensor) -> tf.Tensor:
    """1 / log₂(1 + rank) of the held-out item among the unseen ones, 0 below rank 10: the NDCG@10 of a single item.

    Args:
        scores: (rows, n_items).
        item: (rows,) tokens of the held-out items.
        seen: (rows, width) tokens of the items that are not ranked; 0 is padding.

    Returns:
        (rows,) float32.

    >>> float(gain_at_10(tf.constant([[3.0, 2.0, 1.0]]), tf.constant([3]), tf.constant([[1, 0]]))[0])  # 1 / log₂ 3
    0.6309297680854797
    """
    own = tf.gather(scores, item - 1, batch_dims=1)[:, tf.newaxis]
    better = (scores > own) & ~items_mask(seen, scores.shape[-1])
    rank = 1.0 + tf.reduce_sum(tf.cast(better, tf.float32), axis=1)
    return tf.where(rank <= 10, math.log(2) / tf.math.log(1.0 + rank), 0.0)

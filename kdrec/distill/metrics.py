"""NDCG@k as a Keras metric, so that EarlyStopping and ModelCheckpoint can watch what matters."""

import math

import tensorflow as tf
import tf_keras as keras

from kdrec.losses.base import LEFT_OUT, items_mask, split_labels


def ndcg(labels: tf.Tensor, scores: tf.Tensor, k: int) -> tf.Tensor:
    """DCG@k / ideal DCG@k of the held-out items in the ranking of all unseen ones (Järvelin & Kekäläinen, 2002).

    Ties go to the lower position. Float scores hardly ever tie; for int8 files use `kdrec.evaluate`, which takes the
    mean over all orders of a tie.

    Args:
        labels: (rows, width): +token for a held-out item, −token for a seen one, 0 for padding.
        scores: (rows, n_items).
        k: length of the list.

    Returns:
        (rows,) float32; 0 for a row without held-out items.

    >>> float(ndcg(tf.constant([[1]]), tf.constant([[2.0, 3.0, 1.0]]), 10)[0])  # second place: 1 / log2(3)
    0.6309297680854797
    """
    held_out, seen = split_labels(labels)
    n_items = scores.shape[-1]
    wanted = tf.cast(items_mask(held_out, n_items), tf.float32)
    unseen = tf.where(items_mask(seen, n_items), tf.cast(LEFT_OUT, scores.dtype), scores)
    top = tf.math.top_k(unseen, k=min(k, n_items)).indices  # the lower index comes first in a tie
    gains = [1.0 / math.log2(rank + 2.0) for rank in range(min(k, n_items))]
    dcg = tf.reduce_sum(tf.gather(wanted, top, batch_dims=1) * gains, axis=1)
    count = tf.cast(tf.reduce_sum(wanted, axis=1), tf.int32)
    ideal = tf.gather(tf.concat([[0.0], tf.cumsum(tf.constant(gains))], 0), tf.minimum(count, len(gains)))
    return tf.math.divide_no_nan(dcg, ideal)


@keras.utils.register_keras_serializable("kdrec")
class NDCG(keras.metrics.MeanMetricWrapper):
    """Mean of `ndcg` over rows, named `ndcg@k`."""

    def __init__(self, k: int = 10, name: str | None = None, dtype=None):
        super().__init__(lambda labels, scores: ndcg(labels, scores, k), name or f"ndcg@{k}", dtype)
        self.k = k

    def get_config(self) -> dict:
        return {"k": self.k, "name": self.name, "dtype": self.dtype}

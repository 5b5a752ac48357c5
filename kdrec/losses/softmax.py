"""The hard loss: softmax cross-entropy over the whole catalogue, seen items left out."""

import tensorflow as tf
import tf_keras as keras

from kdrec.losses.base import LEFT_OUT, items_mask, split_labels


def softmax(labels: tf.Tensor, scores: tf.Tensor) -> tf.Tensor:
    """−(1/|H|) Σ_{j∈H} log softmax(s over the unseen items)_j, with H the held-out items of a row.

    The multinomial likelihood of Liang et al., 2018, arXiv:1802.05814, without the seen items. A row without held-out
    items (one that only the teacher labels) costs 0.

    Args:
        labels: (rows, width) integers: +token for a held-out item, −token for a seen one, 0 for padding.
        scores: (rows, n_items), the student's.

    Returns:
        (rows,) float32.

    >>> float(softmax([[1, -3]], tf.constant([[0.0, 0.0, 9.0]]))[0])  # two unseen items, equal scores: log 2
    0.6931471824645996
    """
    held_out, seen = split_labels(tf.convert_to_tensor(labels))
    n_items = scores.shape[-1]
    wanted = tf.cast(items_mask(held_out, n_items), scores.dtype)  # (rows, n_items)
    unseen = tf.where(items_mask(seen, n_items), tf.cast(LEFT_OUT, scores.dtype), scores)
    count = tf.reduce_sum(wanted, axis=1)
    picked = tf.reduce_sum(wanted * tf.nn.log_softmax(unseen), axis=1)
    return -tf.math.divide_no_nan(picked, count)


@keras.utils.register_keras_serializable("kdrec")
class Softmax(keras.losses.Loss):
    """`softmax` as a Keras loss for `compile(loss=…)`."""

    def call(self, labels: tf.Tensor, scores: tf.Tensor) -> tf.Tensor:
        return softmax(labels, scores)

"""What every loss shares: how a batch says which items were seen, and the two classes that carry a formula."""

from typing import Any, ClassVar

import tensorflow as tf
import tf_keras as keras

from kdrec.errors import TrainingError

LEFT_OUT = -1e9  # the score of an item that a softmax leaves out; exp of it is 0 and its gradient is 0


def items_mask(tokens: tf.Tensor, n_items: int) -> tf.Tensor:
    """Which items a row of tokens names; token 0 is padding and names none.

    Args:
        tokens: (rows, width) int32, item position + 1.
        n_items: items in the catalogue.

    Returns:
        (rows, n_items) bool.

    >>> items_mask(tf.constant([[0, 2]]), 3).numpy().tolist()
    [[False, True, False]]
    """
    tokens = tf.cast(tokens, tf.int32)
    rows, width = tf.shape(tokens)[0], tf.shape(tokens)[1]
    at = tf.stack([tf.repeat(tf.range(rows), width), tf.reshape(tokens, [-1])], axis=1)
    named = tf.scatter_nd(at, tf.ones([rows * width], tf.int32), [rows, n_items + 1])
    return named[:, 1:] > 0


def split_labels(labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Signed labels, (rows, width), into held-out tokens (positive) and seen tokens (given as negative)."""
    labels = tf.cast(labels, tf.int32)
    return tf.maximum(labels, 0), tf.maximum(-labels, 0)


class DistillationLoss(keras.layers.Layer):
    """A soft loss: one value a row from what the student and the teacher say of that row.

    A subclass names what it `needs` of the teacher (`scores`, `user_embedding`; the fields of the teacher cache),
    and whether it reads the student's `query`. It may own trainable layers, such as a projection.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"scores"})
    reads_query: ClassVar[bool] = False

    def call(self, student: dict[str, tf.Tensor], teacher: dict[str, tf.Tensor], seen: tf.Tensor) -> tf.Tensor:
        """One value a row.

        Args:
            student: `scores` (rows, n_items) and, for a loss that reads it, `query` (rows, student width).
            teacher: the fields that the loss needs, for example `scores` (rows, n_items).
            seen: (rows, n_items) bool, the items of the row's history.

        Returns:
            (rows,) float32.
        """
        raise TrainingError(f"{type(self).__name__} must define call(student, teacher, seen)")


class TemperedLoss(DistillationLoss):
    """A soft loss with a temperature, a variable that a callback may change while training."""

    def __init__(self, temperature: float = 1.0, **kwargs: Any):
        if temperature <= 0:
            raise TrainingError(f"temperature must be positive, not {temperature}; 1 leaves the scores as they are")
        super().__init__(**kwargs)
        self.temperature = tf.Variable(temperature, trainable=False, dtype=tf.float32, name="temperature")
        self._start = temperature

    def get_config(self) -> dict:
        return {**super().get_config(), "temperature": self._start}

"""What every weighting is: how the rows of a batch count, and how the parts of the loss add up."""

from collections.abc import Sequence
from typing import Any, ClassVar

import tensorflow as tf
import tf_keras as keras

from kdrec.errors import TrainingError
from kdrec.losses.base import Batch


class Weighting(keras.layers.Layer):
    """A subclass says how the parts make one loss, and perhaps how rows count. It may own trainable variables.

    Args:
        parts: how many parts the loss has: the hard one, then each soft loss against each teacher.
    """

    needs: ClassVar[frozenset[str]] = frozenset()  # fields of the teacher

    def __init__(self, parts: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.parts = parts

    def rows(self, teacher: dict[str, tf.Tensor], batch: Batch) -> tf.Tensor:
        """What each row counts in the soft losses against a teacher, (rows,) float32, beside its sample weight."""
        return tf.ones([tf.shape(batch.seen)[0]])

    def total(self, weights: Sequence[tf.Tensor], values: Sequence[tf.Tensor], share: float) -> tf.Tensor:
        """One loss of all parts, a scalar.

        Args:
            weights: c, a scalar a part; 0 where a batch has no teacher.
            values: L, a scalar a part: this replica's share of a mean over all rows.
            share: this replica's share, 1 on one device; it scales what a weighting adds beside the values.
        """
        raise TrainingError(f"{type(self).__name__} must define total(weights, values, share)")

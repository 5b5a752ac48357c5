"""The weights as they are given: a plain weighted sum."""

from collections.abc import Sequence

import tensorflow as tf

from kdrec.distill.weightings.base import Weighting


def fixed(weights: Sequence[tf.Tensor], values: Sequence[tf.Tensor]) -> tf.Tensor:
    """Σ_p c_p L_p.

    Args:
        weights: c, a scalar a part of the loss.
        values: L, a scalar a part.

    >>> float(fixed([0.5, 2.0], [4.0, 1.0]))
    4.0
    """
    return tf.add_n([weight * value for weight, value in zip(weights, values, strict=True)])


class Fixed(Weighting):
    """`fixed`; all rows count alike."""

    def total(self, weights, values, share):
        return fixed(weights, values)

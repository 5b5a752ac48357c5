"""Weights that the training learns: a part counts the less, the more uncertain it is."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from kdrec.distill.weightings.base import Weighting


def uncertainty(
    weights: Sequence[tf.Tensor], values: Sequence[tf.Tensor], log_variances: tf.Tensor, share: float = 1.0
) -> tf.Tensor:
    """Σ_p c_p (exp(−s_p) L_p + s_p), s_p = log σ_p² learned (Kendall, Gal & Cipolla, CVPR 2018, arXiv:1705.07115).

    Of a part L_p > 0 the best s_p is log L_p: the parts then weigh c_p / L_p, so that their scales do not matter. The
    weights c that are given say how the parts are to stand to each other. A part of weight 0 learns nothing.

    Args:
        weights: c, a scalar a part of the loss.
        values: L, a scalar a part, at least 0.
        log_variances: (parts,) s.
        share: of s that is added; L comes as the same share of a mean.

    >>> round(float(uncertainty([1.0, 3.0], [4.0, 1.0], tf.math.log([2.0, 1.0]))), 5)  # 4/2 + log 2, and 3 · 1
    5.69315
    """
    s = tf.unstack(log_variances)
    parts = zip(weights, values, s, strict=True)
    return tf.add_n([c * (tf.exp(-s_p) * value + share * s_p) for c, value, s_p in parts])


class Uncertainty(Weighting):
    """`uncertainty`; s starts at 0, where the parts weigh as given, and learns along with the student."""

    def __init__(self, parts: int, **kwargs: Any):
        super().__init__(parts, **kwargs)
        self.log_variances = self.add_weight("log_variances", (parts,), initializer="zeros")

    def total(self, weights, values, share):
        return uncertainty(weights, values, self.log_variances, share)

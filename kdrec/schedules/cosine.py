"""The schedule along half a wave of the cosine: it starts and ends slowly."""

from math import pi
from typing import Any


def cosine(progress: Any, start: float, end: float) -> Any:
    """end + (start − end) · (1 + cos(π · progress)) / 2 (Loshchilov & Hutter, 2017, arXiv:1608.03983, one period).

    Args:
        progress: in [0, 1].
        start, end: values at progress 0 and 1.

    >>> round(float(cosine(0.5, 4.0, 0.0)), 5)
    2.0
    """
    import tensorflow as tf

    return end + (start - end) * (1.0 + tf.cos(pi * progress)) / 2.0

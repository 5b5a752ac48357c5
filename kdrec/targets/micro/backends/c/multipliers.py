"""Real scales become the integers by which TensorFlow Lite Micro multiplies and shifts."""

import math

import numpy as np

from kdrec.tflite.views import Tensor

ADD_SHIFT = 20  # bits by which the terms of a sum are raised before they are scaled


def fixed_point(real: float) -> tuple[int, int]:
    """(multiplier, shift) with real ≈ multiplier · 2^(shift − 31) and 2^30 ≤ multiplier < 2^31; tiny ones become 0.

    >>> fixed_point(0.75), fixed_point(0.0)
    ((1610612736, 0), (0, 0))
    """
    fraction, shift = math.frexp(real)
    multiplier = math.floor(fraction * 2**31 + 0.5)
    if multiplier == 2**31:
        multiplier, shift = 2**30, shift + 1
    return (0, 0) if shift < -31 else (multiplier, shift)


def of_product(left: Tensor, right: Tensor, made: Tensor) -> tuple[int, int]:
    """Of a matrix product; the scales of its factors are multiplied in single precision, as the runtime does."""
    return fixed_point(float(np.float32(left.scale) * np.float32(right.scale)) / scale(made))


def of_elements(left: Tensor, right: Tensor, made: Tensor) -> tuple[int, int]:
    """Of a product of single elements: the scales are multiplied in double precision."""
    return fixed_point(scale(left) * scale(right) / scale(made))


def of_sum(left: Tensor, right: Tensor, made: Tensor) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int]]:
    """Of the terms of a sum, raised by `ADD_SHIFT` bits, and of the sum."""
    twice = 2 * max(scale(left), scale(right))
    return (
        fixed_point(scale(left) / twice),
        fixed_point(scale(right) / twice),
        fixed_point(twice / (2**ADD_SHIFT * scale(made))),
    )


def scale(tensor: Tensor) -> float:
    """The one scale that a quantized tensor has."""
    if tensor.scale is None:
        raise ValueError(f"tensor {tensor.index} has {len(tensor.scales)} scales, not one")
    return tensor.scale

"""Constants that hold the same numbers as another one, though not the same bytes."""

from collections.abc import Mapping, Sequence
from math import prod

import numpy as np

from kdrec.tflite.views import Tensor

ITEM_BYTES = {"float32": 4, "float16": 2, "int8": 1}
LEAST_BYTES = 256  # smaller constants are not worth a comparison
COMPARED_ROWS = 2000
FLOAT16_STEP = 2.0**-11  # of a number, by which float16 rounds it
SAME_SHARE = 0.98  # of the numbers; a converter clips some where it quantizes a table twice


def copies(constants: Sequence[tuple[int, Tensor]]) -> Mapping[int, int]:
    """Which matrices repeat the numbers of another one, up to their quantization.

    A converter that quantizes a tied table twice, by one scale for lookup and by one a row for scoring, stores it
    twice; so does a table that is looked up with a padding row and scored without, and a matrix that is transposed.

    Args:
        constants: the number of the buffer and a tensor that reads it, largest first.

    Returns:
        Buffer -> the buffer of an earlier constant whose numbers it repeats.
    """
    found: dict[int, int] = {}
    seen: list[tuple[int, Tensor]] = []
    for buffer, tensor in constants:
        if not _is_matrix(tensor):
            continue
        first = next((other for other, known in seen if _same(known, tensor)), None)
        if first is None:
            seen.append((buffer, tensor))
        else:
            found[buffer] = first
    return found


def _is_matrix(tensor: Tensor) -> bool:
    """Whether it is large enough, of known numbers, and whole: other people's files may say what they like."""
    if tensor.data is None or tensor.sparse or len(tensor.shape) != 2 or tensor.dtype not in ITEM_BYTES:
        return False
    n_scales, n_zeros = len(tensor.scales), len(tensor.zero_points)
    if n_scales not in (0, 1, tensor.shape[0]) or n_zeros not in (0, n_scales):
        return False
    return LEAST_BYTES <= len(tensor.data) == prod(tensor.shape) * ITEM_BYTES[tensor.dtype]


def _same(large: Tensor, small: Tensor) -> bool:
    rows, width = small.shape
    if large.shape in ((rows, width), (rows + 1, width)):
        places = np.unique(np.linspace(0, rows - 1, min(rows, COMPARED_ROWS)).astype(int))
        one, step = _real(large, places + (large.shape[0] - rows))
        other, too = _real(small, places)
    elif large.shape == (width, rows):
        one, step = _real(large, np.arange(width))
        other, too = _real(small, np.arange(rows))
        one, step = one.T, step.T
    else:
        return False
    near = np.abs(one - other) <= step + too + FLOAT16_STEP * np.abs(one)
    return bool(near.mean() >= SAME_SHARE) and bool(one.any())


def _real(tensor: Tensor, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(rows, width) numbers at these rows, and (rows or 1, 1) half a step, by which they are rounded."""
    stored = tensor.values()[places].astype(np.float32)
    if not tensor.scales:
        return stored, np.zeros((1, 1), np.float32)
    scales = np.array(tensor.scales, np.float32).reshape(-1, 1)
    zeros = np.array(tensor.zero_points or [0] * len(scales), np.float32).reshape(-1, 1)
    if len(scales) > 1:
        scales, zeros = scales[places], zeros[places]
    return scales * (stored - zeros), 0.501 * scales

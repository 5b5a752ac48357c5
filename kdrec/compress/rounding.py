"""Matrices rounded to few bits with one scale, chosen so that little is lost."""

import numpy as np

STEPS = {"int4": 7, "int8": 127}  # the largest number of a type, symmetric
SHARES = np.linspace(0.2, 1.0, 81)  # of the largest value: what is above the range is clipped


def best_scale(matrix: np.ndarray, steps: int = STEPS["int4"]) -> float:
    """The scale s that makes the mean square of E − s·clip(round(E / s)) least.

    A wide range rounds coarsely, a narrow one clips. A matrix that stands on a grid of so many steps keeps it.

    Args:
        matrix: (rows, width) float32.
        steps: the largest integer.

    Returns:
        The scale; 1 for a matrix of zeros.

    >>> grid = np.array([[0.0, 0.5, -3.5], [1.0, 2.0, 3.0]])
    >>> best_scale(grid), rounded(grid, best_scale(grid)).tolist()
    (0.5, [[0, 1, -7], [2, 4, 6]])
    """
    largest = float(np.abs(matrix).max())
    if largest == 0:
        return 1.0
    # A trained grid need not use its last step, so every number of steps is among the candidates.
    candidates = np.unique(np.concatenate([largest * SHARES / steps, largest / np.arange(1, steps + 1)]))
    return float(candidates[int(np.argmin(_losses(matrix, candidates, steps)))])


def _losses(matrix: np.ndarray, candidates: np.ndarray, steps: int) -> list[float]:
    """The sum of squares of E − s·clip(round(E / s)) for each scale s.

    Sorted once, magnitudes from (j − ½)s to (j + ½)s are neighbours, and Σ(x − js)² = Σx² − 2jsΣx + nj²s².
    """
    magnitudes = np.sort(np.abs(matrix), axis=None).astype(np.float64)  # (values,)
    sums = [np.concatenate([[0.0], np.cumsum(magnitudes**power)]) for power in (1, 2)]
    step = np.arange(steps + 1)
    losses = []
    for scale in candidates:
        ends = [0, *np.searchsorted(magnitudes, (step[1:] - 0.5) * scale), magnitudes.size]
        linear, square = (np.diff(total[ends]) for total in sums)  # (steps + 1,) each
        reached = step * scale
        losses.append(float(np.sum(square - 2 * reached * linear + np.diff(ends) * reached**2)))
    return losses


def rounded(matrix: np.ndarray, scale: float, steps: int = STEPS["int4"]) -> np.ndarray:
    """clip(round(E / scale), −steps, steps) as int8."""
    return np.clip(np.round(matrix / scale), -steps, steps).astype(np.int8)


def scale_of(matrix: np.ndarray, kind: str) -> float:
    """The scale by which a matrix is stored: the best one for four bits, max|E| / 127 for eight, as the converter's.

    >>> scale_of(np.array([[0.0, -2.54]]), "int8")
    0.02
    """
    if kind == "int4":
        return best_scale(matrix)
    return float(np.abs(matrix).max()) / STEPS["int8"] or 1.0


def on_grid(matrix: np.ndarray, kind: str) -> np.ndarray:
    """The values that a file holds for a matrix: (rows, width) float32; of float32 the matrix itself."""
    if kind == "float32":
        return matrix
    scale = scale_of(matrix, kind)
    return np.float32(scale) * rounded(matrix, scale, STEPS[kind]).astype(np.float32)

"""Item tables rounded to few bits with one scale, chosen so that little is lost."""

import numpy as np

STEPS = 7  # the largest number of four bits, symmetric: -7 … 7
SHARES = np.linspace(0.2, 1.0, 81)  # of the largest value: what is above the range is clipped


def best_scale(table: np.ndarray, steps: int = STEPS) -> float:
    """The scale s that makes the mean square of E − s·clip(round(E / s)) least.

    A wide range rounds coarsely, a narrow one clips. A table that stands on a grid of so many steps keeps it.

    Args:
        table: (rows, width) float32.
        steps: the largest integer.

    Returns:
        The scale; 1 for a table of zeros.

    >>> grid = np.array([[0.0, 0.5, -3.5], [1.0, 2.0, 3.0]])
    >>> best_scale(grid), rounded(grid, best_scale(grid)).tolist()
    (0.5, [[0, 1, -7], [2, 4, 6]])
    """
    largest = float(np.abs(table).max())
    if largest == 0:
        return 1.0
    # A trained grid need not use its last step, so every number of steps is among the candidates.
    candidates = np.unique(np.concatenate([largest * SHARES / steps, largest / np.arange(1, steps + 1)]))
    losses = [float(np.mean((table - scale * rounded(table, scale, steps)) ** 2)) for scale in candidates]
    return float(candidates[int(np.argmin(losses))])


def rounded(table: np.ndarray, scale: float, steps: int = STEPS) -> np.ndarray:
    """clip(round(E / scale), −steps, steps) as int8."""
    return np.clip(np.round(table / scale), -steps, steps).astype(np.int8)

"""The best unseen items of each row, exactly, in one pass over the catalogue."""

import numpy as np

SORTED = 1_024  # so few scores a row are sorted by keys; more are cut down to the blocks that can hold a best one


def top_unseen(scores: np.ndarray, seen: np.ndarray, k: int) -> np.ndarray:
    """The k best unseen items of each row, score descending, then lower position.

    Args:
        scores: (rows, n_items) float32, finite.
        seen: (rows, width) tokens that are left out.
        k: at most the unseen items of any row.

    Returns:
        (rows, k) int32 positions.

    >>> top_unseen(np.array([[1, 3, 3, 2]], np.float32), np.array([[0, 2]]), 2).tolist()
    [[2, 3]]
    """
    scores = np.array(scores, dtype=np.float32)
    hide_seen(scores, seen)
    return best(scores, k).astype(np.int32)


def hide_seen(scores: np.ndarray, seen: np.ndarray) -> None:
    """Put the items of a row's tokens, (rows, width), below all others, in place: their score becomes −∞."""
    row, column = np.nonzero(seen)
    scores[row, seen[row, column] - 1] = -np.inf


def best(scores: np.ndarray, k: int) -> np.ndarray:
    """The k highest columns of each row, score descending, then lower position.

    A column among the k best lies in one of the k blocks of best maximum (of equal ones the earlier): each of k better
    blocks would hold a better column. So the catalogue is read once, for the maxima, and few columns are compared.

    Args:
        scores: (rows, n) float32, no NaN.
        k: at most n.

    Returns:
        (rows, k) int64.

    >>> best(np.array([[1, 3, 3, 2]], np.float32), 3).tolist()
    [[1, 2, 3]]
    """
    n = scores.shape[1]
    width = int((n / k) ** 0.5)  # of a block: as many maxima are compared as columns of the blocks chosen
    if n <= SORTED or width < 3:
        return _best_by_keys(scores, k)
    starts = np.arange(0, n, width)
    blocks = np.sort(best(np.maximum.reduceat(scores, starts, axis=1), k), axis=1)  # (rows, k), ascending
    columns = (starts[blocks][:, :, None] + np.arange(width)).reshape(len(scores), -1)  # (rows, k · width), ascending
    few = np.take_along_axis(scores, np.minimum(columns, n - 1), axis=1)
    few[columns >= n] = -np.inf  # the last block may be short; its end is below and behind all others
    return np.take_along_axis(columns, best(few, k), axis=1)


def _best_by_keys(scores: np.ndarray, k: int) -> np.ndarray:
    n = scores.shape[1]
    keys = np.arange(n) - ordered(scores) * n  # ascending, and no two of a row are equal: any sort gives one answer
    found = np.argpartition(keys, k - 1, axis=1)[:, :k]
    order = np.argsort(np.take_along_axis(keys, found, axis=1), axis=1)
    return np.take_along_axis(found, order, axis=1)


def ordered(scores: np.ndarray) -> np.ndarray:
    """Integers, within ±2³¹, that lie in the order of the scores and are equal where they are: int64.

    >>> ordered(np.array([-0.0, 0.0, 1e-40, -np.inf], np.float32)).argsort(kind="stable").tolist()
    [3, 0, 1, 2]
    """
    # Floats order like the integers of their bits, the negative ones reversed; + 0.0 makes −0.0 a 0.0.
    bits = (scores + np.float32(0.0)).view(np.int32).astype(np.int64)
    return np.where(bits < 0, -(bits & 0x7FFFFFFF), bits)

"""Ranking order: score descending, then lower position."""

import numpy as np


def best(scores: np.ndarray, allowed: np.ndarray, k: int) -> np.ndarray:
    """Positions of the k best allowed items.

    Args:
        scores: (n_items,).
        allowed: (n_items,) bool, at least k of them true.
        k: how many.

    Returns:
        (k,) positions.

    >>> best(np.array([0.1, 0.7, 0.7, 0.9]), np.array([True, True, True, False]), 2).tolist()
    [1, 2]
    """
    positions = np.flatnonzero(allowed)
    scores = scores[positions]
    # Only those no worse than the k-th best are sorted; stable, so equal scores stay in position order.
    least = np.partition(scores, len(scores) - k)[len(scores) - k]
    near = np.flatnonzero(scores >= least)
    return positions[near[np.argsort(-scores[near], kind="stable")[:k]]]


def best_of_top(positions: np.ndarray, scores: np.ndarray, allowed: np.ndarray, k: int) -> np.ndarray | None:
    """The k best allowed items, if the top K that a file ranked itself is enough to know them.

    It is not when fewer than k of it are allowed, nor when the k-th is as good as the last of K: an item beyond K
    may then tie with it and have a lower position.

    Args:
        positions: (K,) of the file's top K.
        scores: (K,) theirs.
        allowed: (n_items,) bool.
        k: how many.

    Returns:
        (k,) indices into the top K, or None.

    >>> best_of_top(np.array([5, 2, 3]), np.array([9.0, 9.0, 1.0]), np.ones(6, bool), 2).tolist()
    [1, 0]
    >>> best_of_top(np.array([5, 2, 3]), np.array([9.0, 1.0, 1.0]), np.ones(6, bool), 2) is None
    True
    """
    ranked = np.lexsort((positions, -scores))
    kept = ranked[allowed[positions[ranked]]]
    if len(kept) < k or (len(positions) < len(allowed) and scores[kept[k - 1]] == scores.min()):
        return None
    return kept[:k]

"""Histories and pairs as sparse matrices over the items."""

import numpy as np
from scipy import sparse


def history_matrix(history: np.ndarray, n_items: int, recency: float | None = None) -> sparse.csr_matrix:
    """Each history as a row over the items: 1 where an item occurs, or 2^(−age / recency) for an ordered history.

    Args:
        history: (rows, L) tokens, the most recent last; age counts items from the end.
        n_items: items in the catalogue.
        recency: after so many items the weight is halved; None weighs all alike. An item that occurs twice counts
            once, as its last occurrence.

    Returns:
        (rows, n_items) float32.

    >>> history_matrix(np.array([[0, 2, 2, 3]]), 3, recency=1.0).toarray().tolist()
    [[0.0, 0.5, 1.0]]
    """
    history = np.asarray(history)
    rows, at = np.nonzero(history)
    age = history.shape[1] - 1 - at
    # Of a (row, item) that occurs twice, np.unique keeps the first it meets: the youngest, in reversed order.
    keys = rows[::-1] * np.int64(n_items) + history[rows, at][::-1] - 1
    keys, kept = np.unique(keys, return_index=True)
    age = age[::-1][kept]
    weights = np.ones(len(keys)) if recency is None else np.exp2(-age / recency)
    indptr = np.searchsorted(keys, np.arange(len(history) + 1) * np.int64(n_items))
    return sparse.csr_matrix((weights.astype(np.float32), keys % n_items, indptr), shape=(len(history), n_items))


def pair_matrix(users: np.ndarray, items: np.ndarray, shape: tuple[int, int]) -> sparse.csr_matrix:
    """Which user has which item, (users, items) float32 of 0 and 1; a pair that occurs twice counts once."""
    matrix = sparse.csr_matrix((np.ones(len(items), dtype=np.float32), (users, items)), shape=shape)
    matrix.sum_duplicates()
    matrix.data[:] = 1.0
    return matrix

"""The best k items a row."""

import numpy as np

from kdrec.errors import DataError
from kdrec.evaluation.candidates import candidates
from kdrec.evaluation.checks import check_k, check_positions
from kdrec.evaluation.item_lists import ItemLists


def top_k(scores: np.ndarray, k: int, seen: ItemLists | None = None) -> np.ndarray:
    """Positions of the k best unseen items: score descending, then lower position.

    Args:
        scores: (rows, n_items), larger is better.
        k: how many, at most n_items.
        seen: items that are never listed, one list a row; none when left out.

    Returns:
        (rows, k) int32; -1 fills the end of a row that has fewer than k unseen items.

    Raises:
        DataError: k outside 1 … n_items, NaN scores, or `seen` of another number of rows.

    >>> top_k(np.array([[0.1, 0.7, 0.7, 0.9]]), 3).tolist()
    [[3, 1, 2]]
    >>> top_k(np.array([[0.1, 0.7, 0.7, 0.9]]), 3, ItemLists.of([[3, 1]])).tolist()
    [[2, 0, -1]]
    """
    scores = np.atleast_2d(scores)
    rows, n_items = scores.shape
    check_k(k, n_items)
    seen = ItemLists.of([[]] * rows) if seen is None else seen
    if len(seen) != rows:
        raise DataError(f"seen must have one list a row of scores, {rows}, received {len(seen)}")
    check_positions("seen", seen, n_items)
    ready = candidates(scores, seen, n_items, np.arange(rows))

    last = ready.ordered[:, -k][:, None]
    inside = ready.scores > last
    edge = (ready.scores == last) & ~ready.seen
    # The edge's lower positions fill the places that the better items leave.
    listed = inside | (edge & (np.cumsum(edge, axis=1) <= k - inside.sum(axis=1, keepdims=True)))

    row, item = np.nonzero(listed)
    counts = listed.sum(axis=1)
    slot = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
    best = np.full((rows, k), -np.inf, dtype=ready.scores.dtype)
    positions = np.full((rows, k), -1, dtype=np.int32)
    best[row, slot], positions[row, slot] = ready.scores[row, item], item
    # Stable, so equal scores stay in position order and the fill stays last.
    return np.take_along_axis(positions, np.argsort(-best, axis=1, kind="stable"), axis=1)

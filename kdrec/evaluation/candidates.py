"""Scores made ready for ranking: checked, seen items out of the way, every row sorted once."""

from dataclasses import dataclass

import numpy as np

from kdrec.errors import DataError
from kdrec.evaluation.item_lists import ItemLists


@dataclass(frozen=True, eq=False)
class Candidates:
    """What a row may recommend: every item that its user has not seen.

    Args:
        scores: (rows, n_items), minus infinity at seen items.
        ordered: (rows, n_items) the same scores, each row rising, so that seen items come first.
        seen: (rows, n_items) true at items that cannot be recommended.
    """

    scores: np.ndarray
    ordered: np.ndarray
    seen: np.ndarray

    @property
    def n_items(self) -> int:
        return self.scores.shape[1]

    def counts(self) -> np.ndarray:
        """(rows,) how many items a row may recommend."""
        return self.n_items - self.seen.sum(axis=1)


def candidates(scores: np.ndarray, seen: ItemLists, n_items: int, users: np.ndarray) -> Candidates:
    """Check scores, mask what was seen, sort.

    Args:
        scores: (rows, n_items), larger is better; any real type.
        seen: the items that each row's user already has.
        n_items: size of the catalogue.
        users: (rows,) user positions, to name in errors.

    Raises:
        DataError: scores of another shape, or NaN among them.

    >>> ready = candidates(np.array([[3, 1, 2]]), ItemLists.of([[0]]), 3, np.array([0]))
    >>> ready.ordered.tolist(), ready.counts().tolist()
    ([[-inf, 1.0, 2.0]], [2])
    """
    scores = check_scores(scores, len(users), n_items, users)
    mask = seen.mask(n_items)
    scores = scores.copy()
    scores[seen.rows(), seen.items] = -np.inf
    return Candidates(scores, np.sort(scores, axis=1), mask)


def check_scores(scores: np.ndarray, rows: int, n_items: int, users: np.ndarray) -> np.ndarray:
    """Scores as float32, or as float64 where float32 would merge values; refused when NaN or misshapen."""
    scores = np.asarray(scores)
    check_shape(scores, rows, n_items)
    scores = scores.astype(np.result_type(scores.dtype, np.float32), copy=False)
    bad = np.isnan(scores).any(axis=1)
    if bad.any():
        first = int(np.argmax(bad))
        raise DataError(
            f"scores must be numbers: the row of user {users[first]} holds NaN at item "
            f"{int(np.argmax(np.isnan(scores[first])))} ({int(bad.sum())} such rows in this batch); "
            f"check the model's weights and its input for that user"
        )
    return scores


def check_shape(scores: np.ndarray, rows: int, n_items: int) -> None:
    """Refuse scores that do not cover the catalogue, one row a user."""
    if scores.shape != (rows, n_items):
        raise DataError(
            f"scores must hold one row a user and one column an item of the catalogue: expected shape "
            f"({rows}, {n_items}), received {scores.shape}; score this catalogue's items in position order, "
            f"without a padding column"
        )

"""One list of item positions a user, end to end in one array (compressed sparse rows)."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from kdrec.errors import DataError


@dataclass(frozen=True, eq=False)
class ItemLists:
    """The held-out or the seen items of some users: row u holds `items[indptr[u] : indptr[u + 1]]`.

    Args:
        indptr: (rows + 1,) where each row's list starts and ends, rising from 0 to len(items).
        items: (pairs,) item positions.

    Raises:
        DataError: indptr does not rise from 0 to the number of items.

    >>> lists = ItemLists.of([[4, 1], [], [2]])
    >>> lists.rows().tolist(), lists.counts().tolist()
    ([0, 0, 2], [2, 0, 1])
    >>> lists.take(np.array([2, 0])).items.tolist()
    [2, 4, 1]
    """

    indptr: np.ndarray
    items: np.ndarray

    def __post_init__(self) -> None:
        if len(self.indptr) == 0 or self.indptr[0] != 0 or self.indptr[-1] != len(self.items):
            ends = self.indptr[[0, -1]].tolist() if len(self.indptr) else []
            raise DataError(
                f"indptr must begin with 0 and end with the number of items, {len(self.items)}; "
                f"it begins and ends with {ends}; build the lists with ItemLists.of or from Interactions"
            )
        if np.any(np.diff(self.indptr) < 0):
            raise DataError("indptr must never fall from one row to the next; sort the pairs by user first")

    @classmethod
    def of(cls, lists: Iterable[Iterable[int]]) -> "ItemLists":
        """From one Python list of item positions a row."""
        rows = [np.asarray(list(row), dtype=np.int64) for row in lists]
        indptr = np.concatenate([[0], np.cumsum([len(row) for row in rows], dtype=np.int64)])
        return cls(indptr, np.concatenate([np.empty(0, np.int64), *rows]))

    @classmethod
    def from_mask(cls, mask: np.ndarray) -> "ItemLists":
        """From a boolean mask (rows, n_items)."""
        return cls(np.concatenate([[0], np.cumsum(mask.sum(axis=1))]), np.nonzero(mask)[1])

    def __len__(self) -> int:
        return len(self.indptr) - 1

    def counts(self) -> np.ndarray:
        """(rows,) the length of each list."""
        return np.diff(self.indptr)

    def rows(self) -> np.ndarray:
        """(pairs,) the row of each item."""
        return np.repeat(np.arange(len(self)), self.counts())

    def take(self, rows: np.ndarray) -> "ItemLists":
        """The lists of the given rows, in that order."""
        counts = self.counts()[rows]
        indptr = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
        within = np.arange(indptr[-1]) - np.repeat(indptr[:-1], counts)
        return ItemLists(
            indptr,
            self.items[np.repeat(np.asarray(self.indptr)[rows], counts) + within],
        )

    def only(self, wanted: np.ndarray) -> "ItemLists":
        """The lists without the items that are not wanted, (n_items,) bool.

        >>> ItemLists.of([[2, 0], [1]]).only(np.array([True, False, True])).counts().tolist()
        [2, 0]
        """
        kept = wanted[self.items]
        counts = np.bincount(self.rows()[kept], minlength=len(self))
        return ItemLists(np.concatenate([[0], np.cumsum(counts)]), self.items[kept])

    def mask(self, n_items: int) -> np.ndarray:
        """(rows, n_items) true where an item is in the row's list."""
        mask = np.zeros((len(self), n_items), dtype=bool)
        mask[self.rows(), self.items] = True
        return mask

"""The tables of a teacher cache: what is stored once for all rows."""

from typing import Any

import numpy as np

from kdrec.data.interactions import Interactions
from kdrec.distill.cache_plan import Plan, name_of
from kdrec.distill.top_unseen import ordered
from kdrec.errors import DataError

AT_ONCE = 4 * 2**20  # scores that are compared at a time
WAITING, PASSED = 2 * 2**20, 4_096  # candidates for the lists wait until there are so many, or so many rows passed by
ITEMS = 4_096  # items whose lists are merged at a time
NOBODY = np.iinfo(np.int64).min
ROWS = 2**31  # more than there are rows
LOWEST = -0x7F800000  # where −∞ lies in the order of scores


class ItemUsers:
    """The rows that score an item highest, gathered while the rows pass by: score descending, then lower row.

    Score and row are one integer, the higher the better. An item keeps its best `top`; of the rows that pass by, only
    those above the last of them are looked at: soon few.

    Args:
        n_items: items in the catalogue.
        top: rows kept of an item.

    >>> users = ItemUsers(n_items=2, top=2)
    >>> users.add(0, np.array([[1.0, 5.0], [3.0, -np.inf], [2.0, 5.0]], np.float32))  # row 1 has seen item 1
    >>> users.table().tolist()
    [[1, 2], [0, 2]]
    """

    def __init__(self, n_items: int, top: int):
        self.top = top
        self._kept = np.full((n_items, top), NOBODY)
        self._bar = np.full(n_items, -np.inf, dtype=np.float32)  # the last score that each item keeps
        self._items: list[np.ndarray] = []
        self._keys: list[np.ndarray] = []
        self._waiting = self._passed = 0

    def add(self, first: int, scores: np.ndarray) -> None:
        """Rows first, first + 1 …, above all that came before.

        Args:
            first: number of the first row.
            scores: (rows, n_items) float32; −∞ where a row has seen the item.
        """
        step = max(1, AT_ONCE // scores.shape[1])
        for start in range(0, len(scores), step):
            some = scores[start : start + step]
            rows, items = np.nonzero(some > self._bar)  # a row of equal score comes later, and so loses
            self._items.append(items.astype(np.int32))
            self._keys.append(ordered(some[rows, items]) * ROWS - (first + start + rows))
            self._waiting += len(rows)
            self._passed += len(some)
            if self._waiting >= WAITING or self._passed >= PASSED:
                self._merge()

    def table(self) -> np.ndarray:
        """(n_items, top) int32: rows, best first; −1 where fewer rows have not seen the item."""
        self._merge()
        best = np.sort(self._kept, axis=1)[:, ::-1]
        return np.where(best == NOBODY, -1, -best % ROWS).astype(np.int32)

    def _merge(self) -> None:
        """Let those that wait take their places."""
        if not self._items:
            return
        items, keys = np.concatenate(self._items), np.concatenate(self._keys)
        order = np.argsort(items)
        items, keys = items[order], keys[order]
        ends = np.searchsorted(items, np.arange(len(self._kept) + 1))  # those of item i are ends[i] … ends[i + 1] − 1
        for start in range(0, len(self._kept), ITEMS):
            some = slice(start, start + ITEMS)
            counts = np.diff(ends[start : start + ITEMS + 1])
            mine = slice(ends[start], ends[start] + counts.sum())
            new = np.full((len(counts), counts.max()), NOBODY)
            new[items[mine] - start, np.arange(mine.start, mine.stop) - ends[items[mine]]] = keys[mine]
            both = np.concatenate([self._kept[some], new], axis=1)
            self._kept[some] = np.partition(both, new.shape[1], axis=1)[:, new.shape[1] :]  # the `top` highest
        last = self._kept.min(axis=1)
        self._bar = score_of(np.where(last == NOBODY, LOWEST, -(-last // ROWS)))
        self._items, self._keys, self._waiting, self._passed = [], [], 0, 0


def score_of(order: np.ndarray) -> np.ndarray:
    """The float32 whose place `ordered` gives.

    >>> score_of(ordered(np.array([-2.5, 1e-40, 7.0], np.float32))).tolist() == np.float32([-2.5, 1e-40, 7.0]).tolist()
    True
    """
    bits = np.where(order < 0, -order | 0x80000000, order)
    return bits.astype(np.uint32).view(np.float32)


def item_embedding(teacher: Any, n_items: int, scale: float) -> np.ndarray:
    """√scale times the teacher's item embedding, (n_items, d) float32.

    Raises:
        DataError: another shape, or values that are not finite.
    """
    table = np.asarray(teacher.item_embedding, dtype=np.float32)
    if table.ndim != 2 or len(table) != n_items:
        raise DataError(
            f"item_embedding of teacher {name_of(teacher)!r} must be ({n_items}, d), one row an item, not {table.shape}"
        )
    if not np.isfinite(table).all():
        raise DataError(f"item_embedding of teacher {name_of(teacher)!r} must be finite; train the teacher again")
    return np.float32(scale**0.5) * table


def item_counts(interactions: Interactions, unlabelled: np.ndarray | None) -> np.ndarray:
    """Pairs of each item, (n_items,) float32; those of unlabelled users, (n_users,) bool, do not count."""
    pairs = interactions if unlabelled is None else interactions.select(~np.asarray(unlabelled)[interactions.users])
    return pairs.item_counts().astype(np.float32)


def tables(
    teacher: Any,
    interactions: Interactions,
    plan: Plan,
    scale: float,
    unlabelled: np.ndarray | None,
    item_users: ItemUsers | None,
) -> dict[str, np.ndarray]:
    """The tables that are asked for; `item_users` has met all rows."""
    found = {} if item_users is None else {"item_users": item_users.table()}
    if "item_embedding" in plan.needs:
        found["item_embedding"] = item_embedding(teacher, interactions.n_items, scale)
    if "item_counts" in plan.needs:
        found["item_counts"] = item_counts(interactions, unlabelled)
    return found

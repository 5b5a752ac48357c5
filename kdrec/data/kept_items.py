"""Which items of a catalogue keep a table row of their own, and what becomes of the rare ones."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np

from kdrec.data.histories import pushed_right
from kdrec.errors import DataError

FILE = "kept_items.json"


@dataclass(frozen=True, eq=False)
class KeptItems:
    """A catalogue cut to the items that keep a row; kept item i, in the catalogue's order, is token i + 1 of the file.

    Args:
        positions: (n_kept,) of the items that keep a row, ascending.
        n_items: items in the whole catalogue.
        bucket: whether histories read the others from one shared row, token n_kept + 1; else they are skipped.

    Raises:
        DataError: positions that do not rise or lie outside, or no other item.

    >>> kept = KeptItems(np.array([0, 2]), 4, bucket=True)
    >>> kept.rows.tolist(), kept.tokens.tolist(), kept.is_kept.tolist()
    ([1, 3, 2, 3], [1, 3, 2, 3], [True, False, True, False])
    >>> KeptItems(np.array([0, 2]), 4, bucket=False).read(np.array([[1, 2, 3, 4]])).tolist()
    [[0, 0, 1, 2]]
    """

    positions: np.ndarray
    n_items: int
    bucket: bool

    def __post_init__(self) -> None:
        positions = self.positions
        inside = len(positions) and positions[0] >= 0 and positions[-1] < self.n_items
        if not inside or len(positions) == self.n_items or (np.diff(positions) <= 0).any():
            raise DataError(
                f"positions must rise, lie from 0 to {self.n_items - 1} and leave an item out, not "
                f"{positions.tolist()[:10]}; a catalogue without rare items is not cut"
            )

    @classmethod
    def best(cls, worth: np.ndarray, n_kept: int, bucket: bool) -> Self:
        """The items of the highest worth, (n_items,), of equal ones the lower positions.

        >>> KeptItems.best(np.array([5.0, 7.0, 5.0]), 2, bucket=False).positions.tolist()
        [0, 1]
        """
        return cls(np.sort(np.argsort(-worth, kind="stable")[:n_kept]), len(worth), bucket)

    @property
    def n_kept(self) -> int:
        return len(self.positions)

    @cached_property
    def is_kept(self) -> np.ndarray:
        """(n_items,) bool."""
        return np.isin(np.arange(self.n_items), self.positions)

    @cached_property
    def rows(self) -> np.ndarray:
        """(n_items,) int32, the row of each item in a table whose row 0 is padding and whose last row is shared."""
        return np.where(self.is_kept, np.cumsum(self.is_kept), self.n_kept + 1).astype(np.int32)

    @cached_property
    def tokens(self) -> np.ndarray:
        """(n_items,) int32, what stands for each item in a history; 0 for one that is skipped."""
        return self.rows if self.bucket else np.where(self.is_kept, self.rows, np.int32(0))

    def read(self, history: np.ndarray) -> np.ndarray:
        """Histories of the whole catalogue, (rows, length) tokens, as the file takes them, without gaps."""
        return pushed_right(np.append(np.int32(0), self.tokens)[history])

    def save(self, folder: Path) -> None:
        """Write `kept_items.json`."""
        told = {"positions": self.positions.tolist(), "n_items": self.n_items, "bucket": self.bucket}
        (folder / FILE).write_text(json.dumps(told))

    @classmethod
    def saved(cls, folder: Path) -> Self | None:
        """What `save` left in a folder; None when it left nothing."""
        if not (folder / FILE).exists():
            return None
        told = json.loads((folder / FILE).read_text())
        return cls(np.array(told["positions"], np.int32), told["n_items"], told["bucket"])

"""Files of scores or embeddings: the answer of a teacher that ran somewhere else, one row a user."""

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import open_memmap

from kdrec.errors import DataError
from kdrec.models.teachers.base import Inputs, read_npz

TABLES = (".npy", ".npz", ".parquet")
WANTED = "scores (users, items), or user_embedding (users, d) and item_embedding (items, d)"


@dataclass(frozen=True, eq=False)
class Table:
    """scores[user] = user_rows[user], or user_rows[user] · item_embedding when there is one.

    Args:
        user_rows: (users, items) scores or (users, d) embeddings.
        item_embedding: (items, d) or None.
        path: named in errors.
    """

    user_rows: np.ndarray
    item_embedding: np.ndarray | None
    path: Path

    @property
    def rows(self) -> int:
        """Users who have scores."""
        return len(self.user_rows)

    @property
    def width(self) -> int:
        """Items that have a score."""
        return self.user_rows.shape[1] if self.item_embedding is None else len(self.item_embedding)

    @property
    def user_embedding(self) -> Callable[[Inputs], np.ndarray] | None:
        """x -> (rows, d) float32, where the file holds embeddings."""
        return None if self.item_embedding is None else self._rows

    def __call__(self, x: Inputs) -> np.ndarray:
        rows = self._rows(x)
        return rows if self.item_embedding is None else rows @ self.item_embedding.T

    def _rows(self, x: Inputs) -> np.ndarray:
        if "user" not in x:
            raise DataError(f"teacher {self.path} answers to x['user'], and x holds {', '.join(sorted(x))}; add it")
        users = np.asarray(x["user"])
        if len(users) and (users.min() < 0 or users.max() >= len(self.user_rows)):
            wrong = users[(users < 0) | (users >= len(self.user_rows))][0]
            raise DataError(
                f"teacher {self.path} knows users 0 to {len(self.user_rows) - 1}, not {wrong}; give a row for each user"
            )
        return np.asarray(self.user_rows[users], dtype=np.float32)


def read_table(path: Path) -> Table:
    """A file of scores or embeddings; .npy stays on disk and is read as it is used.

    Raises:
        DataError: unreadable, neither of the two forms, or widths that differ.
    """
    try:
        arrays = READERS[path.suffix](path)
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"teacher {path} cannot be read: {error}; it must hold {WANTED}") from error
    for name, array in arrays.items():
        if array.ndim != 2 or array.dtype.kind not in "fiu":
            raise DataError(
                f"{name} of teacher {path} must be numbers in 2 dimensions, not {array.dtype} {array.shape}"
            )
    if set(arrays) == {"scores"}:
        return Table(arrays["scores"], None, path)
    if set(arrays) != {"user_embedding", "item_embedding"}:
        raise DataError(f"teacher {path} must hold {WANTED}, not {', '.join(sorted(arrays)) or 'nothing'}")
    users, items = arrays["user_embedding"], arrays["item_embedding"].astype(np.float32)
    if users.shape[1] != items.shape[1]:
        raise DataError(
            f"user_embedding and item_embedding of teacher {path} must have one width, not {users.shape[1]} and "
            f"{items.shape[1]}"
        )
    return Table(users, items, path)


def _read_npy(path: Path) -> dict[str, np.ndarray]:
    return {"scores": open_memmap(path, mode="r")}


def _read_parquet(path: Path) -> dict[str, np.ndarray]:
    """Columns of lists, named as in `WANTED`, the shorter filled with nulls; or numbers, one column an item."""
    from pyarrow import parquet, types

    table = parquet.read_table(path)
    lists = [
        types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind)
        for kind in table.schema.types
    ]
    if any(lists):
        return {name: _stacked(table.column(name), path) for name in table.column_names}
    return {"scores": np.column_stack([column.to_numpy() for column in table.columns])}


def _stacked(column: Any, path: Path) -> np.ndarray:
    """A column of lists of one length as (rows, length); nulls at its end are left out."""
    rows = column.combine_chunks().drop_null()
    flat = rows.flatten().to_numpy(zero_copy_only=False)
    lengths = set(rows.value_lengths().to_pylist())
    if len(lengths) != 1:
        raise DataError(f"a column of teacher {path} must hold lists of one length, not {sorted(lengths)[:5]}")
    return flat.reshape(len(rows), lengths.pop())


READERS: dict[str, Callable[[Path], dict[str, np.ndarray]]] = {
    ".npy": _read_npy,
    ".npz": read_npz,
    ".parquet": _read_parquet,
}

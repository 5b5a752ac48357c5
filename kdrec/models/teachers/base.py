"""What every teacher is: an answer in scores, checked against the catalogue, kept in a folder without pickle."""

import json
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from importlib import import_module
from numbers import Real
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from scipy import sparse

from kdrec.data.interactions import Interactions
from kdrec.errors import BundleError, DataError
from kdrec.files import atomic_folder, canonical_json
from kdrec.models import teachers

Inputs = Mapping[str, np.ndarray]
Progress = Callable[[int, int, dict[str, float]], None]

META, ARRAYS = "teacher.json", "arrays.npz"

State = TypeVar("State")


class Teacher(ABC):
    """A callable from inputs to scores: x -> (rows, n_items) float32, column j for item position j.

    What it `provides` beyond scores is among "user_embedding", "item_embedding" (the scores of a teacher that provides
    both are user_embedding @ item_embedding.T) and "snapshots".

    Args:
        n_items: items in the catalogue.
    """

    name: str
    provides: frozenset[str] = frozenset()

    def __init__(self, n_items: int):
        self.n_items = n_items

    def __call__(self, x: Inputs) -> np.ndarray:
        """Scores of the whole catalogue.

        Args:
            x: "user" (rows,) positions, "history" (rows, L) tokens, one (rows,) a context feature; all int32.

        Returns:
            (rows, n_items) float32.

        Raises:
            DataError: the scores do not match the catalogue, or are not finite.
        """
        return check_scores(self._scores(x), (rows_of(x), self.n_items), self.name)

    def user_embedding(self, x: Inputs) -> np.ndarray:
        """The query vector of each row, (rows, d) float32, from a teacher that has one.

        Raises:
            DataError: the teacher gives scores only.
        """
        raise DataError(
            f"teacher {self.name!r} gives scores only, no user_embedding; use a loss on scores, or als or two_tower"
        )

    @cached_property
    def item_embedding(self) -> np.ndarray:
        """What a query is multiplied by for the score of each item, (n_items, d) float32, from a teacher that has one.

        Raises:
            DataError: the teacher gives no vectors.
        """
        raise DataError(f"teacher {self.name!r} has no item_embedding; use a loss on scores, or als or two_tower")

    def snapshots(self, count: int) -> "Sequence[Teacher]":
        """So many states of the teacher, the easiest first, the teacher itself last, from one that keeps them.

        Raises:
            DataError: the teacher kept no earlier state.
        """
        raise DataError(
            f"teacher {self.name!r} keeps no snapshots; use another loss, or als or ease with the option snapshots=2"
        )

    def save(self, folder: str | Path) -> None:
        """Write the teacher into a folder, whole or not at all; `load` reads it."""
        with atomic_folder(folder) as fresh:
            meta = {"schema": 1, "name": self.name, "n_items": self.n_items, **self._write(fresh)}
            (fresh / META).write_text(canonical_json(meta))

    @abstractmethod
    def _scores(self, x: Inputs) -> Any:
        """(rows, n_items), unchecked."""

    @abstractmethod
    def _write(self, folder: Path) -> dict[str, Any]:
        """Write the arrays; the options returned go into teacher.json, and `restore` of the module gets both."""


def load(folder: str | Path) -> Teacher:
    """The teacher that `save` wrote.

    Raises:
        BundleError: the folder holds no teacher, or a damaged one.
        UnknownNameError: a teacher that this version does not have.
    """
    folder = Path(folder)
    try:
        meta = json.loads((folder / META).read_text())
        name = meta["name"]
    except FileNotFoundError as error:
        raise BundleError(
            f"folder {folder} holds no teacher ({META} is missing); name one that a teacher was saved to"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise BundleError(
            f"{folder / META} is not what a teacher's save wrote: {error!r}; train the teacher again"
        ) from error
    teachers.get(name)
    try:
        return import_module(f"kdrec.models.teachers.{name}").restore(folder, meta)
    except (KeyError, OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise BundleError(
            f"teacher in {folder} is incomplete or altered: {error!r}; train the teacher again"
        ) from error


def chosen(states: Sequence[State], count: int) -> list[State]:
    """So many of the states, evenly chosen, the last one among them; of fewer states, some more than once.

    >>> chosen("abcd", 2), chosen("abcd", 1), chosen("ab", 3)
    (['a', 'd'], ['d'], ['a', 'a', 'b'])
    """
    places = np.linspace(len(states) - 1, 0, count).round().astype(int)[::-1]
    return [states[place] for place in places]


def write_arrays(folder: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """The arrays of a teacher as one npz."""
    np.savez(folder / ARRAYS, allow_pickle=False, **arrays)


def read_arrays(folder: Path) -> dict[str, np.ndarray]:
    """What `write_arrays` wrote."""
    return read_npz(folder / ARRAYS)


def read_npz(path: Path) -> dict[str, np.ndarray]:
    """All arrays of an npz file."""
    # Opened here, because np.load leaves the file open when it is damaged.
    with open(path, "rb") as file, np.load(file, allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


def rows_of(x: Inputs) -> int:
    """Rows of a batch."""
    return len(next(iter(x.values())))


def check_scores(scores: Any, expected: tuple[int, int], name: str) -> np.ndarray:
    """Scores as float32, if they are one finite number for each row and item.

    >>> check_scores([[1, 2]], (1, 2), "mine").dtype
    dtype('float32')
    """
    scores = np.asarray(scores, dtype=np.float32)
    if scores.shape != expected:
        raise DataError(
            f"scores of teacher {name!r} must match the catalogue: expected shape {expected} (rows, n_items), "
            f"received {scores.shape}; score every item of item_ids, in their order, without a padding column"
        )
    if not np.isfinite(scores).all():
        row, item = np.argwhere(~np.isfinite(scores))[0]
        raise DataError(
            f"scores of teacher {name!r} must be finite, and hold {scores[row, item]} at row {row}, item position "
            f"{item}; give unknown items a low score instead"
        )
    return scores


def check_positive(**options: float) -> None:
    """Options of a teacher that must be numbers above 0.

    Raises:
        DataError: no number, or not above 0.
    """
    for name, value in options.items():
        if isinstance(value, bool) or not isinstance(value, Real):
            raise DataError(f"{name} must be a number above 0, not {value!r}; leave it out for the default")
        if not value > 0:
            raise DataError(f"{name} must be above 0, not {value}; leave it out for the default")


def check_snapshots(snapshots: int, most: int) -> None:
    """A teacher keeps a whole number of earlier states, at most so many.

    Raises:
        DataError: it is asked for another number.
    """
    if isinstance(snapshots, bool) or not isinstance(snapshots, int) or not 0 <= snapshots <= most:
        raise DataError(
            f"snapshots must be a whole number from 0 to {most}, not {snapshots!r}; 2 is enough for hetcomp"
        )


def is_ordered(train: Interactions, ordered: bool | None) -> bool:
    """Whether histories are ordered by time: as said, or, if nothing is said, when the log has times."""
    return train.times is not None if ordered is None else ordered


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

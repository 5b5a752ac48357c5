"""What every teacher is: an answer in scores, checked against the catalogue, kept in a folder without pickle."""

import json
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from kdrec.errors import BundleError, DataError
from kdrec.files import atomic_folder, canonical_json
from kdrec.models import teachers

Inputs = Mapping[str, np.ndarray]
Progress = Callable[[int, int, dict[str, float]], None]

META = "teacher.json"

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

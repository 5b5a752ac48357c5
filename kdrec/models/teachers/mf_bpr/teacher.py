"""What the factor models share as teachers: tables of vectors, and queries made of a user's row and of a history."""

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self, final

import numpy as np

from kdrec.errors import DataError
from kdrec.models.teachers.base import (
    Inputs,
    Teacher,
    chosen,
    history_matrix,
    read_arrays,
    rows_of,
    write_arrays,
)


class Tables(NamedTuple):
    """The state of a factor model.

    Args:
        users: (n_users, d), what is known of a user beside the history; zeros for who has no training pair.
        items: (n_items, d), what a query is multiplied by.
        history: (n_items, d), what an item of a history adds to the query.
    """

    users: np.ndarray
    items: np.ndarray
    history: np.ndarray


class FactorTeacher(Teacher):
    """score_j = q · c_j, with q from the row of a known user and from the history.

    Args:
        tables: of the trained model.
        earlier: the same after earlier epochs, the first one first.
        options: what the query depends on; kept in teacher.json.
    """

    def __init__(self, tables: Tables, earlier: Sequence[Tables] = (), **options: Any):
        super().__init__(len(tables.items))
        self.tables, self.earlier, self.options = tables, tuple(earlier), options
        self.item_embedding = tables.items
        self.provides = frozenset({"user_embedding", "item_embedding", *(["snapshots"] if earlier else [])})
        self._users = np.pad(tables.users, [(0, 1), (0, 0)])  # the last row stands for the unknown

    def user_embedding(self, x: Inputs) -> np.ndarray:
        """q of each row, (rows, d) float32."""
        if "history" not in x:
            raise DataError(f"teacher {self.name!r} reads 'history', and x holds {', '.join(sorted(x))}; add it")
        n_users = len(self.tables.users)
        user = np.asarray(x.get("user", np.full(rows_of(x), -1)))
        known = (user >= 0) & (user < n_users)
        return self._query(self._users[np.where(known, user, n_users)], np.asarray(x["history"])).astype(np.float32)

    def snapshots(self, count: int) -> list[Self]:
        """So many states, evenly chosen among those kept; the earlier ones provide no snapshots of their own."""
        if not self.earlier:
            super().snapshots(count)
        return chosen([*(type(self)(state, **self.options) for state in self.earlier), self], count)

    def pooled(self, history: np.ndarray, recency: float | None) -> tuple[np.ndarray, np.ndarray]:
        """The mean row of the history table over each history, weighed by recency, and how many items that are.

        Args:
            history: (rows, L) tokens.
            recency: as in `history_matrix`.

        Returns:
            (rows, d), zeros for an empty history, and (rows, 1).
        """
        weights = history_matrix(history, self.n_items, recency)
        total = np.asarray(weights.sum(axis=1)).reshape(-1, 1)
        mean = (weights @ self.tables.history) / np.where(total > 0, total, 1)
        return mean, np.diff(weights.indptr)[:, None]

    @abstractmethod
    def _query(self, users: np.ndarray, history: np.ndarray) -> np.ndarray:
        """users: (rows, d) of the table, zeros for the unknown; history: (rows, L) tokens -> (rows, d)."""

    def _scores(self, x: Inputs) -> np.ndarray:
        return self.user_embedding(x) @ self.item_embedding.T

    def _write(self, folder: Path) -> dict[str, Any]:
        states = [self.tables, *self.earlier]
        write_arrays(
            folder, {f"{name}:{n}": table for n, state in enumerate(states) for name, table in state._asdict().items()}
        )
        return {"states": len(states), "options": self.options}


def read_states(folder: Path, meta: dict[str, Any]) -> tuple[Tables, list[Tables]]:
    """What `_write` wrote: the trained tables and the earlier ones."""
    arrays = read_arrays(folder)
    states = [Tables(*(arrays[f"{name}:{n}"] for name in Tables._fields)) for n in range(meta["states"])]
    return states[0], states[1:]


@final
class MfBpr(FactorTeacher):
    """q = p + (the history's mean by recency − its plain mean), p the user's trained row or else the plain mean."""

    name = "mf_bpr"

    def _query(self, users: np.ndarray, history: np.ndarray) -> np.ndarray:
        plain, _ = self.pooled(history, None)
        recent, _ = self.pooled(history, self.options["recency"])
        known = users.any(axis=1, keepdims=True)
        return np.where(known, users, plain) + (recent - plain)


def restore(folder: Path, meta: dict[str, Any]) -> MfBpr:
    """The teacher that `save` wrote."""
    tables, earlier = read_states(folder, meta)
    return MfBpr(tables, earlier, **meta["options"])

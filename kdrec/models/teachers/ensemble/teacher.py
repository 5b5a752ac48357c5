"""Several teachers as one: their scores, made comparable, in a weighted sum."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, final

import numpy as np

from kdrec.errors import DataError
from kdrec.models.teachers.base import Inputs, Teacher, load, rows_of

EMBEDDINGS = frozenset({"user_embedding", "item_embedding"})


@final
class Ensemble(Teacher):
    """score_j = Σ_m w_m (s_mj − μ_m) / σ_m, with mean μ_m and standard deviation σ_m of member m over unseen items.

    μ_m and σ_m are one number a row, so a sum of members that each are a product of vectors is one, too: the members'
    vectors side by side, and a 1 for the μ.

    Args:
        members: teachers of one catalogue.
        weights: one a member, at least 0; a member of weight 0 is left out. None weighs all alike.

    Raises:
        DataError: no member, another number of weights, a weight below 0 or none above it, or catalogues that differ.
    """

    name = "ensemble"

    def __init__(self, members: Sequence[Teacher], weights: Sequence[float] | None = None):
        weights = equal(len(members)) if weights is None else [float(weight) for weight in weights]
        check_weights(weights, len(members))
        sizes = sorted({member.n_items for member in members})
        if len(sizes) > 1:
            raise DataError(f"members must be of one catalogue, not of {sizes} items; train them on the same log")
        super().__init__(sizes[0])
        self.members = [member for member, weight in zip(members, weights, strict=True) if weight]
        self.weights = [weight for weight in weights if weight]
        each = [member.provides for member in self.members]
        self._is_product = all(provides >= EMBEDDINGS for provides in each)
        given = frozenset[str]().union(*each) & {"item_embedding", "snapshots"}
        self.provides = given | EMBEDDINGS if self._is_product else given

    def _scores(self, x: Inputs) -> np.ndarray:
        history = history_of(x)
        scores = np.zeros((len(history), self.n_items), dtype=np.float32)
        for member, weight in zip(self.members, self.weights, strict=True):
            scores += np.float32(weight) * standardised(member(x), history)
        return scores

    def user_embedding(self, x: Inputs) -> np.ndarray:
        """w_m (spread of E_m) / σ_m · q_m of each member side by side, and −Σ_m w_m μ_m / σ_m, (rows, d) float32."""
        if not self._is_product:
            return super().user_embedding(x)
        history, parts, last = history_of(x), [], np.zeros((rows_of(x), 1))
        for member, weight in zip(self.members, self.weights, strict=True):
            query = member.user_embedding(x)  # (rows, d_m)
            mean, deviation = moments(query @ member.item_embedding.T, history)
            parts.append(query * (weight * spread(member.item_embedding) / deviation))
            last -= weight * mean / deviation
        return np.concatenate([*parts, last], axis=1).astype(np.float32)

    @cached_property
    def item_embedding(self) -> np.ndarray:
        """E_m / (spread of E_m) of each member that has one side by side, (n_items, d) float32.

        Where all have one and a query, too, the last column is 1.
        """
        tables = [member.item_embedding for member in self.members if "item_embedding" in member.provides]
        if not tables:
            raise DataError("teacher 'ensemble' has no item_embedding; add a member that has, such as als or two_tower")
        parts = [table / spread(table) for table in tables]
        ones = np.ones((self.n_items, 1 if self._is_product else 0))
        return np.concatenate([*parts, ones], axis=1).astype(np.float32)

    def snapshots(self, count: int) -> "list[Ensemble]":
        """Ensembles of the members' snapshots; a member that keeps none is there as it is."""
        if "snapshots" not in self.provides:
            super().snapshots(count)
        states = [
            member.snapshots(count) if "snapshots" in member.provides else [member] * count for member in self.members
        ]
        return [*(Ensemble(members, self.weights) for members in list(zip(*states, strict=True))[:-1]), self]

    def _write(self, folder: Path) -> dict[str, Any]:
        for number, member in enumerate(self.members):
            member.save(place(folder, number))
        return {"weights": self.weights}


def restore(folder: Path, meta: dict[str, Any]) -> Ensemble:
    """The teacher that `save` wrote."""
    weights = meta["weights"]
    return Ensemble([load(place(folder, number)) for number in range(len(weights))], weights)


def place(folder: Path, number: int) -> Path:
    """Where a member is kept."""
    return folder / f"member_{number}"


def equal(count: int) -> list[float]:
    """Weights that sum to 1."""
    return [1.0 / max(count, 1)] * count


def check_weights(weights: Sequence[float], count: int) -> None:
    """One weight a member, none below 0, at least one above."""
    if count == 0:
        raise DataError("members must be at least one teacher, and there is none; name some, such as ease,als")
    if len(weights) != count:
        raise DataError(f"weights must be one a member ({count}), not {len(weights)}; 0 leaves a member out")
    if not all(np.isfinite(weight) and weight >= 0 for weight in weights) or not any(weights):
        raise DataError(f"weights must be at least 0, one of them above, not {list(weights)}; 'equal' is the default")


def history_of(x: Inputs) -> np.ndarray:
    """(rows, L) tokens; L is 0 when x holds no histories."""
    return np.asarray(x["history"]) if "history" in x else np.zeros((rows_of(x), 0), dtype=np.int32)


def unseen_items(history: np.ndarray, n_items: int) -> np.ndarray:
    """(rows, n_items) bool: the items that are not in the history.

    >>> unseen_items(np.array([[0, 2]]), 3).tolist()
    [[True, False, True]]
    """
    unseen = np.ones((len(history), n_items), dtype=bool)
    rows, at = np.nonzero(history)
    unseen[rows, history[rows, at] - 1] = False
    return unseen


def moments(scores: np.ndarray, history: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each row over its unseen items, (rows, 1) each; of a row of equal scores 1.

    >>> mean, deviation = moments(np.array([[9.0, 1.0, 3.0]], np.float32), np.array([[1]]))
    >>> mean.tolist(), deviation.tolist()
    ([[2.0]], [[1.0]])
    """
    counted = unseen_items(history, scores.shape[1])
    counted |= ~counted.any(axis=1, keepdims=True)  # who has seen everything is judged by everything
    mean = scores.mean(axis=1, keepdims=True, where=counted, dtype=np.float64)
    deviation = scores.std(axis=1, keepdims=True, where=counted, dtype=np.float64, mean=mean)
    noise = 1e-6 * np.abs(scores).max(axis=1, keepdims=True, initial=0.0)
    return mean, np.where(deviation > noise, deviation, 1.0)


def standardised(scores: np.ndarray, history: np.ndarray) -> np.ndarray:
    """(scores − mean) / standard deviation of each row over its unseen items, (rows, n_items) float32.

    Source: Montague and Aslam, Relevance Score Normalization for Metasearch, CIKM 2001.

    >>> standardised(np.array([[9.0, 1.0, 3.0]], np.float32), np.array([[1]])).tolist()
    [[7.0, -1.0, 1.0]]
    """
    mean, deviation = moments(scores, history)
    return (scores - mean.astype(np.float32)) / deviation.astype(np.float32)


def spread(table: np.ndarray) -> float:
    """The standard deviation of all values, 1 if there is none."""
    return float(table.std()) or 1.0

"""EASE: the item-item regression that has a closed form."""

from pathlib import Path
from typing import Any, final

import numpy as np
from scipy.linalg import lapack

from kdrec.data.interactions import Interactions
from kdrec.errors import DataError
from kdrec.models.teachers.base import (
    Inputs,
    Progress,
    Teacher,
    check_positive,
    history_matrix,
    is_ordered,
    pair_matrix,
    read_arrays,
    write_arrays,
)

MAX_ITEMS = 50_000  # the Gram matrix of so many items takes 20 GB


def ease(
    train: Interactions,
    *,
    seed: int = 0,
    progress: Progress | None = None,
    ordered: bool | None = None,
    l2: float = 300.0,
    recency: float | None = 8.0,
) -> "Ease":
    """scores = h B with B = I − P diag(1 / diag P), P = (XᵀX + l2 I)⁻¹: least squares with a zero diagonal.

    X is (users, items) of 0 and 1, h the history of a row, whoever the user is. Weights of pairs are not read.

    Args:
        train: the pairs to learn from.
        seed: not read, the solution is exact.
        progress: called with (1, 1, {}) at the end.
        ordered: whether histories are ordered by time; None: if `train` has times.
        l2: ridge penalty, in pairs; sparse logs like 100, dense ones 1,000.
        recency: in an ordered history, after how many items the weight of an item in h is halved; None: never.

    Returns:
        A teacher that reads only x["history"], of any length.

    Raises:
        DataError: l2 or recency not positive, or too many items for a dense matrix.

    Source: Steck, Embarrassingly Shallow Autoencoders for Sparse Data, WWW 2019.

    >>> from kdrec.data.interactions import Interactions
    >>> log = Interactions([0, 0, 1, 1, 2], [0, 1, 0, 1, 2], list(range(3)), list(range(3)))
    >>> teacher = ease(log, l2=1.0)
    >>> teacher({"history": np.array([[0, 1]])})[0].argmax()  # who took item 0 took item 1
    np.int64(1)
    """
    check_positive(l2=l2, recency=1.0 if recency is None else recency)
    recency = recency if is_ordered(train, ordered) else None
    if train.n_items > MAX_ITEMS:
        raise DataError(
            f"teacher 'ease' holds an (n_items, n_items) matrix, at most {MAX_ITEMS:,} items, not {train.n_items:,}; "
            f"filter rare items, or use als or two_tower"
        )
    weights = item_weights(train.users, train.items, (train.n_users, train.n_items), l2)
    if progress is not None:
        progress(1, 1, {})
    return Ease(weights, l2, recency)


def item_weights(users: np.ndarray, items: np.ndarray, shape: tuple[int, int], l2: float) -> np.ndarray:
    """B, (items, items) float32 with a zero diagonal."""
    pairs = pair_matrix(users, items, shape).astype(np.float64)
    gram = (pairs.T @ pairs).toarray(order="F")
    gram[np.diag_indices_from(gram)] += l2
    factor, failed = lapack.dpotrf(gram, lower=False, overwrite_a=True)
    inverse, failed_too = lapack.dpotri(factor, lower=False, overwrite_c=True)
    if failed or failed_too:
        raise DataError(f"l2={l2} is too small for these pairs, the Gram matrix cannot be inverted; raise l2")
    inverse = np.triu(inverse) + np.triu(inverse, 1).T
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    return weights.astype(np.float32)


@final
class Ease(Teacher):
    """scores = h B, with the history h weighed by recency if that was asked for."""

    name = "ease"

    def __init__(self, weights: np.ndarray, l2: float, recency: float | None):
        super().__init__(len(weights))
        self.weights, self.l2, self.recency = weights, l2, recency

    def _scores(self, x: Inputs) -> np.ndarray:
        return history_matrix(x["history"], self.n_items, self.recency) @ self.weights

    def _write(self, folder: Path) -> dict[str, Any]:
        write_arrays(folder, {"weights": self.weights})
        return {"l2": self.l2, "recency": self.recency}


def restore(folder: Path, meta: dict[str, Any]) -> Ease:
    """The teacher that `save` wrote."""
    return Ease(read_arrays(folder)["weights"], meta["l2"], meta["recency"])

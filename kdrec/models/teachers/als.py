"""ALS: implicit's matrix factorisation, folded in, so that it answers to any history."""

from pathlib import Path
from typing import Any, final

import numpy as np

from kdrec.data.interactions import Interactions
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

BLOCK = 256  # rows that are folded in at a time: each has a (factors, factors) matrix of its own


def als(
    train: Interactions,
    *,
    seed: int = 0,
    progress: Progress | None = None,
    ordered: bool | None = None,
    factors: int = 64,
    regularization: float = 10.0,
    alpha: float = 5.0,
    iterations: int = 15,
    recency: float | None = 8.0,
) -> "Als":
    """score_j = q · y_j with q = (YᵀY + Σ_i (c_i − 1) y_i y_iᵀ + λI)⁻¹ Σ_i c_i y_i over the items i of the history.

    Y, (items, factors), comes from implicit's alternating least squares with confidence c = 1 + alpha for a pair. The
    query is solved anew for each history, so unseen users are answered. Weights of pairs are not read.

    Args:
        train: the pairs to learn from.
        seed: equal seeds give equal factors.
        progress: called with (iteration, iterations, {}).
        ordered: whether histories are ordered by time; None: if `train` has times.
        factors: width of a query.
        regularization: λ.
        alpha: how much more a pair counts than an absent one.
        iterations: of alternation.
        recency: in an ordered history, after how many items alpha is halved when it is folded in; None: never.

    Returns:
        A teacher that reads only x["history"] and provides user_embedding.

    Raises:
        DataError: an option is not positive.

    Source: Hu, Koren and Volinsky, Collaborative Filtering for Implicit Feedback Datasets, ICDM 2008.

    >>> from kdrec.data.interactions import Interactions
    >>> log = Interactions([0, 0, 1, 1, 2], [0, 1, 0, 1, 2], list(range(3)), list(range(3)))
    >>> teacher = als(log, factors=2, regularization=0.1)
    >>> scores = teacher({"history": np.array([[0, 1]])})[0]
    >>> bool(scores[1] > scores[2])  # who took item 0 took item 1
    True
    """
    check_positive(
        factors=factors, regularization=regularization, alpha=alpha, iterations=iterations,
        recency=1.0 if recency is None else recency,
    )  # fmt: skip
    recency = recency if is_ordered(train, ordered) else None
    import threadpoolctl

    pairs = pair_matrix(train.users, train.items, (train.n_users, train.n_items)) * np.float32(1.0 + alpha)
    # implicit runs threads of its own and is many times slower (and warns) beside those of BLAS.
    with threadpoolctl.threadpool_limits(1, "blas"):
        from implicit.cpu.als import AlternatingLeastSquares

        model = AlternatingLeastSquares(
            factors=factors, regularization=regularization, iterations=iterations, random_state=seed
        )

        def report(iteration: int, seconds: float, loss: float | None) -> None:
            if progress is not None:
                progress(iteration + 1, iterations, {})

        model.fit(pairs, show_progress=False, callback=report)
    return Als(np.asarray(model.item_factors, dtype=np.float32), regularization, alpha, recency)


@final
class Als(Teacher):
    """score_j = q · y_j, the query q solved from the history."""

    name = "als"
    provides = frozenset({"user_embedding"})

    def __init__(self, item_embedding: np.ndarray, regularization: float, alpha: float, recency: float | None):
        super().__init__(len(item_embedding))
        self.item_embedding = item_embedding
        self.regularization, self.alpha, self.recency = regularization, alpha, recency
        width = item_embedding.shape[1]
        self._gram = item_embedding.T @ item_embedding + np.float32(regularization) * np.eye(width, dtype=np.float32)

    def user_embedding(self, x: Inputs) -> np.ndarray:
        """q of each row, (rows, factors) float32; an empty history has q = 0."""
        history = x["history"]
        blocks = [self._solve(history[start : start + BLOCK]) for start in range(0, len(history), BLOCK)]
        return np.concatenate([np.zeros((0, self._gram.shape[0]), np.float32), *blocks])

    def _solve(self, history: np.ndarray) -> np.ndarray:
        """history: (rows, L) -> (rows, factors)."""
        extra = history_matrix(history, self.n_items, self.recency) * np.float32(self.alpha)  # c − 1 of each item
        rows, width = extra.shape[0], self._gram.shape[0]
        matrices = np.empty((rows, width, width), dtype=np.float32)
        for row in range(rows):
            span = slice(extra.indptr[row], extra.indptr[row + 1])
            factors = self.item_embedding[extra.indices[span]]  # (items of the history, factors)
            matrices[row] = self._gram + (factors * extra.data[span, None]).T @ factors
        liked = extra.copy()
        liked.data = liked.data + np.float32(1.0)
        return np.linalg.solve(matrices, (liked @ self.item_embedding)[:, :, None])[:, :, 0]

    def _scores(self, x: Inputs) -> np.ndarray:
        return self.user_embedding(x) @ self.item_embedding.T

    def _write(self, folder: Path) -> dict[str, Any]:
        write_arrays(folder, {"item_embedding": self.item_embedding})
        return {"regularization": self.regularization, "alpha": self.alpha, "recency": self.recency}


def restore(folder: Path, meta: dict[str, Any]) -> Als:
    """The teacher that `save` wrote."""
    arrays = read_arrays(folder)
    return Als(arrays["item_embedding"], meta["regularization"], meta["alpha"], meta["recency"])

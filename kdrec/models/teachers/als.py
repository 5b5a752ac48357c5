"""ALS: implicit's matrix factorisation, folded in, so that it answers to any history."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, final

import numpy as np

from kdrec.data.interactions import Interactions
from kdrec.models.teachers.base import (
    Inputs,
    Progress,
    Teacher,
    check_positive,
    check_snapshots,
    chosen,
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
    snapshots: int = 0,
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
        snapshots: how many earlier states are kept, for a loss that follows them; most of them of the first iterations,
            after which the factors change little.

    Returns:
        A teacher that reads only x["history"] and provides user_embedding, item_embedding and, if kept, snapshots.

    Raises:
        DataError: an option is not positive, or as many snapshots as iterations.

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
    check_snapshots(snapshots, int(iterations) - 1)
    recency = recency if is_ordered(train, ordered) else None
    import threadpoolctl

    pairs = pair_matrix(train.users, train.items, (train.n_users, train.n_items)) * np.float32(1.0 + alpha)
    # implicit runs threads of its own and is many times slower (and warns) beside those of BLAS.
    with threadpoolctl.threadpool_limits(1, "blas"):
        from implicit.cpu.als import AlternatingLeastSquares

        model = AlternatingLeastSquares(
            factors=factors, regularization=regularization, iterations=iterations, random_state=seed
        )

        kept, earlier = snapshot_iterations(snapshots, iterations), []

        def report(iteration: int, seconds: float, loss: float | None) -> None:
            if iteration + 1 in kept:
                earlier.append(np.array(model.item_factors, dtype=np.float32))
            if progress is not None:
                progress(iteration + 1, iterations, {})

        model.fit(pairs, show_progress=False, callback=report)
    return Als(np.asarray(model.item_factors, dtype=np.float32), regularization, alpha, recency, earlier)


def snapshot_iterations(snapshots: int, iterations: int) -> list[int]:
    """After which iterations a state is kept: about n^(1/(S+1)), n^(2/(S+1)) …, ascending, all below n.

    >>> snapshot_iterations(2, 15), snapshot_iterations(3, 4)
    ([2, 6], [1, 2, 3])
    """
    kept: list[int] = []
    for number in range(1, snapshots + 1):
        kept.append(max(round(iterations ** (number / (snapshots + 1))), kept[-1] + 1 if kept else 1))
    return kept


@final
class Als(Teacher):
    """score_j = q · y_j, the query q solved from the history.

    Args:
        item_embedding: Y, (n_items, factors).
        regularization, alpha, recency: as of `als`.
        earlier: Y after earlier iterations, the first one first.
    """

    name = "als"

    def __init__(
        self,
        item_embedding: np.ndarray,
        regularization: float,
        alpha: float,
        recency: float | None,
        earlier: Sequence[np.ndarray] = (),
    ):
        super().__init__(len(item_embedding))
        self.provides = frozenset({"user_embedding", "item_embedding", *(["snapshots"] if len(earlier) else [])})
        self.item_embedding, self.earlier = item_embedding, list(earlier)
        self.regularization, self.alpha, self.recency = regularization, alpha, recency
        width = item_embedding.shape[1]
        self._gram = item_embedding.T @ item_embedding + np.float32(regularization) * np.eye(width, dtype=np.float32)

    def user_embedding(self, x: Inputs) -> np.ndarray:
        """q of each row, (rows, factors) float32; an empty history has q = 0."""
        history = x["history"]
        blocks = [self._solve(history[start : start + BLOCK]) for start in range(0, len(history), BLOCK)]
        return np.concatenate([np.zeros((0, self._gram.shape[0]), np.float32), *blocks])

    def snapshots(self, count: int) -> "list[Als]":
        """So many states, evenly chosen among those kept; the earlier ones provide no snapshots of their own."""
        if not self.earlier:
            super().snapshots(count)
        states = [Als(factors, self.regularization, self.alpha, self.recency) for factors in self.earlier]
        return chosen([*states, self], count)

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
        earlier = {f"earlier:{number}": factors for number, factors in enumerate(self.earlier)}
        write_arrays(folder, {"item_embedding": self.item_embedding, **earlier})
        return {"regularization": self.regularization, "alpha": self.alpha, "recency": self.recency}


def restore(folder: Path, meta: dict[str, Any]) -> Als:
    """The teacher that `save` wrote."""
    arrays = read_arrays(folder)
    earlier = [arrays[f"earlier:{number}"] for number in range(len(arrays) - 1)]
    return Als(arrays["item_embedding"], meta["regularization"], meta["alpha"], meta["recency"], earlier)

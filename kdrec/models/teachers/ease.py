"""EASE: the item-item regression that has a closed form."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, final

import numpy as np
from scipy import sparse
from scipy.linalg import get_lapack_funcs

from kdrec.data.interactions import Interactions
from kdrec.errors import DataError
from kdrec.models.content import item_content
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

MAX_SNAPSHOTS = 5
MAX_ITEMS = 50_000  # the Gram matrix of so many items takes 10 GB
DOUBLE_ITEMS = (
    10_000  # up to so many items it is made and inverted in float64, else in float32: half the memory and time
)
BLOCK = 1024  # columns of it that are made or scaled at a time


def ease(
    train: Interactions,
    *,
    seed: int = 0,
    progress: Progress | None = None,
    ordered: bool | None = None,
    l2: float = 300.0,
    recency: float | None = 8.0,
    content_weight: float = 0.0,
    snapshots: int = 0,
) -> "Ease":
    """scores = h B with B = I − P diag(1 / diag P), P = (XᵀX + c FFᵀ + l2 I)⁻¹: least squares with a zero diagonal.

    X is (users, items) of 0 and 1, h the history of a row, whoever the user is. F, (items, width), holds what is known
    of items, in rows of length 1 a feature; with c = content_weight, B predicts both who took an item and what it is,
    as if √c · F were more users. Only the Gram matrix is in memory, once, and is solved in place: 2.5 GB for 25,000
    items. Weights of pairs are not read.

    Args:
        train: the pairs to learn from.
        seed: not read, the solution is exact.
        progress: called with (1, 1, {}) at the end; with snapshots, after each solution.
        ordered: whether histories are ordered by time; None: if `train` has times.
        l2: ridge penalty, in pairs; sparse logs like 100, dense ones 1,000.
        recency: in an ordered history, after how many items the weight of an item in h is halved; None: never.
        content_weight: c, in pairs; 0 does without features. Read are tags and categories (by tf-idf) and vectors.
        snapshots: how many easier solutions are kept, for a loss that follows them: of 10 · l2, 100 · l2 …, which say
            less of rare items. Each costs as much time, memory and disk as the teacher itself.

    Returns:
        A teacher that reads only x["history"], of any length, and provides snapshots if it keeps them.

    Raises:
        DataError: l2 or recency not positive, a content_weight below 0 or without features, too many snapshots, or too
            many items for a dense matrix.

    Source: Steck, Embarrassingly Shallow Autoencoders for Sparse Data, WWW 2019; Ning and Karypis, Sparse Linear
    Methods with Side Information for Top-N Recommendations, RecSys 2012 (the collective form of F).

    >>> from kdrec.data.interactions import Interactions
    >>> log = Interactions([0, 0, 1, 1, 2], [0, 1, 0, 1, 2], list(range(3)), list(range(3)))
    >>> teacher = ease(log, l2=1.0)
    >>> teacher({"history": np.array([[0, 1]])})[0].argmax()  # who took item 0 took item 1
    np.int64(1)
    """
    check_positive(l2=l2, recency=1.0 if recency is None else recency)
    check_snapshots(snapshots, MAX_SNAPSHOTS)
    recency = recency if is_ordered(train, ordered) else None
    if train.n_items > MAX_ITEMS:
        raise DataError(
            f"teacher 'ease' holds an (n_items, n_items) matrix, at most {MAX_ITEMS:,} items, not {train.n_items:,}; "
            f"filter rare items, or use als or two_tower"
        )
    wanted = known(train, content_weight)
    solutions = []
    for number in range(snapshots, -1, -1):
        solutions.append(item_weights(*wanted, l2 * 10.0**number))
        if progress is not None:
            progress(snapshots - number + 1, snapshots + 1, {})
    return Ease(solutions[-1], l2, recency, solutions[:-1])


def known(train: Interactions, content_weight: float) -> tuple[sparse.spmatrix, np.ndarray]:
    """What B is to predict, (rows, items) each: X with the sparse part of √content_weight · Fᵀ, and its dense part."""
    pairs = pair_matrix(train.users, train.items, (train.n_users, train.n_items))
    if not content_weight >= 0:
        raise DataError(f"content_weight must be at least 0, not {content_weight}; 0 does without features")
    if content_weight == 0:
        return pairs, np.zeros((0, train.n_items), dtype=np.float32)
    words, vectors = item_content(train.item_features, train.n_items)
    if words.shape[1] + vectors.shape[1] == 0:
        raise DataError(
            f"content_weight={content_weight} needs tags, categories or vectors of items, and these data have none; "
            f"leave it out, or give item features"
        )
    scale = np.float32(np.sqrt(content_weight))
    return sparse.vstack([pairs, scale * words.T]), scale * vectors.T


def item_weights(counts: sparse.spmatrix, vectors: np.ndarray, l2: float) -> np.ndarray:
    """B, (items, items) float32 with a zero diagonal.

    Inverted is V = (S Gram S)⁻¹ with S = diag(Gram)^(−1/2), for which float32 is enough where it would not be for Gram
    itself; then P = S V S.

    Args:
        counts: (rows, items) sparse.
        vectors: (rows, items).
        l2: added to the diagonal of Gram = countsᵀ counts + vectorsᵀ vectors.
    """
    gram = gram_matrix(counts, vectors, l2)
    scale = 1.0 / np.sqrt(np.diag(gram))
    for columns in blocks(len(gram)):
        gram[:, columns] *= scale[:, None] * scale[columns]
    factorise, invert = get_lapack_funcs(("potrf", "potri"), (gram,))
    factor, failed = factorise(gram, lower=False, overwrite_a=True)
    inverse, failed_too = invert(factor, lower=False, overwrite_c=True)
    if failed or failed_too:
        raise DataError(f"l2={l2} is too small for these pairs, the Gram matrix cannot be inverted; raise l2")
    weights = inverse.T  # of V the upper triangle by columns: the lower one by rows
    for rows in blocks(len(weights)):
        weights[: rows.start, rows] = weights[rows, : rows.start].T
        corner = np.tril(weights[rows, rows])
        weights[rows, rows] = corner + np.tril(corner, -1).T
    of_column = -1.0 / (scale * np.diag(weights))
    for rows in blocks(len(weights)):
        weights[rows] *= scale[rows, None] * of_column  # −P_ij / P_jj = −s_i V_ij / (s_j V_jj)
    np.fill_diagonal(weights, 0.0)
    return weights.astype(np.float32, copy=False)


def gram_matrix(counts: sparse.spmatrix, vectors: np.ndarray, l2: float) -> np.ndarray:
    """countsᵀ counts + vectorsᵀ vectors + l2 I, (items, items), column by column in memory."""
    items = counts.shape[1]
    kind = np.float64 if items <= DOUBLE_ITEMS else np.float32
    counts, vectors = counts.tocsc().astype(kind), vectors.astype(kind)
    gram = np.empty((items, items), dtype=kind, order="F")
    for columns in blocks(items):
        gram[:, columns] = (counts.T @ counts[:, columns]).toarray()
        gram[:, columns] += vectors.T @ vectors[:, columns]
    gram[np.diag_indices_from(gram)] += l2
    return gram


def blocks(items: int) -> list[slice]:
    """0 … items − 1 in slices of at most BLOCK."""
    return [slice(start, min(start + BLOCK, items)) for start in range(0, items, BLOCK)]


@final
class Ease(Teacher):
    """scores = h B, with the history h weighed by recency if that was asked for.

    Args:
        weights: B, (n_items, n_items).
        l2, recency: as of `ease`.
        earlier: B of larger l2, the largest first.
    """

    name = "ease"

    def __init__(self, weights: np.ndarray, l2: float, recency: float | None, earlier: Sequence[np.ndarray] = ()):
        super().__init__(len(weights))
        self.weights, self.l2, self.recency, self.earlier = weights, l2, recency, list(earlier)
        self.provides = frozenset({"snapshots"}) if len(earlier) else frozenset()

    def snapshots(self, count: int) -> "list[Ease]":
        """So many solutions, evenly chosen among those kept; the easier ones provide no snapshots of their own."""
        if not self.earlier:
            super().snapshots(count)
        states = [
            Ease(weights, self.l2 * 10.0 ** (len(self.earlier) - number), self.recency)
            for number, weights in enumerate(self.earlier)
        ]
        return chosen([*states, self], count)

    def _scores(self, x: Inputs) -> np.ndarray:
        return history_matrix(x["history"], self.n_items, self.recency) @ self.weights

    def _write(self, folder: Path) -> dict[str, Any]:
        earlier = {f"earlier:{number}": weights for number, weights in enumerate(self.earlier)}
        write_arrays(folder, {"weights": self.weights, **earlier})
        return {"l2": self.l2, "recency": self.recency}


def restore(folder: Path, meta: dict[str, Any]) -> Ease:
    """The teacher that `save` wrote."""
    arrays = read_arrays(folder)
    earlier = [arrays[f"earlier:{number}"] for number in range(len(arrays) - 1)]
    return Ease(arrays["weights"], meta["l2"], meta["recency"], earlier)

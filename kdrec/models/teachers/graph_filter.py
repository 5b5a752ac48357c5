"""A graph filter: histories spread over the graph of what was taken together, in closed form."""

from functools import cached_property
from pathlib import Path
from typing import Any, final

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import svds

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


def graph_filter(
    train: Interactions,
    *,
    seed: int = 0,
    progress: Progress | None = None,
    ordered: bool | None = None,
    components: int = 512,
    beta: float = 0.1,
    sharpening: float = 1.0,
    popularity: float = 0.35,
    recency: float | None = 8.0,
) -> "GraphFilter":
    """scores = h f(P) D_i^popularity with P = R̃ᵀR̃, R̃ = D_u^(−1/2) R D_i^(−1/2) and f(λ) = (λ + β) e^(−sharpening · λ).

    R is (users, items) of 0 and 1, D_u and D_i its row and column sums, h the history of a row, whoever the user is. P
    blurs: it spreads a history to what was taken together with it. β adds the ideal low-pass filter, alike for each of
    the top components V; sharpening follows s' = −s P for so long, which takes back what all histories share. f is
    exact on V, on the rest of the spectrum β is 0 and e^(−sharpening · λ) that of the smallest λ of V. Nothing is
    trained, and P is never made: a batch is multiplied by the sparse R̃ᵀ, R̃ and by V. Weights of pairs are not read.

    Args:
        train: the pairs to learn from.
        seed: of the vector that the search for V starts from.
        progress: called with (1, 1, {}) at the end.
        ordered: whether histories are ordered by time; None: if `train` has times.
        components: how many columns V has, at most; 0 leaves β and sharpening out.
        beta: β, at least 0.
        sharpening: at least 0.
        popularity: how far popular items come before others; 0.5 undoes the D_i of R̃ on the side of what is scored.
        recency: in an ordered history, after how many items the weight of an item in h is halved; None: never.

    Returns:
        A teacher that reads only x["history"], of any length, and provides item_embedding: V f(Λ)^(1/2), its rows
        scaled by D_i^popularity.

    Raises:
        DataError: an option out of range.

    Source: Shen et al., How Powerful is Graph Convolution for Recommendation?, CIKM 2021 (blurring, β); Choi et al.,
    Blurring-Sharpening Process Models for Collaborative Filtering, SIGIR 2023.

    >>> from kdrec.data.interactions import Interactions
    >>> log = Interactions([0, 0, 1, 1, 2], [0, 1, 0, 1, 2], list(range(3)), list(range(3)))
    >>> teacher = graph_filter(log, sharpening=0.0, beta=0.0, popularity=0.0)
    >>> teacher({"history": np.array([[0, 1]])})[0].round(3).tolist()  # who took item 0 took item 1
    [0.5, 0.5, 0.0]
    """
    check_positive(recency=1.0 if recency is None else recency)
    check_not_negative(components=components, beta=beta, sharpening=sharpening)
    recency = recency if is_ordered(train, ordered) else None
    pairs = pair_matrix(train.users, train.items, (train.n_users, train.n_items))
    values, vectors = spectrum(normalised(pairs), components, seed)
    if progress is not None:
        progress(1, 1, {})
    return GraphFilter(pairs, values, vectors, beta, sharpening, popularity, recency)


def normalised(pairs: sparse.csr_matrix) -> sparse.csr_matrix:
    """R̃ = D_u^(−1/2) R D_i^(−1/2), (users, items) float32; who took nothing stays 0."""
    left, right = (power(np.asarray(pairs.sum(axis=axis)).ravel(), -0.5) for axis in (1, 0))
    return (sparse.diags(left) @ pairs @ sparse.diags(right)).tocsr().astype(np.float32)


def spectrum(matrix: sparse.csr_matrix, components: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The largest eigenvalues λ of R̃ᵀR̃, (components,), largest first, and V, (items, components), both float32."""
    k = min(components, min(matrix.shape) - 1)  # as many as the method can find
    if k == 0:
        return np.zeros(0, np.float32), np.zeros((matrix.shape[1], 0), np.float32)
    start = np.random.default_rng(seed).uniform(0.5, 1.0, min(matrix.shape))  # positive, as the first vector is
    _, singular, vectors = svds(matrix, k, v0=start.astype(np.float32), return_singular_vectors="vh")
    order = np.argsort(-singular)
    return (singular[order] ** 2).astype(np.float32), vectors[order].T.astype(np.float32)


def power(counts: np.ndarray, exponent: float) -> np.ndarray:
    """counts^exponent as float32; 0 stays 0, whatever the exponent.

    >>> power(np.array([0, 4]), -0.5).tolist()
    [0.0, 0.5]
    """
    return (np.maximum(counts, 1.0).astype(np.float64) ** exponent * (counts > 0)).astype(np.float32)


def check_not_negative(**options: float) -> None:
    """Options that must be at least 0."""
    for name, value in options.items():
        if not value >= 0:
            raise DataError(f"{name} must be at least 0, not {value}; leave it out for the default")


@final
class GraphFilter(Teacher):
    """scores = h f(P) D_i^popularity; the arguments are those of `graph_filter`.

    Args:
        pairs: R, (users, items).
        values: (components,) the largest eigenvalues of P.
        vectors: V, (n_items, components).
    """

    name = "graph_filter"
    provides = frozenset({"item_embedding"})

    def __init__(
        self,
        pairs: sparse.csr_matrix,
        values: np.ndarray,
        vectors: np.ndarray,
        beta: float,
        sharpening: float,
        popularity: float,
        recency: float | None,
    ):
        super().__init__(pairs.shape[1])
        self.pairs, self.values, self.vectors = pairs, values, vectors
        self.beta, self.sharpening, self.popularity, self.recency = beta, sharpening, popularity, recency
        self._spread = normalised(pairs)
        self._gather = self._spread.T.tocsr()
        self._popularity = power(np.asarray(pairs.sum(axis=0)).ravel(), popularity)
        self._rest = np.exp(-sharpening * values.min(initial=np.inf)) if len(values) else 1.0  # of f, beyond V
        self._filter = (values + beta) * np.exp(-sharpening * values)  # f(λ) of each column of V

    @cached_property
    def item_embedding(self) -> np.ndarray:
        """V f(Λ)^(1/2) with its rows scaled by D_i^popularity, (n_items, components) float32."""
        return (self.vectors * np.sqrt(self._filter) * self._popularity[:, None]).astype(np.float32)

    def _scores(self, x: Inputs) -> np.ndarray:
        history = history_matrix(x["history"], self.n_items, self.recency)
        scores = (history @ self._gather @ self._spread).toarray()  # (rows, items): h P
        scores *= np.float32(self._rest)
        known = (history @ self.vectors) * (self._filter - self._rest * self.values).astype(np.float32)
        scores += known @ self.vectors.T
        scores *= self._popularity
        return scores

    def _write(self, folder: Path) -> dict[str, Any]:
        pairs = {"indptr": self.pairs.indptr, "indices": self.pairs.indices}
        write_arrays(folder, {**pairs, "values": self.values, "vectors": self.vectors})
        return {name: getattr(self, name) for name in ("beta", "sharpening", "popularity", "recency")}


def restore(folder: Path, meta: dict[str, Any]) -> GraphFilter:
    """The teacher that `save` wrote."""
    arrays = read_arrays(folder)
    indptr, indices = arrays["indptr"], arrays["indices"]
    ones = np.ones(len(indices), dtype=np.float32)
    pairs = sparse.csr_matrix((ones, indices, indptr), shape=(len(indptr) - 1, meta["n_items"]))
    options = {name: meta[name] for name in ("beta", "sharpening", "popularity", "recency")}
    return GraphFilter(pairs, arrays["values"], arrays["vectors"], **options)

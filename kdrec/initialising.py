"""How a student begins: from what its teacher's cache holds."""

from typing import Any

import numpy as np
import tf_keras as keras
from scipy import sparse

from kdrec.config import Config
from kdrec.distill.rows import Rows
from kdrec.distill.teacher_cache import TeacherCache
from kdrec.models import initialisers

BLOCK = 4_096  # rows of scores in one piece


def initialise(student: keras.Model, cache: TeacherCache, rows: Rows, config: Config) -> None:
    """Set the student's item tables as the configuration says, from one teacher.

    Args:
        student: untrained.
        cache: of the teacher; of several the first one's.
        rows: those that the cache answers.
        config: names the initialiser.
    """
    needed = initialisers.needs(config.initialise)
    initialisers.get(config.initialise)(
        student, seed=config.seed,
        scores=whole_scores(cache, rows.users) if "scores" in needed else None,
        item_embedding=cache.tables["item_embedding"] if "item_embedding" in needed else None,
    )  # fmt: skip


def whole_scores(cache: TeacherCache, users: np.ndarray) -> list[Any]:
    """What a cache says of each user's whole history, the last row of a user.

    Args:
        cache: with all scores, with both embeddings, or with a top list, which leaves the others at 0.
        users: (rows,) ascending.

    Returns:
        Blocks of scores (users, n_items): dense, as a product, or sparse.
    """
    last = np.flatnonzero(np.append(users[1:] != users[:-1], True))
    blocks = [last[start : start + BLOCK] for start in range(0, len(last), BLOCK)]
    stored, n_items = cache.arrays, cache.meta["n_items"]
    if "scores" in stored:
        return [stored["scores"][block].astype(np.float32) for block in blocks]
    if "top_items" in stored:
        return [scattered(stored["top_items"][block], stored["top_scores"][block], n_items) for block in blocks]
    items = cache.tables["item_embedding"]
    return [Product(stored["user_embedding"][block].astype(np.float32), items) for block in blocks]


def scattered(items: np.ndarray, scores: np.ndarray, n_items: int) -> sparse.csr_matrix:
    """Top lists, (rows, K) each, as a sparse matrix (rows, n_items).

    >>> scattered(np.array([[2, 0]]), np.array([[5.0, 4.0]]), 3).toarray().tolist()
    [[4.0, 0.0, 5.0]]
    """
    ends = np.arange(len(items) + 1) * items.shape[1]
    return sparse.csr_matrix((scores.astype(np.float32).ravel(), items.ravel(), ends), shape=(len(items), n_items))


class Product:
    """The matrix L Rᵀ, which is multiplied and never made.

    >>> product = Product(np.array([[1.0], [2.0]]), np.array([[3.0], [4.0], [5.0]]))
    >>> product.shape, (product @ np.eye(3)).tolist()
    ((2, 3), [[3.0, 4.0, 5.0], [6.0, 8.0, 10.0]])
    """

    def __init__(self, left: np.ndarray, right: np.ndarray):
        self.left, self.right, self.shape = left, right, (len(left), len(right))

    @property
    def T(self) -> "Product":
        return Product(self.right, self.left)

    def __matmul__(self, other: np.ndarray) -> np.ndarray:
        return self.left @ (self.right.T @ other)

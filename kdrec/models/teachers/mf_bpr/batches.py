"""Training examples of the factor models: pairs, and items drawn against them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kdrec.data.interactions import Interactions
from kdrec.models.teachers.base import Batches, pair_matrix


class Untaken:
    """Items drawn uniformly from those that a user has not taken; no draw is thrown away.

    The r-th untaken item is r + #{k : t_k − k ≤ r}, t the sorted items that the user has taken.

    >>> log = Interactions([0, 0, 1], [1, 2, 0], [10, 11], [20, 21, 22, 23])
    >>> sorted(set(Untaken(log)(np.array([0]), 50, np.random.default_rng(0))[0].tolist()))
    [0, 3]
    """

    def __init__(self, train: Interactions):
        taken = pair_matrix(train.users, train.items, (train.n_users, train.n_items))
        self.n_items, self.starts = train.n_items, taken.indptr[:-1].astype(np.int64)
        counts = np.diff(taken.indptr)
        self.left = train.n_items - counts  # (n_users,) untaken items of each user
        k = np.arange(taken.nnz) - np.repeat(self.starts, counts)
        # Sorted over all users: of each user in turn, how many untaken items lie below each taken one.
        self.below = np.repeat(np.arange(train.n_users), counts) * train.n_items + taken.indices - k

    def __call__(self, users: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
        """(rows, count) item positions; users: (rows,), each with an untaken item."""
        users = users[:, None].astype(np.int64)
        nth = rng.integers(0, self.left[users], (len(users), count))
        passed = np.searchsorted(self.below, users * self.n_items + nth, side="right") - self.starts[users]
        return nth + passed


@dataclass(frozen=True)
class FactorBatches(Batches):
    """Every pair once an epoch.

    Args:
        train: the pairs; those of a user who has taken every item teach nothing and are left out.
        batch_size: pairs a batch.
        negatives: items drawn against the pairs of a batch.
        shared: whether all pairs of a batch have the same negatives, drawn uniformly from the catalogue; else each has
            its own, drawn from what its user has not taken.
        seed: of order and negatives.
    """

    train: Interactions
    batch_size: int
    negatives: int
    shared: bool
    seed: int

    @cached_property
    def untaken(self) -> Untaken:
        return Untaken(self.train)

    @cached_property
    def rows(self) -> np.ndarray:
        """Positions of the pairs that are trained on."""
        return np.flatnonzero(self.untaken.left[self.train.users] > 0)

    def batch(self, pairs: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """What the model reads of some pairs; positions throughout."""
        users, items = self.train.users[pairs], self.train.items[pairs]
        if self.shared:
            negatives = rng.integers(0, self.train.n_items, self.negatives)
        else:
            negatives = self.untaken(users, self.negatives, rng)
        weights = np.ones(len(pairs)) if self.train.weights is None else self.train.weights[pairs]
        return {
            "user": users,
            "item": items,
            "negatives": negatives.astype(np.int32),
            "weight": weights.astype(np.float32),
        }

"""Training examples of a sequence model: a row a user, whose every item is to be told from those before it."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kdrec.data.histories import pad_histories
from kdrec.data.interactions import Interactions
from kdrec.models.teachers.base import Batches


@dataclass(frozen=True)
class SequenceBatches(Batches):
    """Every user once an epoch.

    Args:
        train: the pairs, those of a user in their order.
        length: items a row that are to be told; of a user with more, a window drawn anew each epoch.
        batch_size: users a batch.
        negatives: items drawn uniformly for each batch.
        seed: of order, windows, negatives and of what the model drops out.
    """

    train: Interactions
    length: int
    batch_size: int
    negatives: int
    seed: int

    @cached_property
    def rows(self) -> np.ndarray:
        """Who has a pair."""
        return np.flatnonzero(np.diff(self.train.indptr))

    def batch(self, users: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """What the model reads of some users.

        Returns:
            "history" (rows, length) tokens; "item" (rows, length) the token that follows each of them, 0 where there is
            none; "weight" (rows, length) of that pair; "negatives" (negatives,) tokens; "seed" (2,) of the dropout.
        """
        counts = np.diff(self.train.indptr)[users]
        ends = np.where(counts > self.length, rng.integers(self.length, np.maximum(counts, self.length) + 1), counts)
        item = pad_histories(self.train, users, ends, self.length)
        weight = (item > 0).astype(np.float32)
        if self.train.weights is not None:
            at = (self.train.indptr[users] + ends)[:, None] - np.arange(self.length, 0, -1)
            weight *= self.train.weights[np.maximum(at, 0)]
        return {
            "history": pad_histories(self.train, users, ends - 1, self.length),
            "item": item,
            "weight": weight,
            "negatives": rng.integers(1, self.train.n_items + 1, self.negatives, dtype=np.int32),
            "seed": rng.integers(0, 2**31, 2, dtype=np.int32),
        }

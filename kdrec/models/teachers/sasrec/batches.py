"""Training examples of a sequence model: a row a user, whose every item is to be told from those before it."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from kdrec.data.histories import pad_histories
from kdrec.data.interactions import Interactions

if TYPE_CHECKING:
    import tensorflow as tf


@dataclass(frozen=True)
class SequenceBatches:
    """Every user once an epoch; what an epoch holds depends on (seed, epoch) alone.

    Args:
        train: the pairs, those of a user in their order.
        length: items a row that are to be told; of a user with more, a window drawn anew each epoch.
        batch_size: users a batch; the last, smaller one is left out.
        negatives: items drawn uniformly for each batch.
        seed: of order, windows, negatives and of what the model drops out.
    """

    train: Interactions
    length: int
    batch_size: int
    negatives: int
    seed: int

    @cached_property
    def users(self) -> np.ndarray:
        """Who has a pair."""
        return np.flatnonzero(np.diff(self.train.indptr))

    @property
    def steps_per_epoch(self) -> int:
        return max(1, len(self.users) // self.batch_size)

    def __call__(self, first_epoch: int = 0) -> "tf.data.Dataset":
        """All batches from the start of `first_epoch` on, without end."""
        import tensorflow as tf

        probe = self.batch(self.users[:1], np.random.default_rng(0))
        signature = {name: tf.TensorSpec((None, *array.shape[1:]), array.dtype) for name, array in probe.items()}
        return tf.data.Dataset.from_generator(lambda: self._from(first_epoch), output_signature=signature).prefetch(4)

    def _from(self, epoch: int) -> Iterator[dict[str, np.ndarray]]:
        while True:
            rng = np.random.default_rng([self.seed, epoch])
            order = rng.permutation(self.users)
            for step in range(self.steps_per_epoch):
                yield self.batch(order[step * self.batch_size : (step + 1) * self.batch_size], rng)
            epoch += 1

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

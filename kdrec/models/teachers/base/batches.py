"""Training examples of the teachers that learn by epochs, made batch by batch."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from kdrec.data.interactions import Interactions

if TYPE_CHECKING:
    import tensorflow as tf


class Batches(ABC):
    """Every row once an epoch, in a new order; what an epoch holds depends on (seed, epoch) alone.

    The last, smaller batch is left out, so that batches sample alike. A teacher makes a dataclass of it: what its
    fields are is what the training depends on.
    """

    train: Interactions
    batch_size: int
    seed: int

    @property
    @abstractmethod
    def rows(self) -> np.ndarray:
        """Pairs or users, by position."""

    @abstractmethod
    def batch(self, rows: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """What the model reads of some rows."""

    @property
    def steps_per_epoch(self) -> int:
        return max(1, len(self.rows) // self.batch_size)

    def signature(self) -> dict[str, Any]:
        """The shapes of a batch: any number of rows, each like the first one."""
        import tensorflow as tf

        probe = self.batch(self.rows[:1], np.random.default_rng(0))
        return {name: tf.TensorSpec((None, *array.shape[1:]), array.dtype) for name, array in probe.items()}

    def __call__(self, first_epoch: int = 0) -> "tf.data.Dataset":
        """All batches from the start of `first_epoch` on, without end."""
        import tensorflow as tf

        batches = tf.data.Dataset.from_generator(lambda: self._from(first_epoch), output_signature=self.signature())
        return batches.prefetch(4)

    def _from(self, epoch: int) -> Iterator[dict[str, np.ndarray]]:
        while True:
            rng = np.random.default_rng([self.seed, epoch])
            order = rng.permutation(self.rows)
            for step in range(self.steps_per_epoch):
                yield self.batch(order[step * self.batch_size : (step + 1) * self.batch_size], rng)
            epoch += 1

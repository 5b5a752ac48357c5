"""Training examples of an autoencoder: a row a user, some of whose items are hidden and to be told from the rest."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from kdrec.data.histories import pad_histories
from kdrec.data.interactions import Interactions
from kdrec.models.teachers.base import Batches


def each_once(history: np.ndarray) -> np.ndarray:
    """Each item of a row once, sorted, as int32; 0 in the place of the others.

    >>> each_once(np.array([[3, 0, 3, 2]])).tolist()
    [[0, 2, 3, 0]]
    """
    history = np.sort(np.asarray(history, dtype=np.int32), axis=1)
    history[:, 1:][history[:, 1:] == history[:, :-1]] = 0
    return history


@dataclass(frozen=True)
class HiddenBatches(Batches):
    """Every user once an epoch.

    Args:
        train: the pairs; of one that occurs twice, the first counts.
        hidden_share: least and greatest share of a user's items that are hidden, drawn uniformly for each row; a row
            hides one at least, and shows one if it has two. None: all items are shown and all are to be told.
        batch_size: users a batch.
        seed: of order, hiding, and what the model draws.
    """

    train: Interactions
    hidden_share: tuple[float, float] | None
    batch_size: int
    seed: int

    @cached_property
    def pairs(self) -> Interactions:
        return self.train.select(~self.train.pair_keys().duplicated())

    @cached_property
    def rows(self) -> np.ndarray:
        """Who has a pair."""
        return np.flatnonzero(np.diff(self.pairs.indptr))

    def signature(self) -> dict[str, Any]:
        import tensorflow as tf

        tokens = tf.TensorSpec((None, None), tf.int32)  # as wide as the longest history of the batch
        weight, seed = tf.TensorSpec((None, None), tf.float32), tf.TensorSpec((2,), tf.int32)
        return {"history": tokens, "target": tokens, "weight": weight, "seed": seed}

    def batch(self, users: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """What the model reads of some users.

        Returns:
            "history" (rows, longest) tokens that are shown, 0 elsewhere; "target" (rows, longest) those that are to be
            told; "weight" (rows, longest) of the targets; "seed" (2,).
        """
        tokens = pad_histories(self.pairs, users)
        history, target = tokens, tokens
        if self.hidden_share is not None:
            hides = hidden(tokens > 0, self.hidden_share, rng)
            history, target = np.where(hides, 0, tokens), np.where(hides, tokens, 0)
        weight = (target > 0).astype(np.float32)
        if self.pairs.weights is not None:
            at = self.pairs.indptr[users + 1][:, None] - np.arange(tokens.shape[1], 0, -1)
            weight *= self.pairs.weights[np.maximum(at, 0)]
        seed = rng.integers(0, 2**31, 2, dtype=np.int32)
        return {"history": history, "target": target, "weight": weight, "seed": seed}


def hidden(present: np.ndarray, share: tuple[float, float], rng: np.random.Generator) -> np.ndarray:
    """Which of the places that are present are hidden, in each row a share drawn uniformly.

    Args:
        present: (rows, width) bool.
        share: least and greatest.
        rng: draws.

    Returns:
        (rows, width) bool; at least one a row, and not all of a row that has two.
    """
    count = present.sum(axis=1)
    wanted = np.rint(rng.uniform(*share, len(present)) * count).astype(int)
    wanted = np.clip(wanted, 1, np.maximum(count - 1, 1))
    keys = np.where(present, rng.random(present.shape), 2.0)
    return keys <= np.take_along_axis(np.sort(keys, axis=1), wanted[:, None] - 1, axis=1)

"""Training examples of the two towers, made batch by batch: no (history, target) pair is stored."""

from dataclasses import dataclass

import numpy as np

from kdrec.data.histories import pad_histories
from kdrec.data.interactions import Interactions
from kdrec.models.teachers.base import Batches


@dataclass(frozen=True)
class PairBatches(Batches):
    """Every pair once an epoch.

    Args:
        train: the pairs.
        ordered: a pair's history is what came before it; else all other items of its user.
        history_length: tokens of a history; of a longer one the last, or, of a set, a sample.
        batch_size: pairs a batch.
        extra_negatives: items drawn uniformly for each batch: without them, items that nobody took are never ranked.
        user_dropout: share of rows whose user is made unknown (token 0), so that histories alone suffice.
        seed: of order, negatives and dropout.
    """

    train: Interactions
    ordered: bool
    history_length: int
    batch_size: int
    extra_negatives: int
    user_dropout: float
    seed: int

    @property
    def rows(self) -> np.ndarray:
        return np.arange(len(self.train))

    def item_probabilities(self) -> np.ndarray:
        """(n_items + 1,) how likely a candidate of a batch is each item; row 0, padding, never is."""
        in_batch = min(self.batch_size, len(self.train))
        shares = self.train.item_counts() / len(self.train)
        expected = in_batch * shares + self.extra_negatives / self.train.n_items
        return np.concatenate([[0.0], expected / (in_batch + self.extra_negatives)])

    def batch(self, pairs: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """What the model reads of some pairs; tokens throughout."""
        users, items = self.train.users[pairs], self.train.items[pairs] + np.int32(1)
        if self.ordered:
            cuts = pairs - self.train.indptr[users]
            history = pad_histories(self.train, users, cuts, self.history_length)
        else:
            history = pad_histories(self.train, users, None, self.history_length, rng)
            history = np.where(history == items[:, None], 0, history)
        known = rng.random(len(pairs)) >= self.user_dropout
        weights = np.ones(len(pairs)) if self.train.weights is None else self.train.weights[pairs]
        return {
            "user": np.where(known, users + 1, 0).astype(np.int32),
            "history": history,
            "item": items,
            "negatives": rng.integers(1, self.train.n_items + 1, self.extra_negatives, dtype=np.int32),
            "weight": weights.astype(np.float32),
            **{name: column.tokens[pairs] for name, column in self.train.context.items()},
        }

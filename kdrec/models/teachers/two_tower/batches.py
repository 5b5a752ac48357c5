"""Training examples of the two towers, made batch by batch: no (history, target) pair is stored."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kdrec.data.histories import pad_histories
from kdrec.data.interactions import Interactions
from kdrec.data.splits import Split

if TYPE_CHECKING:
    import tensorflow as tf

LONGEST_SEEN = 1_000  # of a longer history, the last items are left out of the ranking that chooses an epoch


@dataclass(frozen=True)
class PairBatches:
    """Every pair once an epoch; what an epoch holds depends on (seed, epoch) alone.

    Args:
        train: the pairs.
        ordered: a pair's history is what came before it; else all other items of its user.
        history_length: tokens of a history; of a longer one the last, or, of a set, a sample.
        batch_size: pairs a batch; the last, smaller one is left out, so that batches sample alike.
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
    def steps_per_epoch(self) -> int:
        return max(1, len(self.train) // self.batch_size)

    def item_probabilities(self) -> np.ndarray:
        """(n_items + 1,) how likely a candidate of a batch is each item; row 0, padding, never is."""
        in_batch = min(self.batch_size, len(self.train))
        shares = self.train.item_counts() / len(self.train)
        expected = in_batch * shares + self.extra_negatives / self.train.n_items
        return np.concatenate([[0.0], expected / (in_batch + self.extra_negatives)])

    def __call__(self, first_epoch: int = 0) -> "tf.data.Dataset":
        """All batches from the start of `first_epoch` on, without end."""
        import tensorflow as tf

        probe = self.batch(np.arange(1), np.random.default_rng(0))
        signature = {name: tf.TensorSpec((None, *array.shape[1:]), array.dtype) for name, array in probe.items()}
        return tf.data.Dataset.from_generator(lambda: self._from(first_epoch), output_signature=signature).prefetch(4)

    def _from(self, epoch: int) -> Iterator[dict[str, np.ndarray]]:
        while True:
            rng = np.random.default_rng([self.seed, epoch])
            order = rng.permutation(len(self.train))
            for step in range(self.steps_per_epoch):
                yield self.batch(order[step * self.batch_size : (step + 1) * self.batch_size], rng)
            epoch += 1

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


def validation_rows(split: Split, history_length: int, most_users: int = 5_000, seed: int = 0) -> dict[str, np.ndarray]:
    """What the model reads of the held-out pairs of `valid`, one row each, and the tokens that its user has seen.

    Args:
        split: its `valid` part is held out.
        history_length: tokens that the model reads.
        most_users: of more, so many are drawn, and of their pairs at most as many again: enough to choose an epoch by.
        seed: of the draw.

    Returns:
        An array a name, one row a pair; `seen` holds the last LONGEST_SEEN tokens at most.
    """
    valid, source = split.valid, split.history_source("valid")
    rng = np.random.default_rng(seed)
    users = split.users("valid")
    if len(users) > most_users:
        users = rng.choice(users, most_users, replace=False)
    rows = np.flatnonzero(np.isin(valid.users, users))
    if len(rows) > 2 * most_users:
        rows = np.sort(rng.choice(rows, 2 * most_users, replace=False))
    valid = valid.select(np.isin(np.arange(len(valid)), rows))
    longest = int(np.diff(source.indptr)[valid.users].max(initial=1))
    return {
        "user": valid.users + np.int32(1),
        "history": pad_histories(source, valid.users, None, history_length),
        "seen": pad_histories(source, valid.users, None, min(longest, LONGEST_SEEN)),
        "item": valid.items + np.int32(1),
        **{name: column.tokens for name, column in valid.context.items()},
    }

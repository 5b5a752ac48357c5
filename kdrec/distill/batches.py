"""Training batches, made as they are needed: no (history, target) pair is stored, and an epoch can be made again."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from kdrec.data.histories import inputs, pad_histories
from kdrec.data.interactions import Interactions
from kdrec.data.splits import Split
from kdrec.errors import TrainingError

MASKED_HISTORY = 256  # of a longer history, the last items are masked as seen in the loss


def training_rows(
    interactions: Interactions, ordered: bool, cuts_per_user: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Which histories are trained on: the user's first `cut` pairs.

    Ordered histories give a row for each of a user's last `cuts_per_user` cuts, the whole history among them (it has
    no target and hears only the teacher). A set gives one row, the whole set.

    Args:
        interactions: the training pairs.
        ordered: whether histories are ordered by time.
        cuts_per_user: at most so many rows a user; None takes all.

    Returns:
        users (rows,) int32 and cuts (rows,) int32, by user, then cut.
    """
    counts = np.diff(interactions.indptr)
    users = np.flatnonzero(counts).astype(np.int32)
    counts = counts[users]
    if not ordered:
        return users, counts.astype(np.int32)
    rows = counts if cuts_per_user is None else np.minimum(counts, cuts_per_user)
    ends = np.cumsum(rows)
    back = np.repeat(ends, rows) - np.arange(rows.sum()) - 1  # how many cuts before the whole history
    return np.repeat(users, rows), (np.repeat(counts, rows) - back).astype(np.int32)


@dataclass(frozen=True)
class TrainingBatches:
    """Batches (x, labels), or (x, labels, weights) of a log with weights; an epoch depends on (seed, epoch) alone.

    `labels` are signed tokens, (rows, width): +token for the held-out target, −token for items in the history.

    Args:
        interactions: the training pairs.
        users, cuts: (rows,) each, from `training_rows`.
        history_length: width of `history` in x.
        ordered: ordered rows hold out the next item; a set hides a random share of its items.
        batch_size: rows a batch.
        seed: of the order and of what is hidden.
        cache: a TeacherCache whose row i answers (users[i], cuts[i]); its fields join x.
        hidden_share: a set hides a share of its items drawn uniformly between these two.
    """

    interactions: Interactions
    users: np.ndarray
    cuts: np.ndarray
    history_length: int
    ordered: bool
    batch_size: int = 512
    seed: int = 0
    cache: Any = None
    hidden_share: tuple[float, float] = (0.0, 0.5)

    def __post_init__(self) -> None:
        if len(self.users) == 0:
            raise TrainingError("training rows must not be empty; the training part of the split holds no pairs")
        if self.interactions.pair_keys().has_duplicates:
            raise TrainingError(
                "interactions must hold each (user, item) once, or a held-out item would be in its own history; "
                "leave repeated pairs out with kdrec.data.filters.prepare"
            )
        if self.cache is not None:
            self.cache.check_answers(self.interactions, self.users, self.cuts)

    @property
    def steps_per_epoch(self) -> int:
        return -(-len(self.users) // self.batch_size)

    def __call__(self, first_epoch: int = 0) -> tf.data.Dataset:
        """All batches from the start of `first_epoch` on, without end; take `steps_per_epoch` an epoch."""
        probe = self._weighted(np.arange(min(2, len(self.users))), np.random.default_rng(0))
        signature = tf.nest.map_structure(lambda a: tf.TensorSpec((None, *_widths(a)), a.dtype), probe)
        generator = tf.data.Dataset.from_generator(lambda: self._from(first_epoch), output_signature=signature)
        return generator.prefetch(2)

    def _from(self, epoch: int) -> Iterator[tuple]:
        while True:
            rng = np.random.default_rng([self.seed, epoch])
            order = rng.permutation(len(self.users))
            for start in range(0, len(order), self.batch_size):
                yield self._weighted(np.sort(order[start : start + self.batch_size]), rng)
            epoch += 1

    def batch(self, rows: np.ndarray, rng: np.random.Generator) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """x and labels of the given rows."""
        users, cuts = self.users[rows], self.cuts[rows]
        held_out, seen = self._next(users, cuts) if self.ordered else self._hide(users, cuts, rng)
        x = {"user": users, "history": seen[:, -self.history_length :]}
        x |= self._context(users, cuts)
        if self.cache is not None:
            x |= self.cache.batch(rows)
        return x, np.concatenate([held_out, -seen], axis=1)

    def row_weights(self, rows: np.ndarray) -> np.ndarray | None:
        """What each row counts, (rows,) float32: the weight of the target's pair, or the mean over a set; else None."""
        weights = self.interactions.weights
        if weights is None:
            return None
        users, cuts = self.users[rows], self.cuts[rows]
        if self.ordered:
            at, exists = self._target(users, cuts)
            return np.where(exists, weights[at], 1.0).astype(np.float32)
        starts = self.interactions.indptr[users]
        sums = np.concatenate([[0.0], np.cumsum(weights, dtype=np.float64)])
        return ((sums[starts + cuts] - sums[starts]) / cuts).astype(np.float32)

    def _weighted(self, rows: np.ndarray, rng: np.random.Generator) -> tuple:
        """(x, labels), and the weights of the rows when the log has weights."""
        weights = self.row_weights(rows)
        return self.batch(rows, rng) if weights is None else (*self.batch(rows, rng), weights)

    def _next(self, users: np.ndarray, cuts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        seen = pad_histories(self.interactions, users, cuts, max(self.history_length, MASKED_HISTORY))
        at, exists = self._target(users, cuts)
        return np.where(exists, self.interactions.items[at] + 1, 0)[:, None].astype(np.int32), seen

    def _target(self, users: np.ndarray, cuts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where the pair after the cut stands, and whether there is one."""
        at = self.interactions.indptr[users] + cuts
        exists = at < self.interactions.indptr[users + 1]
        return np.where(exists, at, 0), exists

    def _hide(self, users: np.ndarray, cuts: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Each row's items in a random order: the first few are hidden, the next ones are its history."""
        width = max(self.history_length, MASKED_HISTORY)
        shuffled = pad_histories(self.interactions, users, cuts, width, rng=rng)  # (rows, width), right-aligned
        rank = np.argsort(np.argsort(np.where(shuffled > 0, rng.random(shuffled.shape), 2.0), axis=1), axis=1)
        counts = (shuffled > 0).sum(axis=1)
        share = rng.uniform(*self.hidden_share, size=len(users))
        hidden = np.minimum(np.round(share * counts), counts - 1)  # at least one item is left to read
        is_hidden = rank < hidden[:, None]
        seen = np.where(is_hidden, 0, shuffled)
        aligned = np.take_along_axis(seen, np.argsort(seen > 0, axis=1, kind="stable"), axis=1)
        return np.where(is_hidden, shuffled, 0), aligned

    def _context(self, users: np.ndarray, cuts: np.ndarray) -> dict[str, np.ndarray]:
        """The context of the target's event; 0, unknown, where there is no target, and for sets."""
        at, exists = self._target(users, cuts)
        exists &= self.ordered
        return {
            name: np.where(exists, column.codes[at] + 1, 0).astype(np.int32)
            for name, column in self.interactions.context.items()
        }


def validation_batches(
    split: Split, history_length: int, *, batch_size: int = 512, most_users: int = 5_000, seed: int = 0
) -> tf.data.Dataset:
    """The validation part, (x, labels) as in training: on it `fit` and `evaluate` compute `val_ndcg@10`.

    Args:
        split: its `valid` part is held out, what came before is the history.
        history_length: width of `history` in x.
        batch_size: rows a batch, one row a user.
        most_users: of more, so many are drawn; enough to choose an epoch by, and more would only cost time.
        seed: of the draw.

    Raises:
        TrainingError: the validation part is empty.
    """
    users = split.users("valid")
    if len(users) == 0:
        raise TrainingError("split must hold validation pairs to be watched, and holds none; hold some out")
    if len(users) > most_users:
        users = np.sort(np.random.default_rng(seed).choice(users, most_users, replace=False))
    held_out, seen = pad_histories(split.valid, users), pad_histories(split.history_source("valid"), users)
    labels = np.concatenate([held_out, -seen], axis=1)
    return tf.data.Dataset.from_tensor_slices((inputs(split, "valid", users, history_length), labels)).batch(batch_size)


def _widths(array: np.ndarray) -> tuple[int, ...]:
    return array.shape[1:]

"""Training batches, made as they are needed: no (history, target) pair is stored, and an epoch can be made again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import tensorflow as tf

from kdrec.data.histories import inputs, pad_histories
from kdrec.data.interactions import Interactions
from kdrec.data.sampled import spread
from kdrec.data.splits import Split
from kdrec.distill.several_caches import SeveralCaches
from kdrec.errors import TrainingError

MASKED_HISTORY = 1_024  # of a longer history, so many items are masked as seen in the loss


def training_rows(
    interactions: Interactions,
    ordered: bool,
    cuts_per_user: int | None = None,
    unlabelled: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Which histories are trained on: the user's first `cut` pairs.

    Ordered histories give a row for each of a user's last `cuts_per_user` cuts, the whole history among them (it has
    no target and hears only the teacher). A set gives one row, the whole set, and so does an unlabelled user.

    Args:
        interactions: the training pairs.
        ordered: whether histories are ordered by time.
        cuts_per_user: at most so many rows a user; None takes all.
        unlabelled: (n_users,) bool, users whom only the teacher labels, such as sampled ones; None: nobody.

    Returns:
        users (rows,) int32 and cuts (rows,) int32, by user, then cut.
    """
    counts = np.diff(interactions.indptr)
    users = np.flatnonzero(counts).astype(np.int32)
    counts = counts[users]
    if not ordered:
        return users, counts.astype(np.int32)
    rows = counts if cuts_per_user is None else np.minimum(counts, cuts_per_user)
    if unlabelled is not None:
        rows = np.where(unlabelled[users], 1, rows)
    user, place = spread(rows)
    return users[user], (counts - rows + 1)[user].astype(np.int32) + place.astype(np.int32)


@dataclass(frozen=True)
class TrainingBatches:
    """Batches (x, labels), or (x, labels, weights) of a log with weights; an epoch depends on (seed, epoch) alone.

    `labels` are signed tokens, (rows, width): +token for a held-out item, −token for items in the history.

    Args:
        interactions: the training pairs; with those of sampled users, from `with_sampled`.
        users, cuts: (rows,) each, from `training_rows`.
        history_length: width of `history` in x; of a set that is longer, a new sample each time.
        ordered: ordered rows hold out the next item; a set hides a random share of its items.
        batch_size: rows a batch.
        seed: of the order and of what is hidden.
        cache: a TeacherCache whose row i answers (users[i], cuts[i]); its fields join x. Or a list of them, one a
            teacher: the fields of the second are named `teacher2_<field>`. Whatever is hidden, a cache answers the
            whole history of a row.
        hidden_share: a set hides a share of its items drawn uniformly between these two; (0, 0) reads whole histories
            and holds nothing out, for training on the teacher alone.
        unlabelled: (n_users,) bool, users whom only the teacher labels: their rows hold nothing out; None: nobody.
        whole_share: of the rows of sets, so many are read whole in spite of `hidden_share`, other ones each epoch.
        unlabelled_a_row: so many rows of unlabelled users for each other row, drawn anew each epoch; None takes all.
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
    unlabelled: np.ndarray | None = None
    whole_share: float = 0.0
    unlabelled_a_row: float | None = None

    def __post_init__(self) -> None:
        if len(self.users) == 0:
            raise TrainingError("training rows must not be empty; the training part of the split holds no pairs")
        if self.interactions.pair_keys().has_duplicates:
            raise TrainingError(
                "interactions must hold each (user, item) once, or a held-out item would be in its own history; "
                "leave repeated pairs out with kdrec.data.filters.prepare"
            )
        least, most = self.hidden_share
        if not 0 <= least <= most <= 1:
            raise TrainingError(f"hidden_share must be two ascending shares in [0, 1], not {self.hidden_share}")
        if not 0 <= self.whole_share <= 1:
            raise TrainingError(f"whole_share must lie in [0, 1], not {self.whole_share}; 0 hides items in every row")
        if self.unlabelled is not None and self.unlabelled.shape != (self.interactions.n_users,):
            raise TrainingError(
                f"unlabelled must be one bool a user, ({self.interactions.n_users},), not {self.unlabelled.shape}"
            )
        if isinstance(self.cache, Sequence):
            object.__setattr__(self, "cache", SeveralCaches(self.cache))
        if self.cache is not None:
            self.cache.check_answers(self.interactions, self.users, self.cuts)

    @property
    def steps_per_epoch(self) -> int:
        return -(-len(self._of_epoch(np.random.default_rng(0))) // self.batch_size)

    def __call__(self, first_epoch: int = 0) -> tf.data.Dataset:
        """All batches from the start of `first_epoch` on, without end; take `steps_per_epoch` an epoch."""
        probe = self._weighted(np.arange(min(2, len(self.users))), np.random.default_rng(0))
        signature = tf.nest.map_structure(lambda a: tf.TensorSpec((None, *_widths(a)), a.dtype), probe)
        generator = tf.data.Dataset.from_generator(lambda: self._from(first_epoch), output_signature=signature)
        return generator.prefetch(2)

    def _from(self, epoch: int) -> Iterator[tuple]:
        while True:
            rng = np.random.default_rng([self.seed, epoch])
            order = self._of_epoch(rng)
            for start in range(0, len(order), self.batch_size):
                yield self._weighted(np.sort(order[start : start + self.batch_size]), rng)
            epoch += 1

    def _of_epoch(self, rng: np.random.Generator) -> np.ndarray:
        """The rows of an epoch in a random order."""
        if self.unlabelled is None or self.unlabelled_a_row is None:
            return rng.permutation(len(self.users))
        of_teacher = self.unlabelled[self.users]
        drawn = round(self.unlabelled_a_row * np.count_nonzero(~of_teacher))
        extra = rng.permutation(np.flatnonzero(of_teacher))[:drawn]
        return rng.permutation(np.concatenate([np.flatnonzero(~of_teacher), extra]))

    def batch(self, rows: np.ndarray, rng: np.random.Generator) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """x and labels of the given rows."""
        users, cuts = self.users[rows], self.cuts[rows]
        history, labels = self._next(users, cuts) if self.ordered else self._hide(users, cuts, rng)
        x = {"user": users, "history": history, **self._context(users, cuts)}
        if self.cache is not None:
            x |= self.cache.batch(rows)
        return x, labels

    def row_weights(self, rows: np.ndarray) -> np.ndarray | None:
        """What each row counts, (rows,) float32: the weight of the target's pair, or the mean over a set; else None."""
        weights, sums = self.interactions.weights, self._weight_sums
        if weights is None or sums is None:
            return None
        users, cuts = self.users[rows], self.cuts[rows]
        if self.ordered:
            at, exists = self._target(users, cuts)
            return np.where(exists, weights[at], 1.0).astype(np.float32)
        starts = self.interactions.indptr[users]
        return ((sums[starts + cuts] - sums[starts]) / cuts).astype(np.float32)

    @cached_property
    def _weight_sums(self) -> np.ndarray | None:
        """The sum of the weights before each pair, (pairs + 1,); None for a log without weights."""
        weights = self.interactions.weights
        return None if weights is None else np.concatenate([[0.0], np.cumsum(weights, dtype=np.float64)])

    @cached_property
    def _masked(self) -> int:
        """Tokens of a row that the loss masks: the longest history, up to a limit."""
        return min(int(self.cuts.max()), MASKED_HISTORY)

    def _weighted(self, rows: np.ndarray, rng: np.random.Generator) -> tuple:
        """(x, labels), and the weights of the rows when the log has weights."""
        weights = self.row_weights(rows)
        return self.batch(rows, rng) if weights is None else (*self.batch(rows, rng), weights)

    def _next(self, users: np.ndarray, cuts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The last items before the cut, and the item after it."""
        seen = pad_histories(self.interactions, users, cuts, max(self.history_length, self._masked))
        at, exists = self._target(users, cuts)
        held_out = np.where(exists, self.interactions.items[at] + 1, 0)[:, None].astype(np.int32)
        return seen[:, -self.history_length :], np.concatenate([held_out, -seen[:, -self._masked :]], axis=1)

    def _target(self, users: np.ndarray, cuts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where the pair after the cut stands, and whether there is one that may be held out."""
        at = self.interactions.indptr[users] + cuts
        exists = at < self.interactions.indptr[users + 1]
        if self.unlabelled is not None:
            exists &= ~self.unlabelled[users]
        return np.where(exists, at, 0), exists

    def _hide(self, users: np.ndarray, cuts: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Each row's items in a random order: the first few are hidden, the next ones are its history."""
        row, place = spread(cuts)
        order = np.argsort(row + rng.random(len(row)))  # by row, as before, and at random within a row
        tokens = self.interactions.items[(self.interactions.indptr[users][row] + place)[order]] + np.int32(1)
        counts = np.minimum(cuts, self._masked)
        hidden = np.minimum(np.round(rng.uniform(*self.hidden_share, size=len(users)) * counts), counts - 1)
        if self.unlabelled is not None:
            hidden = np.where(self.unlabelled[users], 0, hidden)
        if self.whole_share > 0:
            hidden = np.where(rng.random(len(users)) < self.whole_share, 0, hidden)
        after = place - hidden.astype(np.int64)[row]  # places after the hidden items
        labels = np.zeros((len(users), self._masked), np.int32)
        kept = place < self._masked
        labels[row[kept], place[kept]] = np.where(after < 0, tokens, -tokens)[kept]
        history = np.zeros((len(users), self.history_length), np.int32)
        read = kept & (after >= 0) & (after < self.history_length)
        history[row[read], self.history_length - 1 - after[read]] = tokens[read]
        return history, labels

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

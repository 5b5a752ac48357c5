"""Histories as rows of tokens: item position + 1, right-aligned, 0 for padding, the most recent item last."""

from typing import TYPE_CHECKING

import numpy as np

from kdrec.data.interactions import Interactions
from kdrec.errors import DataError

if TYPE_CHECKING:
    from kdrec.data.splits import Split


def pad_histories(
    interactions: Interactions,
    users: np.ndarray,
    cuts: np.ndarray | None = None,
    length: int | None = None,
    rng: np.random.Generator | None = None,
    seed: int | None = None,
) -> np.ndarray:
    """The histories of users, cut and padded to one length.

    Args:
        interactions: the pairs; a user's are in their order.
        users: (rows,) positions; one may occur in many rows.
        cuts: (rows,) how many of the user's first pairs are the history; None takes all.
        length: tokens a row; of a longer history the last are kept. None takes the longest of these rows.
        rng: for sets: of a longer history a random sample is kept, a new one at each call.
        seed: for sets: the same, but a user's sample is the same at each call, whatever the other rows.

    Returns:
        (rows, length) int32 tokens.

    Raises:
        DataError: a user or a cut that does not exist.

    >>> log = Interactions([0, 0, 0, 1], [2, 0, 1, 2], [10, 11], [20, 21, 22])
    >>> pad_histories(log, [0, 1, 0], cuts=[3, 1, 1], length=2).tolist()
    [[1, 2], [0, 3], [0, 3]]
    """
    users = np.asarray(users)
    if len(users) and (users.min() < 0 or users.max() >= interactions.n_users):
        wrong = users[(users < 0) | (users >= interactions.n_users)][0]
        raise DataError(f"users must be positions 0 to {interactions.n_users - 1}, not {wrong}; they are not ids")
    starts = interactions.indptr[users]
    counts = interactions.indptr[users + 1] - starts
    cuts = counts if cuts is None else np.asarray(cuts)
    if ((cuts < 0) | (cuts > counts)).any():
        row = int(((cuts < 0) | (cuts > counts)).argmax())
        raise DataError(
            f"cuts must lie between 0 and the user's number of pairs; row {row} has cut {cuts[row]} of {counts[row]}"
        )
    if length is None:
        length = max(1, int(cuts.max(initial=0)))
    from_end = np.arange(length, 0, -1)  # (length,)
    exists = from_end <= cuts[:, None]  # (rows, length)
    at: np.ndarray = np.where(exists, (starts + cuts)[:, None] - from_end, 0)
    if rng is not None or seed is not None:
        long = np.flatnonzero(cuts > length)
        at[long] = sampled(starts[long], cuts[long], length, rng, seed)
    if len(interactions) == 0:
        return np.zeros(at.shape, dtype=np.int32)
    return np.where(exists, interactions.items[at] + 1, 0).astype(np.int32)


def sampled(
    starts: np.ndarray, cuts: np.ndarray, length: int, rng: np.random.Generator | None, seed: int | None
) -> np.ndarray:
    """For each row, `length` of the pairs starts … starts + cuts − 1, every subset equally likely, in ascending order.

    Each pair draws a key, and the smallest keys of a row win.
    """
    row = np.repeat(np.arange(len(cuts)), cuts)
    first = np.cumsum(cuts) - cuts
    pairs = np.arange(len(row)) - np.repeat(first - starts, cuts)
    keys = mixed(pairs, seed or 0) if rng is None else rng.random(len(row))
    order = np.lexsort((keys, row))
    rank = np.arange(len(row)) - first[row]
    winners = order[rank < length].reshape(len(cuts), length)
    return pairs[np.sort(winners, axis=1)]


def mixed(numbers: np.ndarray, seed: int) -> np.ndarray:
    """A random-looking uint64 of each number, the finaliser of SplitMix64 (Steele, Lea and Flood 2014)."""
    offset = ((seed + 1) * 0xD1342543DE82EF95) % 2**64
    z = numbers.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(offset)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def history_length(interactions: Interactions, percentile: float = 95) -> int:
    """The length that covers the whole history of so many percent of the users who have one.

    >>> log = Interactions([0, 0, 0, 1], [2, 0, 1, 2], [10, 11], [20, 21, 22])
    >>> history_length(log), history_length(log, percentile=50)
    (3, 1)
    """
    counts = np.diff(interactions.indptr)
    counts = counts[counts > 0]
    if len(counts) == 0:
        raise DataError("interactions must hold pairs to have a history length, and are empty; give the train part")
    return int(np.percentile(counts, percentile, method="inverted_cdf"))


def inputs(split: "Split", part: str, users: np.ndarray, length: int | None = None) -> dict[str, np.ndarray]:
    """What a scorer reads to be judged on `part`: the users, their histories, and the context of the held-out event.

    Args:
        split: the split.
        part: "valid" or "test".
        users: (rows,) positions.
        length: tokens a row; of a set that is longer, a sample that depends on the user alone.

    Returns:
        "user" (rows,) int32, −1 for one who was left out of training by `leave_users_out`; "history" (rows, length)
        int32 tokens; for each context column (rows,) int32: the category of the user's first held-out event + 1, or 0
        where it is unknown.

    >>> from kdrec.data.splits import leave_last_out
    >>> log = Interactions([0, 0, 0], [2, 0, 1], [10], [20, 21, 22], times=[1, 2, 3])
    >>> inputs(leave_last_out(log), "test", [0], length=4)["history"].tolist()
    [[0, 0, 3, 1]]
    """
    users = np.asarray(users, dtype=np.int32)
    source, held_out = split.history_source(part), split.part(part)
    known = users if split.histories is None else np.where(np.diff(split.train.indptr)[users] > 0, users, np.int32(-1))
    x = {"user": known, "history": pad_histories(source, users, None, length, seed=None if split.ordered else 0)}
    first = held_out.indptr[users]
    exists = first < held_out.indptr[users + 1]
    for name, column in held_out.context.items():
        tokens = np.append(column.tokens, np.int32(0))
        x[name] = tokens[np.where(exists, first, len(column))]
    return x


def pushed_right(tokens: np.ndarray) -> np.ndarray:
    """Rows without gaps: the zeros go to the left, the others keep their order.

    >>> pushed_right(np.array([[0, 3, 0, 2]])).tolist()
    [[0, 0, 3, 2]]
    """
    return np.take_along_axis(tokens, np.argsort(tokens > 0, axis=1, kind="stable"), axis=1)

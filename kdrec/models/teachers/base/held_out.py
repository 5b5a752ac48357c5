"""Held-out pairs, by which the epoch of a teacher is chosen while it trains."""

import numpy as np

from kdrec.data.histories import pad_histories
from kdrec.data.splits import Split

LONGEST_SEEN = 1_000  # of a longer history, the last items are left out of the ranking that chooses an epoch


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

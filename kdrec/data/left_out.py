"""Users whom no training has seen: whom a device meets."""

from dataclasses import replace

import numpy as np

from kdrec.data.splits import Split
from kdrec.errors import DataError


def leave_users_out(split: Split, share: float = 0.1, seed: int = 0) -> tuple[Split, np.ndarray]:
    """Take some users out of the training part; when they are judged, their histories are still what they were.

    Teacher and student that train on the new split know nothing of these users, as of those who install an app.

    Args:
        split: a split whose histories are the training items (not one by time).
        share: of the users who have both training and test pairs, in (0, 1).
        seed: of the draw.

    Returns:
        The split without their training pairs, and their positions, ascending, int32.

    Raises:
        DataError: a share that leaves nobody on one side, or a split by time, whose test histories are longer.

    >>> from kdrec.data.interactions import Interactions
    >>> from kdrec.data.splits import random_per_user
    >>> users, items = np.divmod(np.arange(100), 10)
    >>> split, left = leave_users_out(random_per_user(Interactions(users, items, range(10), range(10))), 0.2)
    >>> len(left), np.isin(split.train.users, left).any(), len(split.train) < len(split.history_source("test"))
    (2, np.False_, True)
    """
    if split.history_source("test") is not split.train:
        raise DataError(
            f"split must be judged on its training items, and {split.method} is not; use random_per_user, or "
            f"given(split.train, split.valid, split.test, ordered={split.ordered})"
        )
    users = np.intersect1d(split.users("test"), np.flatnonzero(np.diff(split.train.indptr)))
    count = round(share * len(users))
    if not 0 < count < len(users):
        raise DataError(f"share must leave out at least one of {len(users)} users and not all, not {share}")
    left = np.sort(np.random.default_rng(seed).choice(users, count, replace=False)).astype(np.int32)
    train = split.train.select(~np.isin(split.train.users, left))
    options = {**split.options, "users_left_out": count, "users_left_out_seed": seed}
    return replace(split, train=train, histories=split.train, options=options), left

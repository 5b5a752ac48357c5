"""The rows of a training: histories of the log and, beside them, histories that only the teacher labels."""

from typing import NamedTuple

import numpy as np

from kdrec.data.interactions import Interactions
from kdrec.data.sampled import with_sampled
from kdrec.data.splits import Split
from kdrec.distill.batches import training_rows


class Rows(NamedTuple):
    """What student and teacher are asked about, in the order of a teacher cache.

    Args:
        interactions: the pairs of the log and of those whom only the teacher labels.
        users, cuts: (rows,) each: row i is the first cuts[i] pairs of users[i].
        unlabelled: (n_users,) bool, whom only the teacher labels; None: nobody.
    """

    interactions: Interactions
    users: np.ndarray
    cuts: np.ndarray
    unlabelled: np.ndarray | None


def rows_of(split: Split, cuts_per_user: int | None = None, sampled: Interactions | None = None) -> Rows:
    """The training rows of a split, and one for each sampled user.

    Args:
        split: its `train` part.
        cuts_per_user: as of `training_rows`.
        sampled: users whom only the teacher labels, such as those of `sampled_histories`; None: nobody.

    >>> from kdrec.data.sampled import sampled_histories
    >>> from kdrec.data.splits import leave_last_out
    >>> log = Interactions([0] * 4 + [1] * 4, [0, 1, 2, 3] * 2, ["ann", "bob"], list("abcd"), times=range(8))
    >>> split = leave_last_out(log)
    >>> len(rows_of(split).users), len(rows_of(split, sampled=sampled_histories(split.train, 3, ordered=True)).users)
    (4, 7)
    """
    if sampled is None:
        return Rows(split.train, *training_rows(split.train, split.ordered, cuts_per_user), None)
    interactions = with_sampled(split.train, sampled)
    unlabelled = np.arange(interactions.n_users) >= split.train.n_users
    rows = training_rows(interactions, split.ordered, cuts_per_user, unlabelled)
    return Rows(interactions, *rows, unlabelled)

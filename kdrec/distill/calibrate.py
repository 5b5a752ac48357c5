"""One scale for a teacher's scores, so that temperature 1 means the same for every teacher."""

from collections.abc import Callable

import numpy as np

from kdrec.data.histories import inputs, pad_histories
from kdrec.data.splits import Split
from kdrec.errors import DataError

USERS, ROWS = 2_000, 256
SCALES = np.geomspace(1e-4, 1e4, 161)  # a twentieth of a decade apart
COARSE = 10  # of so many scales one is tried, and then all between the neighbours of the best


def calibrated_scale(teacher: Callable[[dict], np.ndarray], split: Split, seed: int = 0) -> float:
    """The factor c by which softmax(c · scores over unseen items) best predicts the validation items.

    A regression's scores and a network's logits differ in size by orders of magnitude; a softened loss needs to know
    what a difference in scores is worth. The likelihood of held-out items says so (temperature scaling, Guo et al.,
    2017, arXiv:1706.04599). Scaling changes no ranking. The loss is convex in c, so 36 of 161 are tried.

    Args:
        teacher: x -> scores (rows, n_items); asked twice.
        split: its validation items are predicted, by at most 2,000 users.
        seed: of the draw of users.

    Returns:
        c > 0; 1 for a split without validation items.
    """
    users = split.users("valid")
    if len(users) == 0:
        return 1.0
    if len(users) > USERS:
        users = np.sort(np.random.default_rng(seed).choice(users, USERS, replace=False))
    coarse = SCALES[::COARSE]
    at = COARSE * int(_losses(teacher, split, users, coarse).argmin())
    near = SCALES[max(at - COARSE + 1, 0) : at + COARSE]
    return float(near[_losses(teacher, split, users, near).argmin()])


def _losses(teacher: Callable[[dict], np.ndarray], split: Split, users: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """−log likelihood of the users' validation items under each scale, (scales,): a convex function of the scale."""
    losses = np.zeros(len(scales))
    for start in range(0, len(users), ROWS):
        some = users[start : start + ROWS]
        scores = np.array(teacher(inputs(split, "valid", some)), np.float64)  # (rows, n_items)
        seen = _mask(pad_histories(split.history_source("valid"), some), split.train.n_items)
        wanted = _mask(pad_histories(split.valid, some), split.train.n_items) & ~seen
        if np.all(scores == scores[:, :1]):
            raise DataError("teacher must tell items apart, but scores all items alike; train it, or give another")
        scores[seen] = -np.inf
        scores -= scores.max(axis=1, keepdims=True)  # below the best unseen item
        n_wanted, sums = wanted.sum(axis=1), scores[wanted].sum()
        for at, scale in enumerate(scales):
            losses[at] += n_wanted @ np.log(np.exp(scale * scores).sum(axis=1)) - scale * sums
    return losses


def _mask(tokens: np.ndarray, n_items: int) -> np.ndarray:
    """(rows, n_items) bool: which items the tokens name."""
    named = np.zeros((len(tokens), n_items + 1), bool)
    np.put_along_axis(named, tokens, True, axis=1)
    return named[:, 1:]

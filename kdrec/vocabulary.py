"""Which items keep a table row of their own: the most popular ones, or those that the teacher recommends most.

They are as many as are asked for, or all that are worth so much.
"""

from typing import Any

import numpy as np

from kdrec.config import Config
from kdrec.data.histories import pad_histories
from kdrec.data.kept_items import KeptItems
from kdrec.data.splits import Split
from kdrec.distill.rows import Rows, rows_of
from kdrec.distill.teacher_cache import TeacherCache
from kdrec.errors import DataError

BLOCK = 512  # rows of scores in one piece


def kept_items(split: Split, caches: Any, sampled: Any, config: Config) -> KeptItems:
    """The items that keep a row, as a configuration asks for them.

    Args:
        split: of the run.
        caches: the TeacherCache that the student listens to, or a list of several.
        sampled: users whom only the teacher labels, if there are any.
        config: of the run; it leaves items out.

    Raises:
        DataError: as of `n_kept`.
    """
    worth = popularity = split.train.item_counts()
    if config.vocabulary_by == "teacher":
        each = [caches] if isinstance(caches, TeacherCache) else caches
        rows = rows_of(split, config.cuts_per_user, sampled)
        worth = np.mean([recommended(cache, rows) for cache in each], axis=0)
        worth = worth + 1e-9 * popularity / len(split.train)  # which decides among equals
    return KeptItems.best(worth, n_kept(worth, config), config.rare_items == "bucket")


def n_kept(worth: np.ndarray, config: Config) -> int:
    """How many items keep a row: as many as `vocabulary` says, or those that are worth at least `rare_below`.

    Args:
        worth: (n_items,), training users of each item, or how many users it is recommended to.
        config: of the run.

    Raises:
        DataError: fewer than a list is long, or all.

    >>> n_kept(np.array([7, 3, 5, 5]), Config(rare_below=5, k=2))
    3
    """
    wanted, n_items = config.vocabulary, len(worth)
    if wanted is None:
        wanted = int((worth >= config.rare_below).sum())
        if not config.k <= wanted < n_items:
            raise DataError(
                f"rare_below must leave at least k={config.k} of the {n_items} items a row, and one none, but "
                f"{config.rare_below:g} leaves {wanted}, of {worth.min():g} to {worth.max():g}; choose between"
            )
    elif not config.k <= wanted < n_items:
        raise DataError(
            f"vocabulary must be at least k={config.k} and below the {n_items} items of the catalogue, not "
            f"{wanted}; leave it out to keep a row for each"
        )
    return wanted


def recommended(cache: TeacherCache, rows: Rows) -> np.ndarray:
    """How much a teacher recommends each item: w_j = Σ_u softmax over the items that u has not seen (t_u)_j.

    Args:
        cache: of the teacher; of a stored top list the softmax is over that list.
        rows: those that the cache answers, of which the last of each user counts: the whole history.

    Returns:
        (n_items,) float64, together as many as there are users who have not seen all.
    """
    last = np.flatnonzero(np.append(rows.users[1:] != rows.users[:-1], True))
    n_items = rows.interactions.n_items
    worth = np.zeros(n_items)
    for start in range(0, len(last), BLOCK):
        items, scores = unseen_scores(cache, rows, last[start : start + BLOCK])
        left = np.isfinite(scores).any(axis=1)  # not of a user who has seen all
        items, scores = items[left], scores[left]
        shares = np.exp(scores - scores.max(axis=1, keepdims=True))
        worth += np.bincount(items.ravel(), (shares / shares.sum(axis=1, keepdims=True)).ravel(), n_items)
    return worth


def unseen_scores(cache: TeacherCache, rows: Rows, block: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Items and their stored scores for some rows, (len(block), m) each; −∞ for an item that the row has seen."""
    stored = cache.arrays
    if "scores" in stored:
        scores = stored["scores"][block].astype(np.float64)
    elif "top_items" in stored:  # seen items are in no top list
        return stored["top_items"][block], stored["top_scores"][block].astype(np.float64)
    else:
        scores = stored["user_embedding"][block].astype(np.float64) @ cache.tables["item_embedding"].T
    seen = pad_histories(rows.interactions, rows.users[block], rows.cuts[block])
    scores = np.insert(scores, 0, 0.0, axis=1)  # a column for padding
    np.put_along_axis(scores, seen, -np.inf, axis=1)
    return np.broadcast_to(np.arange(scores.shape[1] - 1), (len(block), scores.shape[1] - 1)), scores[:, 1:]

"""Which items keep a table row of their own: the most popular ones, or those that the teacher recommends most."""

from typing import Any

import numpy as np

from kdrec.config import Config
from kdrec.data.histories import pad_histories
from kdrec.data.kept_items import KeptItems
from kdrec.data.splits import Split
from kdrec.distill.rows import Rows, rows_of
from kdrec.distill.teacher_cache import TeacherCache

BLOCK = 512  # rows of scores in one piece


def kept_items(split: Split, caches: Any, sampled: Any, config: Config) -> KeptItems:
    """The items that keep a row, as a configuration asks for them.

    Args:
        split: of the run.
        caches: the TeacherCache that the student listens to, or a list of several.
        sampled: users whom only the teacher labels, if there are any.
        config: of the run; it leaves items out.
    """
    popularity = split.train.item_counts() / len(split.train)
    worth = popularity
    if config.vocabulary_by == "teacher":
        each = [caches] if isinstance(caches, TeacherCache) else caches
        rows = rows_of(split, config.cuts_per_user, sampled)
        worth = sum(recommended(cache, rows) for cache in each) + 1e-9 * popularity  # which decides among equals
    return KeptItems.best(worth, config.vocabulary or len(worth), config.rare_items == "bucket")


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

"""A model that knows some items, judged on a log that has others: items are matched by their ids."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from kdrec.bundle.items import Items
from kdrec.data.histories import pushed_right
from kdrec.evaluation.ranking import Scorer


def over_log(scorer: Scorer, items: Items, ids: Sequence[Any]) -> Scorer:
    """The scorer of a file as one of a log's items.

    Args:
        scorer: x -> (rows, items of the file), of tokens of the file.
        items: of the file.
        ids: (n_items,) of the log, by position.

    Returns:
        x -> (rows, n_items), of tokens of the log. Items that the file does not know are skipped in histories and come
        after all others; rare ones that share a row are read by it.
    """
    if items.ids == tuple(ids):
        return scorer
    columns, tokens = matched(ids, items.ids), tokens_of(ids, items)
    return lambda x: in_columns(scorer({**x, "history": pushed_right(tokens[x["history"]])}), columns)


def matched(ids: Sequence[Any], known: Sequence[Any]) -> np.ndarray:
    """For each id its position in `known`, or −1.

    >>> matched([7, 8, 9], (9, 7)).tolist()
    [1, -1, 0]
    """
    positions = {value: position for position, value in enumerate(known)}
    return np.array([positions.get(value, -1) for value in ids], dtype=np.int32)


def tokens_of(ids: Sequence[Any], items: Items) -> np.ndarray:
    """The file's token by the log's token: padding and what the file does not know are 0.

    >>> tokens_of([7, 8, 9], Items.of([9, 7], ["Kettle", "Tent"], [])).tolist()
    [0, 2, 0, 1]
    """
    known = items.tokens()
    return np.array([0, *(known.get(value, 0) for value in ids)], dtype=np.int32)


def in_columns(scores: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """The scores of the log's items: (rows, file's items) -> (rows, n_items); −1 comes after everything.

    >>> in_columns(np.array([[5.0, 3.0]]), np.array([1, -1, 0])).tolist()
    [[3.0, 2.0, 5.0]]
    """
    return np.where(columns >= 0, scores[:, columns], scores.min(axis=1, keepdims=True) - 1)

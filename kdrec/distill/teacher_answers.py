"""What a teacher is shown of a row, and what is kept of its answer."""

from typing import Any

import numpy as np

from kdrec.data.histories import pad_histories
from kdrec.data.interactions import Interactions
from kdrec.errors import DataError

LARGEST = 60_000.0  # float16 ends at 65,504


def teacher_inputs(
    interactions: Interactions, users: np.ndarray, cuts: np.ndarray, history_length: int | None
) -> dict[str, np.ndarray]:
    """x for the teacher: the history before the cut, and the context of the event after it (0 where there is none)."""
    at = interactions.indptr[users] + cuts
    exists = at < interactions.indptr[users + 1]
    at = np.where(exists, at, 0)
    context = {
        name: np.where(exists, column.tokens[at], 0).astype(np.int32) for name, column in interactions.context.items()
    }
    return {"user": users, "history": pad_histories(interactions, users, cuts, history_length), **context}


def answers(
    teacher: Any,
    interactions: Interactions,
    users: np.ndarray,
    cuts: np.ndarray,
    history_length: int | None,
    top: int,
    scale: float = 1.0,
) -> dict[str, np.ndarray]:
    """The fields of some rows; top 0 keeps the scores of all items, else the best `top` unseen ones.

    Raises:
        DataError: scores of a wrong shape, or values that float16 cannot hold.
    """
    x = teacher_inputs(interactions, users, cuts, history_length)
    scores = scale * np.asarray(teacher(x), dtype=np.float32)
    expected = (len(users), interactions.n_items)
    if scores.shape != expected:
        raise DataError(
            f"scores of the teacher must match the catalogue: expected shape {expected} (rows, n_items), received "
            f"{scores.shape}"
        )
    check_fits_float16("scores", scores)
    if top:
        items = top_unseen(scores, pad_histories(interactions, users, cuts), top)
        best = np.take_along_axis(scores, items, axis=1)
        fields = {"top_items": items, "top_scores": best.astype(np.float16)}
    else:
        fields = {"scores": scores.astype(np.float16)}
    if "user_embedding" in getattr(teacher, "provides", ()):
        embedding = np.asarray(teacher.user_embedding(x), dtype=np.float32)
        check_fits_float16("user_embedding", embedding)
        fields["user_embedding"] = embedding.astype(np.float16)
    return fields


def check_fits_float16(name: str, values: np.ndarray) -> None:
    """Values must be finite and in the range of float16."""
    size = np.abs(values)
    if not size.max() <= LARGEST:
        raise DataError(
            f"{name} of the teacher must be finite and lie within ±{LARGEST:,.0f}, where float16 can hold them, and "
            f"one is {values.flat[size.argmax()]}; divide them by a constant, which changes no ranking"
        )


def top_unseen(scores: np.ndarray, seen: np.ndarray, k: int) -> np.ndarray:
    """The k best unseen items of each row, score descending, then lower position.

    Args:
        scores: (rows, n_items) float32, finite.
        seen: (rows, width) tokens that are left out.
        k: at most the unseen items of any row.

    Returns:
        (rows, k) int32 positions.

    >>> top_unseen(np.array([[1, 3, 3, 2]], np.float32), np.array([[0, 2]]), 2).tolist()
    [[2, 3]]
    """
    n_items = scores.shape[1]
    # Floats order like the integers of their bits, the negative ones reversed; + 0.0 makes −0.0 a 0.0.
    bits = (scores + np.float32(0.0)).view(np.int32).astype(np.int64)
    rank = np.where(bits < 0, -(bits & 0x7FFFFFFF), bits)
    keys = -rank * n_items + np.arange(n_items)  # ascending, and no two of a row are equal: any sort gives one answer
    row, column = np.nonzero(seen)
    keys[row, seen[row, column] - 1] = np.iinfo(np.int64).max
    best = np.argpartition(keys, k - 1, axis=1)[:, :k]
    order = np.argsort(np.take_along_axis(keys, best, axis=1), axis=1)
    return np.take_along_axis(best, order, axis=1).astype(np.int32)

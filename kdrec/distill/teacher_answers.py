"""What a teacher is shown of a row, and what is kept of its answer."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from kdrec.data.histories import pad_histories
from kdrec.data.interactions import Interactions
from kdrec.distill.cache_plan import Plan
from kdrec.distill.top_unseen import best, hide_seen
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
    easier: Sequence[Any],
    plan: Plan,
    x: dict[str, np.ndarray],
    seen: np.ndarray,
    n_items: int,
    scale: float = 1.0,
) -> tuple[dict[str, np.ndarray], np.ndarray | None]:
    """What is stored of some rows.

    Args:
        teacher: asked for what the plan needs, and no more.
        easier: its earlier states, for `snapshot_items`; the teacher itself comes last.
        plan: what is stored.
        x: what the teacher is shown.
        seen: (rows, width) tokens that no list holds.
        n_items: items in the catalogue.
        scale: factor on the scores; embeddings get its square root, so that their product is the scores.

    Returns:
        The fields, and (rows, n_items) float32 scores with −∞ for seen items, where a list was asked for.

    Raises:
        DataError: scores of a wrong shape, or values that float16 cannot hold.
    """
    fields: dict[str, np.ndarray] = {}
    if plan.embedding:
        embedding = np.asarray(teacher.user_embedding(x), dtype=np.float32) * np.float32(scale**0.5)
        check_fits_float16("user_embedding", embedding)
        fields["user_embedding"] = embedding.astype(np.float16)
    if not (plan.dense or plan.width or plan.item_top):
        return fields, None
    unseen = scores_of(teacher, x, n_items, scale)
    check_fits_float16("scores", unseen)
    if plan.dense:
        fields["scores"] = unseen.astype(np.float16)
    hide_seen(unseen, seen)
    if plan.width:
        items = best(unseen, plan.width).astype(np.int32)
        if plan.top:
            scores = np.take_along_axis(unseen, items, axis=1)
            fields |= {"top_items": items, "top_scores": scores.astype(np.float16)}
        if plan.snapshots:
            lists = [top_list(state, x, seen, n_items, plan.width) for state in easier]
            fields["snapshot_items"] = np.stack([*lists, items], axis=1)  # (rows, S, K)
    return fields, unseen


def top_list(teacher: Any, x: dict[str, np.ndarray], seen: np.ndarray, n_items: int, k: int) -> np.ndarray:
    """The best unseen items of a teacher that is not asked for more, (rows, k) int32."""
    scores = scores_of(teacher, x, n_items)
    hide_seen(scores, seen)
    return best(scores, k).astype(np.int32)


def scores_of(teacher: Any, x: dict[str, np.ndarray], n_items: int, scale: float = 1.0) -> np.ndarray:
    """The teacher's scores times `scale` in an array of their own, (rows, n_items) float32."""
    scores = np.float32(scale) * np.asarray(teacher(x), dtype=np.float32)
    expected = (len(x["user"]), n_items)
    if scores.shape != expected:
        raise DataError(
            f"scores of the teacher must match the catalogue: expected shape {expected} (rows, n_items), received "
            f"{scores.shape}"
        )
    return scores


def check_fits_float16(name: str, values: np.ndarray) -> None:
    """Values must be finite and in the range of float16."""
    if not (values.max() <= LARGEST and values.min() >= -LARGEST):
        size = np.abs(values)
        raise DataError(
            f"{name} of the teacher must be finite and lie within ±{LARGEST:,.0f}, where float16 can hold them, and "
            f"one is {values.flat[size.argmax()]}; divide them by a constant, which changes no ranking"
        )

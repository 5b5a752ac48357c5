"""What a teacher cache is asked to hold, and what is stored for it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from kdrec.data.interactions import Interactions
from kdrec.errors import DataError, UnknownNameError

DENSE_BYTES = 512 * 2**20  # `dense="auto"` keeps all scores up to this size

ROW_FIELDS = ("scores", "top_items", "top_scores", "user_embedding", "snapshot_items", "row")
TABLES = ("item_embedding", "item_users", "item_counts")
EMBEDDINGS = frozenset({"user_embedding", "item_embedding"})
LIST = frozenset({"top_items", "top_scores"})
PROVIDED = {"user_embedding": "user_embedding", "item_embedding": "item_embedding", "snapshot_items": "snapshots"}


@dataclass(frozen=True)
class Plan:
    """What is stored of a teacher's answers.

    Args:
        needs: the fields that were asked for.
        dense: the scores of all items.
        top: K of a top list; 0 stores none.
        embedding: the user embedding.
        snapshots: how many states of the teacher have a top list stored; 0 stores none.
        item_top: R, rows ranked for an item; 0 stores none.
        width: K of all lists, of snapshots too.
    """

    needs: frozenset[str]
    dense: bool
    top: int
    embedding: bool
    snapshots: int
    item_top: int
    width: int


def plan(
    teacher: Any,
    interactions: Interactions,
    users: np.ndarray,
    cuts: np.ndarray,
    needs: Iterable[str],
    dense: bool | Literal["auto"],
    top: int,
    item_top: int,
    snapshots: int,
) -> Plan:
    """What meets the needs: arguments as of `TeacherCache.write`.

    `scores` are met by the scores of all items or, where those are not kept, by both embeddings if they are needed too
    (their product), else by a top list.

    Raises:
        DataError: no row; a size below 1; a need that the teacher does not meet; no unseen item for a list.
        UnknownNameError: a need that no cache holds.
    """
    needs = frozenset(needs)
    check_rows(users, cuts)
    check_sizes(top=top, item_top=item_top, snapshots=snapshots)
    check_needs(teacher, needs)
    size = len(users) * interactions.n_items * np.dtype(np.float16).itemsize
    is_dense = "scores" in needs and (size <= DENSE_BYTES if dense == "auto" else dense)
    has_list = bool(LIST & needs) or ("scores" in needs and not is_dense and not needs >= EMBEDDINGS)
    has_snapshots = "snapshot_items" in needs
    width = list_length(interactions, users, cuts, top) if has_list or has_snapshots else 0
    return Plan(
        needs=needs,
        dense=is_dense,
        top=width if has_list else 0,
        embedding="user_embedding" in needs,
        snapshots=snapshots if has_snapshots else 0,
        item_top=min(item_top, len(users)) if "item_users" in needs else 0,
        width=width,
    )


def given(fields: Iterable[str]) -> frozenset[str]:
    """The fields of a cache and those that follow from them.

    Scores follow from a top list (of its items, the best ones) and from the product of both embeddings, a top list
    from scores.

    >>> sorted(given({"top_items", "top_scores", "row"}))
    ['row', 'scores', 'top_items', 'top_scores']
    """
    found = frozenset(fields)
    if found >= LIST or found >= EMBEDDINGS:
        found |= {"scores"}
    return found | LIST if "scores" in found else found


def check_needs(teacher: Any, needs: frozenset[str]) -> None:
    """Needs must be fields of a cache, and the teacher must be able to meet them."""
    if not needs:
        raise DataError(f"needs must name a field of {', '.join(ROW_FIELDS + TABLES)}, and is empty")
    for need in sorted(needs):
        if need not in ROW_FIELDS + TABLES:
            raise UnknownNameError(f"needs has no {need!r}; a teacher cache holds {', '.join(ROW_FIELDS + TABLES)}")
        provided: frozenset[str] = getattr(teacher, "provides", frozenset())
        if need in PROVIDED and PROVIDED[need] not in provided:
            kept = "; als and ease keep them with the option snapshots=2" if need == "snapshot_items" else ""
            raise DataError(
                f"need {need!r} cannot be met by teacher {name_of(teacher)!r}, which provides "
                f"{', '.join(['scores', *sorted(provided)])}; use a loss that does without, or a teacher that provides "
                f"{PROVIDED[need]}{kept}"
            )


def name_of(teacher: Any) -> str:
    """The name of a teacher, of a callable without one its type's."""
    return getattr(teacher, "name", type(teacher).__name__)


def check_rows(users: np.ndarray, cuts: np.ndarray) -> None:
    """There must be rows, and as many cuts as users."""
    if len(users) == 0 or users.shape != cuts.shape:
        raise DataError(
            f"users and cuts must be one value a row each, at least one row, not shapes {users.shape} and {cuts.shape}"
        )


def check_sizes(**sizes: int) -> None:
    """Lengths of lists must be at least 1."""
    for name, size in sizes.items():
        if size < 1:
            raise DataError(f"{name} must be at least 1, not {size}; leave it out for the default")


def list_length(interactions: Interactions, users: np.ndarray, cuts: np.ndarray, top: int) -> int:
    """K that every row can fill: at most the unseen items of the row with the longest history."""
    longest = int(cuts.argmax())
    unseen = interactions.n_items - int(cuts[longest])
    if unseen < 1:
        user = interactions.user_ids[users[longest]]
        raise DataError(
            f"top list needs an unseen item in every row, and user {user!r} has {cuts[longest]} pairs of "
            f"{interactions.n_items} items; leave the user out, or need only scores, with dense=True"
        )
    return min(top, unseen)

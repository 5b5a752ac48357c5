"""What the losses are told of each teacher: asked now, stored before, from a table, or derived from these."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import tensorflow as tf

from kdrec.distill.live_teacher import Fields, ask, item_embedding
from kdrec.distill.top_list import dense_scores
from kdrec.errors import TrainingError
from kdrec.losses.base import DistillationLoss, best_unseen, scores_of

INTEGERS = frozenset({"top_items", "snapshot_items", "row", "item_users"})  # all other fields are float32
TOP_LIST = frozenset({"top_items", "top_scores"})
SCORED = TOP_LIST | {"scores"}
EMBEDDINGS = frozenset({"user_embedding", "item_embedding"})

Tables = Mapping[str, Any]


def prefix(number: int) -> str:
    """What the stored answers of a teacher are named with in a batch; teachers count from 0.

    >>> prefix(0), prefix(1)
    ('teacher_', 'teacher2_')
    """
    return f"teacher{number + 1 if number else ''}_"


def teacher_reader(
    teachers: Sequence[Any], tables: Sequence[Tables], askers: Mapping[str, Any], top: int
) -> Callable[[Any, tf.Tensor], list[Fields]]:
    """A function (inputs, seen items) -> for each teacher the fields that are needed; {} for one that is not there.

    Args:
        teachers: a callable, or None for one whose answers are in the batch, as `teacher_<field>` of the first,
            `teacher2_<field>` of the second.
        tables: for each teacher the fields that are one for all rows, such as `item_embedding` (n_items, d).
        askers: what `needs` fields, by the words that an error names it with.
        top: items of a top list that is derived from scores.
    """
    needs: frozenset[str] = frozenset().union(*(asker.needs for asker in askers.values()))
    kept = needs | (SCORED | EMBEDDINGS if needs & SCORED else set())  # may be derived from
    sources = [_source(teacher, number, needs) for number, teacher in enumerate(teachers)]
    constants = [
        {**(item_embedding(teacher) if "item_embedding" in needs else {}), **_typed(table, kept)}
        for teacher, table in zip(teachers, tables, strict=True)
    ]
    told = [f"teacher {number + 1}" for number in range(len(teachers))] if len(teachers) > 1 else ["the teacher"]

    def read(x: Any, seen: tf.Tensor) -> list[Fields]:
        _check_count(x, len(teachers))
        found = []
        for whose, source, constant in zip(told, sources, constants, strict=True):
            rows = source(x)
            fields = completed({**constant, **_typed(rows, kept)}, needs, seen, top)
            if rows:
                _check(fields, {**rows, **constant}, askers, whose, seen.shape[-1])
            found.append({name: fields[name] for name in needs} if rows else {})
        return found

    return read


def completed(fields: Fields, needs: Collection[str], seen: tf.Tensor, top: int) -> Fields:
    """The fields and, where they are needed and not there, scores and top list made from the others.

    Scores are user_embedding · item_embedding or, without these, made of a stored top list; a top list of scores.

    Args:
        fields: of one teacher.
        needs: names of fields.
        seen: (rows, n_items) bool.
        top: items of a top list that is made, at most n_items; −1 where a row has fewer unseen ones.

    >>> embeddings = {"user_embedding": tf.constant([[2.0]]), "item_embedding": tf.constant([[1.0], [4.0], [3.0]])}
    >>> fields = completed(embeddings, {"top_items"}, tf.constant([[False, True, False]]), 2)
    >>> fields["scores"].numpy().tolist(), fields["top_items"].numpy().tolist()
    ([[2.0, 8.0, 6.0]], [[2, 0]])
    """
    fields, missing = dict(fields), frozenset(needs) - fields.keys()
    n_items = seen.shape[-1]
    if missing & SCORED and "scores" not in fields:
        if fields.keys() >= EMBEDDINGS:
            fields["scores"] = tf.matmul(fields["user_embedding"], fields["item_embedding"], transpose_b=True)
        elif fields.keys() >= TOP_LIST:
            fields["scores"] = dense_scores(fields["top_items"], fields["top_scores"], n_items)
    if missing & TOP_LIST and "scores" in fields:
        if "top_items" not in fields:
            fields["top_items"] = best_unseen(fields["scores"], min(top, n_items), seen)
        fields["top_scores"] = scores_of(fields["scores"], fields["top_items"])
    return fields


def longest_top(losses: Sequence[DistillationLoss], default: int = 100) -> int:
    """The largest `top` option among the losses that need a top list; `default` if none of them has one."""
    configs = [loss.get_config() for loss in losses if loss.needs & TOP_LIST]
    return max((config["top"] for config in configs if "top" in config), default=default)


def _source(teacher: Any, number: int, needs: frozenset[str]) -> Callable[[Any], Fields]:
    if teacher is not None:
        return ask(teacher, needs)
    start = prefix(number)
    return lambda x: {name.removeprefix(start): x[name] for name in _names(x) if name.startswith(start)}


def _names(x: Any) -> list[str]:
    return list(x) if isinstance(x, dict) else []


def _typed(fields: Mapping[str, Any], kept: Collection[str]) -> Fields:
    """Some of the fields, each in the type that losses are promised."""
    return {
        name: tf.cast(value, tf.int32 if name in INTEGERS else tf.float32)
        for name, value in fields.items()
        if name in kept
    }


def _check_count(x: Any, teachers: int) -> None:
    """The batch must not hold the answers of a teacher that nobody listens to."""
    extra = [name for name in _names(x) if name.startswith(prefix(teachers))]
    if extra:
        raise TrainingError(
            f"batch holds {extra[0]!r}, the answer of teacher {teachers + 1}, and there are {teachers}; give "
            f"teacher_weights one value a teacher"
        )


def _check(fields: Fields, given: Fields, askers: Mapping[str, Any], whose: str, n_items: int) -> None:
    """All that is needed must be there, and scores must match the catalogue."""
    for asker, needing in askers.items():
        missing = needing.needs - fields.keys()
        if missing:
            raise TrainingError(
                f"{asker} needs {whose}'s {', '.join(sorted(missing))}, but it gives {', '.join(sorted(given))}; "
                f"choose another loss, or a teacher (cache) that holds it"
            )
    width = fields["scores"].shape[-1] if "scores" in fields else n_items
    if width not in (n_items, None):
        raise TrainingError(
            f"scores of {whose} must have one column an item of the student, {n_items}, not {width}; score every item "
            f"of the catalogue, without a padding column"
        )

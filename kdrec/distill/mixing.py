"""What the parts of a Distiller's loss weigh, checked before training."""

from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from kdrec.errors import TrainingError
from kdrec.schedules import Number, Schedule, adjustable, ends


def one_each(name: str, values: Sequence[Number] | None, count: int, of_what: str, default: float) -> list[Any]:
    """A variable or a schedule for each loss or teacher.

    Args:
        name: of the argument, for errors and variables.
        values: numbers or schedules; None gives each `default`.
        count: how many there must be.
        of_what: what there is one for, for errors.

    Raises:
        TrainingError: another number of values.
    """
    values = [default] * count if values is None else list(values)
    if len(values) != count:
        raise TrainingError(f"{name} must have one value a {of_what} ({count}), not {len(values)}")
    return [adjustable(value, f"{name.removesuffix('s')}_{i}") for i, value in enumerate(values)]


def share_between_0_and_1(name: str, value: Number) -> Any:
    """A variable or schedule that never leaves [0, 1].

    Raises:
        TrainingError: it does.
    """
    least, greatest = ends(value)
    if not 0 <= least <= greatest <= 1:
        raise TrainingError(f"{name} must lie in [0, 1], not {value}")
    return adjustable(value, name)


def listed_teachers(
    teacher: Any, tables: Mapping | Sequence[Mapping] | None, weights: Sequence[Number] | None
) -> tuple[list[Any], list[Mapping]]:
    """Teachers and their tables, one of each a teacher; None is a teacher whose answers are stored.

    Raises:
        TrainingError: another number of tables than of teachers.
    """
    every_table = [tables or {}] if tables is None or isinstance(tables, Mapping) else list(tables)
    if isinstance(teacher, list | tuple):
        teachers = list(teacher)
    else:  # of stored answers there are as many as weights, or tables
        count = max(1 if weights is None else len(weights), len(every_table)) if teacher is None else 1
        teachers = [teacher] * count
    if tables is None:
        every_table = [{}] * len(teachers)
    if len(every_table) != len(teachers):
        raise TrainingError(f"tables must have one dict a teacher ({len(teachers)}), not {len(every_table)}")
    return teachers, every_table


def check_total_steps(total_steps: int | None, followed: Mapping[str, Sequence[Any]]) -> None:
    """Schedules must know how long the training is.

    Args:
        total_steps: of the training, or None.
        followed: by name of an argument, its variables and schedules.

    Raises:
        TrainingError: a schedule without total_steps, or total_steps below 1.
    """
    if total_steps is not None and total_steps < 1:
        raise TrainingError(f"total_steps must be at least 1, not {total_steps}; it is epochs times steps an epoch")
    for name, values in followed.items():
        for value in values:
            if total_steps is None and isinstance(value, Schedule):
                raise TrainingError(
                    f"{name} {value} is a schedule and needs total_steps, epochs times steps an epoch; give it, or a "
                    f"number for {name}"
                )


def share_of_replica() -> float:
    """Replicas' gradients are summed: each brings this share of a mean over all of them, 1 on one device."""
    return 1.0 / tf.distribute.get_strategy().num_replicas_in_sync

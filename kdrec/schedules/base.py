"""Numbers that follow a training: a weight or a temperature is a number, or a schedule of the progress, 0 to 1."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from kdrec import variants
from kdrec.errors import DataError, KdrecError, TrainingError


@dataclass(frozen=True)
class Schedule:
    """A value that follows the progress of a training inside the compiled step; as text `linear:4:1`.

    Every schedule rises or falls all the way, so that its least and greatest values are at the ends.

    Args:
        name: of a formula in `kdrec.schedules`.
        numbers: that the formula takes after the progress.

    >>> Schedule("linear", (4.0, 1.0))(0.5)
    2.5
    """

    name: str
    numbers: tuple[float, ...]

    @cached_property
    def formula(self) -> Callable[..., Any]:
        """A property, because AutoGraph would try to translate a call of the import machinery, and warn."""
        return variants.get("kdrec.schedules", self.name)

    def __call__(self, progress: Any) -> Any:
        """The value at a progress in [0, 1], a scalar tensor in a step."""
        return self.formula(progress, *self.numbers)

    def __str__(self) -> str:
        return ":".join([self.name, *map(str, self.numbers)])


Number = float | str | Schedule  # what a weight or a temperature may be given as


def parse(value: Number) -> float | Schedule:
    """A number as it is, or the schedule that a text names.

    Args:
        value: a number, its text, a schedule, or the text of one: `<name>:<number>:…`.

    Raises:
        UnknownNameError: no schedule of that name.
        TrainingError: other numbers than the schedule takes.

    >>> parse("0.5"), str(parse("linear:4:1"))
    (0.5, 'linear:4.0:1.0')
    """
    if not isinstance(value, str):
        return value
    name, *numbers = value.split(":")
    try:
        if not numbers:
            return float(name)
    except ValueError:
        pass  # a name without numbers
    _, *options = inspect.signature(variants.get("kdrec.schedules", name)).parameters.values()
    least = sum(option.default is option.empty for option in options)
    try:
        values = tuple(map(float, numbers))
    except ValueError:
        values = ()
    if not least <= len(values) <= len(options) or len(values) != len(numbers):
        form = "".join(f":{o.name}" if o.default is o.empty else f"[:{o.name}]" for o in options)
        raise TrainingError(f"schedule {value!r} must be written {name}{form}, with numbers for the words")
    return Schedule(name.replace("-", "_"), values)


def ends(value: Number) -> tuple[float, float]:
    """The least and the greatest value that a number or schedule takes.

    >>> ends("linear:4:1"), ends(0.5)
    ((1.0, 4.0), (0.5, 0.5))
    """
    parsed = parse(value)
    if not isinstance(parsed, Schedule):
        return float(parsed), float(parsed)
    import tensorflow as tf

    first, last = (float(parsed(tf.constant(progress))) for progress in (0.0, 1.0))
    return (first, last) if first < last else (last, first)


def adjustable(value: Number, name: str) -> Any:
    """A schedule, or a variable that holds a number: one that a callback may assign while training."""
    parsed = parse(value)
    if isinstance(parsed, Schedule):
        return parsed
    import tensorflow as tf

    return tf.Variable(parsed, trainable=False, dtype=tf.float32, name=name)


def value_at(value: Any, progress: Any) -> Any:
    """What `adjustable` made, at a progress: a schedule is asked, a variable is read."""
    return value(progress) if isinstance(value, Schedule) else value


def as_config(value: Any) -> float | str:
    """A number, variable or schedule as a configuration keeps it; `parse` reads it.

    >>> as_config(2), as_config("linear:4:1")
    (2.0, 'linear:4.0:1.0')
    """
    parsed = parse(value)
    return str(parsed) if isinstance(parsed, Schedule) else float(parsed)


def numbers(name: str, value: Any) -> Any:
    """The option of that name with its texts as numbers, or as schedules written in one way; other values as they are.

    >>> numbers("temperature", "0.50"), numbers("loss_weights", (1, "linear:1:0"))
    (0.5, (1, 'linear:1.0:0.0'))

    Raises:
        DataError: no number, and no schedule.
    """
    if isinstance(value, tuple):
        return tuple(numbers(name, each) for each in value)
    if not isinstance(value, str):
        return value
    try:
        return as_config(parse(value))
    except KdrecError as error:
        raise DataError(f"{name} must be a number or a schedule, not {value!r}: {error}") from error

"""Options and logs that teachers refuse."""

from numbers import Real

from kdrec.data.interactions import Interactions
from kdrec.errors import DataError, TrainingError


def check_positive(**options: float) -> None:
    """Options of a teacher that must be numbers above 0.

    Raises:
        DataError: no number, or not above 0.
    """
    for name, value in options.items():
        if isinstance(value, bool) or not isinstance(value, Real):
            raise DataError(f"{name} must be a number above 0, not {value!r}; leave it out for the default")
        if not value > 0:
            raise DataError(f"{name} must be above 0, not {value}; leave it out for the default")


def check_snapshots(snapshots: int, most: int) -> None:
    """A teacher keeps a whole number of earlier states, at most so many.

    Raises:
        DataError: it is asked for another number.
    """
    if isinstance(snapshots, bool) or not isinstance(snapshots, int) or not 0 <= snapshots <= most:
        raise DataError(
            f"snapshots must be a whole number from 0 to {most}, not {snapshots!r}; 2 is enough for hetcomp"
        )


def check_pairs(train: Interactions) -> None:
    """There is something to learn from.

    Raises:
        TrainingError: the log is empty.
    """
    if len(train) == 0:
        raise TrainingError("train must hold pairs, and is empty; give the train part of a split")


def is_ordered(train: Interactions, ordered: bool | None) -> bool:
    """Whether histories are ordered by time: as said, or, if nothing is said, when the log has times."""
    return train.times is not None if ordered is None else ordered

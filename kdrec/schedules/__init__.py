from kdrec import variants
from kdrec.schedules.base import Number, Schedule, adjustable, as_config, ends, numbers, parse, value_at

__all__ = ["Number", "Schedule", "adjustable", "as_config", "ends", "numbers", "get", "names", "parse", "value_at"]


def names() -> list[str]:
    """The schedules, sorted by name."""
    return variants.names(__name__)


def get(name: str):
    """The formula of a schedule: a function of progress and of the schedule's numbers."""
    return variants.get(__name__, name)

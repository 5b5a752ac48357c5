"""The schedule along a straight line."""

from typing import Any


def linear(progress: Any, start: float, end: float) -> Any:
    """start + (end − start) · progress.

    Args:
        progress: in [0, 1].
        start, end: values at progress 0 and 1.

    >>> linear(0.25, 4.0, 0.0)
    3.0
    """
    return start + (end - start) * progress

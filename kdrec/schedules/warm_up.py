"""The schedule that rises from 0 at the beginning of a training and then stays."""

from typing import Any

from kdrec.errors import TrainingError


def warm_up(progress: Any, end: float, share: float = 0.1) -> Any:
    """end · min(1, progress / share).

    Args:
        progress: in [0, 1].
        end: the value after the rise.
        share: how much of the training the rise takes, above 0.

    Raises:
        TrainingError: a share of 0 or less.

    >>> [round(float(warm_up(progress, 2.0, 0.5)), 5) for progress in (0.0, 0.25, 0.5, 1.0)]
    [0.0, 1.0, 2.0, 2.0]
    """
    if not share > 0:
        raise TrainingError(f"share of warm_up must be above 0, not {share}; it is how much of the training it takes")
    import tensorflow as tf

    return end * tf.minimum(1.0, progress / share)

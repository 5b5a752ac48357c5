"""A live teacher that runs TensorFlow does so inside the student's step, and needs a thread of its own there."""

import os

VARIABLE = "TF_NUM_INTEROP_THREADS"  # TensorFlow reads it once, when its first operation runs


def ensure_two() -> None:
    """On a machine with one core, ask TensorFlow for two inter-op threads; a number that somebody has set stays.

    With one, the step's thread would wait for the teacher, and the teacher for that thread.
    """
    if cores() == 1:
        os.environ.setdefault(VARIABLE, "2")


def cores() -> int:
    """The cores that this process may use.

    >>> cores() >= 1
    True
    """
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def interop() -> int:
    """The inter-op threads that TensorFlow works with in this process."""
    import tensorflow as tf

    return tf.config.threading.get_inter_op_parallelism_threads() or int(os.environ.get(VARIABLE) or 0) or cores()

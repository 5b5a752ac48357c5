"""The student keeps the random table that it was built with."""

from typing import Any

import tf_keras as keras

NEEDS: frozenset[str] = frozenset()


def random(student: keras.Model, *, scores: Any = None, item_embedding: Any = None, seed: int = 0) -> None:
    """Change nothing: E ~ N(0, 0.05²), from the seed that the student was built with.

    Args:
        student: a model of `kdrec.models.students`.
        scores, item_embedding, seed: not read.
    """

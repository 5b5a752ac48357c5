"""Several teacher caches of the same training rows, which a batch asks like one."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from kdrec.data.interactions import Interactions
from kdrec.distill.teacher_fields import prefix


class SeveralCaches:
    """The fields of the first cache are named `teacher_<field>`, those of the second `teacher2_<field>`, and so on.

    Args:
        caches: at least one TeacherCache; all answer the same rows.
    """

    def __init__(self, caches: Sequence[Any]):
        self.caches = list(caches)

    @property
    def tables(self) -> list[dict[str, np.ndarray]]:
        """The tables of each cache."""
        return [cache.tables for cache in self.caches]

    def batch(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """The fields of some rows."""
        return {
            prefix(number) + name.removeprefix(prefix(0)): values
            for number, cache in enumerate(self.caches)
            for name, values in cache.batch(rows).items()
        }

    def check_answers(self, interactions: Interactions, users: np.ndarray, cuts: np.ndarray) -> None:
        """Refuse rows other than those that every cache was written for.

        Raises:
            DataError: other data, other users or other cuts.
        """
        for cache in self.caches:
            cache.check_answers(interactions, users, cuts)

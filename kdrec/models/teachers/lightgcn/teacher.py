"""LightGCN as a teacher: a user's vector is made of the own row and of the history given, so it suits any history."""

from pathlib import Path
from typing import Any, final

import numpy as np

from kdrec.models.teachers.mf_bpr.teacher import FactorTeacher, Tables, read_states


def unit(vectors: np.ndarray) -> np.ndarray:
    """Rows of length 1; zeros stay zeros."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(lengths > 0, lengths, 1)


@final
class LightGcn(FactorTeacher):
    """q = e_u / (K + 1) + √|h| · mean over the history h of what each item adds; with a temperature, unit vectors.

    e_u is the trained row of a known user, 0 for others. For a known user with the training history, q is the vector
    that was trained.
    """

    name = "lightgcn"

    def __init__(self, tables: Tables, earlier: Any = (), *, recency: float | None, temperature: float | None):
        super().__init__(tables, earlier, recency=recency, temperature=temperature)
        if temperature is not None:
            self.item_embedding = unit(tables.items) / np.float32(temperature)

    def _query(self, users: np.ndarray, history: np.ndarray) -> np.ndarray:
        mean, count = self.pooled(history, self.options["recency"])
        query = users + np.sqrt(count) * mean
        return query if self.options["temperature"] is None else unit(query)


def restore(folder: Path, meta: dict[str, Any]) -> LightGcn:
    """The teacher that `save` wrote."""
    tables, earlier = read_states(folder, meta)
    return LightGcn(tables, earlier, **meta["options"])

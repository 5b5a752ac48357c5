"""A trained pair of towers as a teacher: all item vectors are computed once."""

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np

from kdrec.models.teachers.base import Inputs, Teacher, read_arrays, set_weights, write_arrays
from kdrec.models.teachers.two_tower.features import TowerFeatures
from kdrec.models.teachers.two_tower.state import (
    empty_row,
    features_of,
    row_signature,
    row_tokens,
    tower_state,
)

if TYPE_CHECKING:
    from kdrec.models.teachers.two_tower.model import TwoTowerModel

BLOCK = 4096  # items that go through their tower at a time


@final
class TwoTower(Teacher):
    """score_j = q · c_j / temperature; a user that training did not know, or none, is answered by the history.

    Args:
        model: trained.
        users, items: the features that it was built on.
        item_probabilities: likewise.
    """

    name = "two_tower"
    provides = frozenset({"user_embedding", "item_embedding"})

    def __init__(
        self, model: "TwoTowerModel", users: TowerFeatures, items: TowerFeatures, item_probabilities: np.ndarray
    ):
        super().__init__(model.options.n_items)
        self.model, self.users, self.items, self.item_probabilities = model, users, items, item_probabilities

    @cached_property
    def item_embedding(self) -> np.ndarray:
        """c_j / temperature of every item, (n_items, embedding_dim) float32."""
        tokens = np.arange(1, self.n_items + 1, dtype=np.int32)
        blocks = [self.model.embed_item(tokens[start : start + BLOCK]) for start in range(0, self.n_items, BLOCK)]
        return np.concatenate(blocks) / np.float32(self.model.options.temperature)

    def user_embedding(self, x: Inputs) -> np.ndarray:
        """q of each row, (rows, embedding_dim) float32."""
        return self._query(row_tokens(self.name, self.model.options, x)).numpy()

    def _scores(self, x: Inputs) -> np.ndarray:
        return self.user_embedding(x) @ self.item_embedding.T

    @cached_property
    def _query(self) -> Any:
        import tensorflow as tf

        return tf.function(self.model.embed_query, input_signature=[row_signature(self.model.options)])

    def _write(self, folder: Path) -> dict[str, Any]:
        arrays, meta = tower_state(self.model, self.users, self.items)
        write_arrays(folder, {"item_probabilities": self.item_probabilities, **arrays})
        return meta


def built(options: Any, users: TowerFeatures, items: TowerFeatures, item_probabilities: np.ndarray) -> TwoTower:
    """A teacher with fresh weights, all of them made."""
    from kdrec.models.teachers.two_tower.model import TwoTowerModel

    teacher = TwoTower(TwoTowerModel(options, users, items, item_probabilities), users, items, item_probabilities)
    teacher.user_embedding(empty_row(options))
    teacher.model.embed_item(np.ones(1, dtype=np.int32))
    teacher.model.built = True
    return teacher


def restore(folder: Path, meta: dict[str, Any]) -> TwoTower:
    """The teacher that `save` wrote."""
    from kdrec.models.teachers.two_tower.model import TwoTowerOptions

    arrays = read_arrays(folder)
    options = TwoTowerOptions(**{**meta["options"], "layers": tuple(meta["options"]["layers"])})
    users, items = (features_of(name, arrays, meta) for name in ("users", "items"))
    teacher = built(options, users, items, arrays["item_probabilities"])
    set_weights(teacher.model, arrays)
    return teacher

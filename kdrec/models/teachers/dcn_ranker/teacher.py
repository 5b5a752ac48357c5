"""A trained deep & cross network as a teacher: every pair of row and item goes through it."""

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np

from kdrec.models.teachers.base import Inputs, Teacher, read_arrays, rows_of, set_weights, write_arrays
from kdrec.models.teachers.two_tower.features import TowerFeatures
from kdrec.models.teachers.two_tower.state import (
    empty_row,
    features_of,
    row_signature,
    row_tokens,
    tower_state,
)

if TYPE_CHECKING:
    from kdrec.models.teachers.dcn_ranker.model import DcnModel, DcnOptions

BLOCK = 512  # rows that are scored at a time


@final
class DcnRanker(Teacher):
    """score = DCN(user's side, item's side); a user that training did not know, or none, is answered by the history.

    Args:
        model: trained.
        users, items: the features that it was built on.
    """

    name = "dcn_ranker"

    def __init__(self, model: "DcnModel", users: TowerFeatures, items: TowerFeatures, item_probabilities: np.ndarray):
        super().__init__(model.options.n_items)
        self.model, self.users, self.items, self.item_probabilities = model, users, items, item_probabilities

    def _scores(self, x: Inputs) -> np.ndarray:
        tokens = row_tokens(self.name, self.model.options, x)
        blocks = [
            self._score({name: array[start : start + BLOCK] for name, array in tokens.items()}, self._item_side)
            for start in range(0, rows_of(x), BLOCK)
        ]
        return np.concatenate([np.zeros((0, self.n_items), np.float32), *blocks])

    @cached_property
    def _item_side(self) -> Any:
        """v of every item, (n_items, embedding_dim) float32."""
        return self.model.embed_item(np.arange(1, self.n_items + 1, dtype=np.int32))

    @cached_property
    def _score(self) -> Any:
        import tensorflow as tf

        options = self.model.options
        items = tf.TensorSpec((options.n_items, 3 * options.embedding_dim), tf.float32)
        return tf.function(
            lambda x, items: self.model.scores(self.model.embed_user(x), items),
            input_signature=[row_signature(options), items],
        )

    def _write(self, folder: Path) -> dict[str, Any]:
        arrays, meta = tower_state(self.model, self.users, self.items)
        write_arrays(folder, {"item_probabilities": self.item_probabilities, **arrays})
        return meta


def built(
    options: "DcnOptions", users: TowerFeatures, items: TowerFeatures, item_probabilities: np.ndarray
) -> DcnRanker:
    """A teacher with fresh weights, all of them made."""
    from kdrec.models.teachers.dcn_ranker.model import DcnModel

    model = DcnModel(options, users, items, item_probabilities)
    user = model.embed_user(row_tokens(DcnRanker.name, options, empty_row(options)))
    model.logits(user[:, None], model.embed_item(np.ones(1, dtype=np.int32))[:, None])
    model.built = True
    return DcnRanker(model, users, items, item_probabilities)


def restore(folder: Path, meta: dict[str, Any]) -> DcnRanker:
    """The teacher that `save` wrote."""
    from kdrec.models.teachers.dcn_ranker.model import DcnOptions

    arrays = read_arrays(folder)
    options = meta["options"] | {name: tuple(meta["options"][name]) for name in ("towers", "layers")}
    users, items = (features_of(name, arrays, meta) for name in ("users", "items"))
    teacher = built(DcnOptions(**options), users, items, arrays["item_probabilities"])
    set_weights(teacher.model, arrays)
    return teacher

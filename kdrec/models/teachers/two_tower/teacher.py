"""A trained pair of towers as a teacher: all item vectors are computed once."""

from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np

from kdrec.errors import DataError
from kdrec.models.teachers.base import Inputs, Teacher, read_arrays, rows_of, write_arrays
from kdrec.models.teachers.two_tower.features import TowerFeatures

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
        return self._query(self._tokens(x)).numpy()

    def _scores(self, x: Inputs) -> np.ndarray:
        return self.user_embedding(x) @ self.item_embedding.T

    def _tokens(self, x: Inputs) -> dict[str, np.ndarray]:
        """What the model reads: the last tokens of each history; token 0 for users and contexts that are unknown."""
        options = self.model.options
        missing = [name for name in ("history", *options.context) if name not in x]
        if missing:
            raise DataError(
                f"teacher 'two_tower' reads {missing[0]!r}, and x holds {', '.join(sorted(x))}; add it, 0 for unknown"
            )
        history = np.asarray(x["history"], dtype=np.int32)[:, -options.history_length :]
        history = np.pad(history, [(0, 0), (options.history_length - history.shape[1], 0)])
        user = np.asarray(x.get("user", np.full(rows_of(x), -1)), dtype=np.int32)
        user = np.where((user >= 0) & (user < options.n_users), user + 1, 0).astype(np.int32)
        context = {name: np.asarray(x[name], dtype=np.int32) for name in options.context}
        return {"user": user, "history": history, **context}

    @cached_property
    def _query(self) -> Any:
        import tensorflow as tf

        options = self.model.options
        signature = {"history": tf.TensorSpec((None, options.history_length), tf.int32)}
        signature |= {name: tf.TensorSpec((None,), tf.int32) for name in ("user", *options.context)}
        return tf.function(self.model.embed_query, input_signature=[signature])

    def _write(self, folder: Path) -> dict[str, Any]:
        weights = {f"weight:{number}": weight for number, weight in enumerate(self.model.get_weights())}
        tables = {"users": self.users, "items": self.items}
        features = {f"{name}:{part}": array for name, table in tables.items() for part, array in table.arrays().items()}
        write_arrays(folder, {"item_probabilities": self.item_probabilities, **features, **weights})
        sizes = {name: table.n_tokens for name, table in tables.items()}
        return {"options": asdict(self.model.options), "feature_tokens": sizes}


def built(options: Any, users: TowerFeatures, items: TowerFeatures, item_probabilities: np.ndarray) -> TwoTower:
    """A teacher with fresh weights, all of them made."""
    from kdrec.models.teachers.two_tower.model import TwoTowerModel

    teacher = TwoTower(TwoTowerModel(options, users, items, item_probabilities), users, items, item_probabilities)
    empty = {"history": np.zeros((1, 1)), **{name: np.zeros(1) for name in options.context}}
    teacher.user_embedding(empty)
    teacher.model.embed_item(np.ones(1, dtype=np.int32))
    teacher.model.built = True
    return teacher


def restore(folder: Path, meta: dict[str, Any]) -> TwoTower:
    """The teacher that `save` wrote."""
    from kdrec.models.teachers.two_tower.model import TwoTowerOptions

    arrays = read_arrays(folder)
    options = meta["options"]
    users, items = (_features(name, arrays, meta) for name in ("users", "items"))
    teacher = built(
        TwoTowerOptions(**{**options, "layers": tuple(options["layers"])}), users, items, arrays["item_probabilities"]
    )
    count = sum(name.startswith("weight:") for name in arrays)
    teacher.model.set_weights([arrays[f"weight:{number}"] for number in range(count)])
    return teacher


def _features(name: str, arrays: dict[str, np.ndarray], meta: dict[str, Any]) -> TowerFeatures:
    parts = {part: arrays[f"{name}:{part}"] for part in ("tokens", "weights", "numbers")}
    return TowerFeatures(**parts, n_tokens=meta["feature_tokens"][name])

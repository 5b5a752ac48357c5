"""A trained sequence model as a teacher."""

from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np

from kdrec.models.teachers.base import Inputs, Teacher, read_arrays, set_weights, weights_of, write_arrays

if TYPE_CHECKING:
    from kdrec.models.teachers.sasrec.model import SasrecModel, SasrecOptions

BLOCK = 512  # rows that are read at a time: each has (heads, length, length) weights of its own


@final
class Sasrec(Teacher):
    """score_j = q · E_j, q the state after the last item of the history, whoever the user is.

    Args:
        model: trained.
    """

    name = "sasrec"
    provides = frozenset({"user_embedding", "item_embedding"})

    def __init__(self, model: "SasrecModel"):
        super().__init__(model.options.n_items)
        self.model = model

    @cached_property
    def item_embedding(self) -> np.ndarray:
        """E of every item, (n_items, embedding_dim) float32."""
        return self.model.item_embedding.numpy()

    def user_embedding(self, x: Inputs) -> np.ndarray:
        """q of each row, (rows, embedding_dim) float32."""
        length = self.model.options.history_length
        history = np.asarray(x["history"], dtype=np.int32)[:, -length:]
        history = np.pad(history, [(0, 0), (length - history.shape[1], 0)])
        blocks = [self._query(history[start : start + BLOCK]).numpy() for start in range(0, len(history), BLOCK)]
        return np.concatenate([np.zeros((0, self.model.options.embedding_dim), np.float32), *blocks])

    def _scores(self, x: Inputs) -> np.ndarray:
        return self.user_embedding(x) @ self.item_embedding.T

    @cached_property
    def _query(self) -> Any:
        import tensorflow as tf

        shape = (None, self.model.options.history_length)
        return tf.function(self.model.embed_query, input_signature=[tf.TensorSpec(shape, tf.int32)])

    def _write(self, folder: Path) -> dict[str, Any]:
        write_arrays(folder, weights_of(self.model))
        return {"options": asdict(self.model.options)}


def built(options: "SasrecOptions") -> Sasrec:
    """A teacher with fresh weights, all of them made."""
    from kdrec.models.teachers.sasrec.model import SasrecModel

    model = SasrecModel(options)
    model(np.zeros((1, options.history_length), np.int32))
    return Sasrec(model)


def restore(folder: Path, meta: dict[str, Any]) -> Sasrec:
    """The teacher that `save` wrote."""
    from kdrec.models.teachers.sasrec.model import SasrecOptions

    teacher = built(SasrecOptions(**meta["options"]))
    set_weights(teacher.model, read_arrays(folder))
    return teacher

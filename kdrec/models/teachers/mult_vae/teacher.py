"""A trained autoencoder as a teacher."""

from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np

from kdrec.models.teachers.base import Inputs, Teacher, read_arrays, set_weights, weights_of, write_arrays
from kdrec.models.teachers.mult_vae.batches import each_once

if TYPE_CHECKING:
    from kdrec.models.teachers.mult_vae.model import Autoencoder


@final
class MultVae(Teacher):
    """score_j = q · c_j, q decoded from what the history is encoded as, whoever the user is.

    Args:
        model: trained.
    """

    name = "mult_vae"
    provides = frozenset({"user_embedding", "item_embedding"})

    def __init__(self, model: "Autoencoder"):
        super().__init__(model.options.n_items)
        self.model = model

    @cached_property
    def item_embedding(self) -> np.ndarray:
        """c of every item, (n_items, width) float32; the last column holds the bias, where there is one."""
        return self.model.item_embedding.numpy()

    def user_embedding(self, x: Inputs) -> np.ndarray:
        """q of each row, (rows, width) float32."""
        return self._query(each_once(x["history"])).numpy()

    def _scores(self, x: Inputs) -> np.ndarray:
        return self.user_embedding(x) @ self.item_embedding.T

    @cached_property
    def _query(self) -> Any:
        import tensorflow as tf

        return tf.function(self.model.call, input_signature=[tf.TensorSpec((None, None), tf.int32)])

    def _write(self, folder: Path) -> dict[str, Any]:
        write_arrays(folder, weights_of(self.model))
        return {"options": asdict(self.model.options)}


def restore(folder: Path, meta: dict[str, Any]) -> MultVae:
    """The teacher that `save` wrote."""
    from kdrec.models.teachers.mult_vae.model import VaeOptions
    from kdrec.models.teachers.mult_vae.networks import network

    model = network(VaeOptions(**meta["options"]))
    set_weights(model, read_arrays(folder))
    return MultVae(model)

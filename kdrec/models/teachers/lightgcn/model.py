"""Two tables whose rows spread over the graph before they are multiplied."""

import tensorflow as tf
from scipy import sparse

from kdrec.models.teachers.lightgcn.graph import as_tensor, propagated
from kdrec.models.teachers.mf_bpr.model import FactorModel, FactorOptions


class LightGcnModel(FactorModel):
    """score = u · c / temperature, u and c the means of the layers of a user and an item.

    Args:
        options: shape and loss.
        adjacency: of the graph.
        graph_layers: how far vectors spread.
        temperature: of unit vectors; None: vectors keep their lengths, and scores are plain products.
    """

    def __init__(
        self, options: FactorOptions, adjacency: sparse.csr_matrix, graph_layers: int, temperature: float | None
    ):
        super().__init__(options)
        self._adjacency, self._graph_layers, self._temperature = as_tensor(adjacency), graph_layers, temperature

    def embedded(self) -> tuple[tf.Tensor, tf.Tensor]:
        spread = propagated(self._adjacency, tf.concat([self.users, self.items], axis=0), self._graph_layers)
        users, items = spread[: self.options.n_users], spread[self.options.n_users :]
        if self._temperature is None:
            return users, items
        return tf.math.l2_normalize(users, axis=1), tf.math.l2_normalize(items, axis=1) / self._temperature

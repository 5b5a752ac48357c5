"""Item tables and what reads them. Each layer becomes ops of every target's runtime, and may be pruned or clustered."""

import numpy as np
import tensorflow as tf
import tf_keras as keras

from kdrec.models.layers.unit_rows import unit_rows


@keras.utils.register_keras_serializable("kdrec")
class PaddingRow(keras.constraints.Constraint):
    """Keeps row 0 of a table at zero, so that padding adds nothing to a history under any optimizer."""

    def __call__(self, table: tf.Tensor) -> tf.Tensor:
        return table * tf.concat([tf.zeros_like(table[:1]), tf.ones_like(table[1:])], axis=0)


@keras.utils.register_keras_serializable("kdrec")
class UnitItemRows(PaddingRow):
    """The same, and all other rows at length 1.

    They are normalised in the forward pass, too, which leaves their length free. It would grow, so that steps turn a
    row less and less, and pruning, which compares entries of all rows, would spare the long ones.
    """

    def __call__(self, table: tf.Tensor) -> tf.Tensor:
        return unit_rows(super().__call__(table))


@keras.utils.register_keras_serializable("kdrec")
class TableInitializer(keras.initializers.Initializer):
    """Normal rows with a zero row 0.

    Args:
        stddev: standard deviation of an entry.
        seed: equal seeds give equal tables.
    """

    def __init__(self, stddev: float = 0.05, seed: int = 0):
        self.stddev, self.seed = stddev, seed

    def __call__(self, shape, dtype=None, **kwargs) -> tf.Tensor:
        rows = tf.random.stateless_normal(shape, [self.seed, 0], stddev=self.stddev, dtype=dtype or tf.float32)
        return PaddingRow()(rows)

    def get_config(self) -> dict:
        return {"stddev": self.stddev, "seed": self.seed}


@keras.utils.register_keras_serializable("kdrec")
class ItemTable(keras.layers.Layer):
    """One embedding table, handed out twice: the rows of a history, and the whole table for scoring.

    One call gives both, because a layer that holds another one is untied by `clone_model`, and a layer called twice
    counts a pruning step double.

    Args:
        n_items: items in the catalogue; the table has one row more, row 0, for padding.
        embedding_dim: width of a row.
        unit_rows: whether rows are normalised before they are used.
    """

    MATRICES = ("table",)

    def __init__(
        self, n_items: int, embedding_dim: int, stddev: float = 0.05, seed: int = 0, unit_rows: bool = False, **kwargs
    ):
        super().__init__(**kwargs)
        self.n_items, self.embedding_dim, self.stddev, self.seed = n_items, embedding_dim, stddev, seed
        self.unit_rows = unit_rows

    def build(self, input_shape) -> None:
        self.table = self.add_weight(
            "table",
            (self.n_items + 1, self.embedding_dim),
            initializer=TableInitializer(self.stddev, self.seed),
            constraint=UnitItemRows() if self.unit_rows else PaddingRow(),
        )
        super().build(input_shape)

    def call(self, history: tf.Tensor) -> list[tf.Tensor]:
        """history: (rows, length) tokens -> (rows, length, embedding_dim) and (n_items + 1, embedding_dim)."""
        table = self.shipped(self.table)
        return [tf.gather(table, history), tf.identity(table)]

    def shipped(self, table: tf.Tensor) -> tf.Tensor:
        """What is used of a matrix that is trained, and is a constant in the file; same shape."""
        return unit_rows(table) if self.unit_rows else table

    def fit(self, rows: np.ndarray) -> None:
        """Take over the rows of the items, (n_items, embedding_dim)."""
        self.table[1:].assign(rows)

    def get_prunable_weights(self) -> list[tf.Variable]:
        return [self.table]

    def get_clusterable_weights(self) -> list[tuple[str, tf.Variable]]:
        return [("table", self.table)]

    def get_clusterable_algorithm(self, weight_name: str) -> None:
        return None  # TFMOT's own

    def get_config(self) -> dict:
        own = {
            "n_items": self.n_items,
            "embedding_dim": self.embedding_dim,
            "stddev": self.stddev,
            "seed": self.seed,
            "unit_rows": self.unit_rows,
        }
        return {**super().get_config(), **own}


@keras.utils.register_keras_serializable("kdrec")
class TiedScores(keras.layers.Layer):
    """score_j = q · E_j for every item j; the padding row is sliced off, so padding can never be recommended.

    Args:
        n_items: how many rows after the padding row are scored; None scores them all.
    """

    def __init__(self, n_items: int | None = None, **kwargs):
        super().__init__(**kwargs)
        self.n_items = n_items

    def call(self, inputs: list[tf.Tensor]) -> tf.Tensor:
        """query: (rows, embedding_dim), table: (at least n_items + 1, embedding_dim) -> (rows, n_items)."""
        query, table = inputs
        end = None if self.n_items is None else self.n_items + 1
        return tf.matmul(query, table, transpose_b=True)[:, 1:end]

    def items(self, held: list[tf.Tensor]) -> tf.Tensor:
        """What `ItemTable` hands out beside the rows of a history -> (n_items, embedding_dim)."""
        return held[0][1:]

    def get_prunable_weights(self) -> list[tf.Variable]:
        return []

    def get_config(self) -> dict:
        return {**super().get_config(), "n_items": self.n_items}


@keras.utils.register_keras_serializable("kdrec")
class UntiedScores(keras.layers.Layer):
    """score_j = q · F_j with a scoring table F of its own."""

    MATRICES = ("table",)

    def __init__(self, n_items: int, seed: int = 0, unit_rows: bool = False, **kwargs):
        super().__init__(**kwargs)
        self.n_items, self.seed, self.unit_rows = n_items, seed, unit_rows

    def build(self, input_shape) -> None:
        initializer = keras.initializers.RandomNormal(stddev=0.05, seed=self.seed + 1)
        self.table = self.add_weight(
            "table", (self.n_items, input_shape[-1]), initializer=initializer,
            constraint=unit_rows if self.unit_rows else None,
        )  # fmt: skip
        super().build(input_shape)

    def call(self, query: tf.Tensor) -> tf.Tensor:
        """query: (rows, embedding_dim) -> (rows, n_items)."""
        return tf.matmul(query, self.shipped(self.table), transpose_b=True)

    def shipped(self, table: tf.Tensor) -> tf.Tensor:
        """As of `ItemTable`."""
        return unit_rows(table) if self.unit_rows else table

    def fit(self, rows: np.ndarray) -> None:
        """Take over the rows of the items, (n_items, embedding_dim)."""
        self.table.assign(rows)

    def get_prunable_weights(self) -> list[tf.Variable]:
        return [self.table]

    def get_clusterable_weights(self) -> list[tuple[str, tf.Variable]]:
        return [("table", self.table)]

    def get_clusterable_algorithm(self, weight_name: str) -> None:
        return None  # TFMOT's own

    def get_config(self) -> dict:
        return {**super().get_config(), "n_items": self.n_items, "seed": self.seed, "unit_rows": self.unit_rows}


@keras.utils.register_keras_serializable("kdrec")
class Boundary(keras.layers.Layer):
    """Passes its input on: its name marks where the host of an Edge TPU hands over to the device."""

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return tf.identity(inputs)

    def get_prunable_weights(self) -> list[tf.Variable]:
        return []

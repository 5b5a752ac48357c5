"""The hashed table: items share rows."""

import numpy as np
import tensorflow as tf
import tf_keras as keras

from kdrec.models.tables.base import CompressedScores, CompressedTable, ZeroRows, check_size, divided


def hashing(
    n_items: int, row_width: int, *, rows: int | None = None, item_counts=None, seed: int = 0
) -> tuple[keras.layers.Layer, keras.layers.Layer]:
    """E_i = T_(i mod rows): rows · row_width bytes in int8, whatever the catalogue holds.

    Items of one row are told apart by nothing, and their scores tie. The hash is the remainder, because a random one
    would have to be stored, two bytes an item.

    Args:
        n_items, row_width, item_counts: of the student; the last is not read.
        rows: of the table; a quarter of the items by default.
        seed: equal seeds give equal tables.

    Returns:
        The layer that reads a history, and the layer that scores a query.

    Raises:
        TrainingError: no row, or more rows than items.

    Source: Weinberger et al., Feature Hashing for Large Scale Multitask Learning, ICML 2009, arXiv:0902.2206.
    """
    rows = -(-n_items // 4) if rows is None else rows
    check_size("rows", rows, 1, n_items)
    return HashedTable(n_items, row_width, seed, rows=rows, name="item_table"), HashedScores(n_items, name="scores")


@keras.utils.register_keras_serializable("kdrec")
class HashedTable(CompressedTable):
    """Holds T, (rows + 1, embedding_dim) behind a zero row for padding."""

    MATRICES = ("table",)

    def __init__(self, *args, rows: int, **kwargs):
        super().__init__(*args, **kwargs)
        self.rows = rows

    def build(self, input_shape) -> None:
        self.table = self.matrix("table", self.rows + 1, self.embedding_dim, zeros=ZeroRows(0))
        super().build(input_shape)

    def call(self, history: tf.Tensor) -> list[tf.Tensor]:
        """history: (rows, length) tokens -> (rows, length, embedding_dim) and T."""
        _, bucket = divided(history + (self.rows - 1), self.rows)
        place = (bucket + 1) * tf.minimum(history, 1)  # of padding 0
        return [tf.gather(self.table, place), tf.identity(self.table)]

    def fit(self, rows: np.ndarray) -> None:
        """A shared row is the mean of those that its items would have."""
        bucket = np.arange(self.n_items) % self.rows
        sums = np.zeros((self.rows, rows.shape[1]))
        np.add.at(sums, bucket, rows)
        self.table[1:].assign(sums / np.bincount(bucket)[:, np.newaxis])

    def get_config(self) -> dict:
        return {**super().get_config(), "rows": self.rows}


@keras.utils.register_keras_serializable("kdrec")
class HashedScores(CompressedScores):
    """q · T of every row, repeated over the catalogue."""

    def scores(self, query: tf.Tensor, *held: tf.Tensor) -> tf.Tensor:
        own = tf.matmul(query, held[0], transpose_b=True)[:, 1:]  # (rows of the batch, rows of T)
        size, count = own.shape[1], -(-self.n_items // own.shape[1])
        repeated = tf.broadcast_to(own[:, tf.newaxis, :], (tf.shape(own)[0], count, size))
        return tf.reshape(repeated, (-1, count * size))[:, : self.n_items]

    def items(self, held: list[tf.Tensor]) -> tf.Tensor:
        return tf.gather(held[0], 1 + tf.range(self.n_items) % (held[0].shape[0] - 1))

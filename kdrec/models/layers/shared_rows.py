"""Between a whole catalogue and a table in which rare items share a row. They train a student; no file holds them."""

from collections.abc import Sequence

import tensorflow as tf
import tf_keras as keras


@keras.utils.register_keras_serializable("kdrec")
class HistoryRows(keras.layers.Layer):
    """The table rows that stand for the items of a history; items without one are skipped and leave no gap.

    Args:
        tokens: (n_items,) the row of each item, from 1 on; 0 for one that is skipped.

    >>> HistoryRows([1, 0, 2])(tf.constant([[1, 2, 3]])).numpy().tolist()
    [[0, 1, 2]]
    """

    def __init__(self, tokens: Sequence[int], **kwargs):
        super().__init__(**kwargs)
        self.tokens = list(tokens)

    def call(self, history: tf.Tensor) -> tf.Tensor:
        """history: (rows, length) tokens of the catalogue -> (rows, length) int32, right-aligned."""
        tokens = tf.gather(tf.constant([0, *self.tokens], tf.int32), history)
        order = tf.argsort(tf.minimum(tokens, 1), axis=1, stable=True)
        return tf.gather(tokens, order, batch_dims=1)

    def get_prunable_weights(self) -> list[tf.Variable]:
        return []

    def get_config(self) -> dict:
        return {**super().get_config(), "tokens": self.tokens}


@keras.utils.register_keras_serializable("kdrec")
class EveryItem(keras.layers.Layer):
    """Scores of the whole catalogue from those of a table whose last row stands for all rare items.

    In training a rare item has the score of the shared row: a softmax over the catalogue, and any loss that compares
    with a teacher of all items, stays defined. Otherwise it comes after everything: the shared row is no item.

    Args:
        rows: (n_items,) the row of each item, from 1 on; the largest is the shared one.

    >>> every = EveryItem([1, 3, 2, 3])
    >>> every(tf.constant([[5.0, 3.0, 4.0]]), training=True).numpy().tolist()
    [[5.0, 4.0, 3.0, 4.0]]
    >>> every(tf.constant([[5.0, 3.0, 4.0]])).numpy().tolist()
    [[5.0, 2.0, 3.0, 2.0]]
    """

    def __init__(self, rows: Sequence[int], **kwargs):
        super().__init__(**kwargs)
        self.rows = list(rows)

    def call(self, scores: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        """scores: (rows, rows of the table) -> (rows, n_items)."""
        if not training:
            last = tf.reduce_min(scores[:, :-1], axis=1, keepdims=True) - 1.0
            scores = tf.concat([scores[:, :-1], last], axis=1)
        return self.spread(scores, axis=1)

    def spread(self, of_rows: tf.Tensor, axis: int = 0) -> tf.Tensor:
        """What holds for each row of the table, for each item of the catalogue."""
        return tf.gather(of_rows, tf.constant(self.rows) - 1, axis=axis)

    def get_prunable_weights(self) -> list[tf.Variable]:
        return []

    def get_config(self) -> dict:
        return {**super().get_config(), "rows": self.rows}

"""One pair of models, the two-tower teacher and kdrec's student, written with the layers of Keras 2 or of Keras 3.

The teacher's item vectors are computed beforehand, as kdrec's own teacher does. Both read `user` and `history`.
"""

from typing import Any

import numpy as np
import tensorflow as tf

Arrays = dict[str, np.ndarray]


def teacher_weights(model: Any, item_embedding: np.ndarray) -> Arrays:
    """What `teacher_model` needs of a trained `TwoTowerModel` without features and context, read as sets."""
    tower = model.query_tower
    weights = {
        "item_ids": model.item_ids.get_weights(), "user_ids": [model.user_ids.get_weights()[0][1:]],
        "mix": model.mix.get_weights(), "norm": tower.norm.get_weights(), "out": tower.out.get_weights(),
        "scores": [item_embedding],
    }  # fmt: skip
    weights |= {f"hidden{number}": layer.get_weights() for number, layer in enumerate(tower.hidden)}
    return {f"{name}:{number}": array for name, arrays in weights.items() for number, array in enumerate(arrays)}


def teacher_model(keras: Any, weights: Arrays, history_length: int, reads: int) -> Any:
    """Scores (rows, n_items) of the query tower: of a history its last items count, alike.

    Args:
        keras: the module, `tf_keras` or `keras`.
        weights: from `teacher_weights`.
        history_length: width of the input.
        reads: how many of the last tokens the teacher reads.
    """

    class Last(keras.layers.Layer):
        def call(self, history):
            return history[:, -reads:]

    class Mean(keras.layers.Layer):
        def call(self, inputs):
            history, embedded = inputs
            present = tf.cast(history > 0, tf.float32)[:, tf.newaxis, :]  # (rows, 1, length)
            attention = tf.nn.softmax(-1e9 * (1.0 - present)) * present
            return tf.matmul(attention, embedded)[:, 0, :]

    class Scores(keras.layers.Layer):
        def build(self, shape):
            size = weights["scores:0"].shape
            self.items = self.add_weight(name="items", shape=size, initializer="zeros", trainable=False)
            super().build(shape)

        def call(self, query):
            return tf.matmul(query, self.items, transpose_b=True)

    (tokens, width), users = weights["item_ids:0"].shape, len(weights["user_ids:0"])
    layers = keras.layers
    history = keras.Input((history_length,), dtype="int32", name="history")
    user = keras.Input((), dtype="int32", name="user")
    last = Last(name="last")(history)
    pooled = Mean(name="mean")([last, layers.Embedding(tokens, width, name="item_ids")(last)])
    mixed = layers.Dense(width, name="mix")(pooled)
    query = layers.Add(name="query")([mixed, layers.Embedding(users, width, name="user_ids")(user)])
    deep = layers.LayerNormalization(name="norm")(query)
    hidden = sorted({name.partition(":")[0] for name in weights if name.startswith("hidden")})
    for name in hidden:
        deep = layers.Dense(weights[f"{name}:0"].shape[1], "relu", name=name)(deep)
    query = layers.Add(name="tower")([query, layers.Dense(width, name="out")(deep)])
    model = keras.Model({"user": user, "history": history}, Scores(name="scores")(query), name="teacher")
    for name in ("item_ids", "user_ids", "mix", "norm", *hidden, "out", "scores"):
        model.get_layer(name).set_weights([weights[key] for key in weights if key.partition(":")[0] == name])
    return model


def student_model(keras: Any, weights: Arrays, history_length: int) -> Any:
    """`kdrec.models.students.history` of sets with the encoder `mean`, layer for layer, in Keras 3.

    Args:
        keras: the module.
        weights: of kdrec's student, by layer and number.
        history_length: width of the input.
    """

    class PaddingRow(keras.constraints.Constraint):
        def __call__(self, table):
            return table * tf.concat([tf.zeros_like(table[:1]), tf.ones_like(table[1:])], axis=0)

    class ItemTable(keras.layers.Layer):
        def build(self, shape):
            size = weights["item_table:0"].shape
            self.table = self.add_weight(name="table", shape=size, initializer="zeros", constraint=PaddingRow())
            super().build(shape)

        def call(self, history):
            return [tf.gather(self.table.value, history), tf.identity(self.table.value)]

    class HistoryMean(keras.layers.Layer):
        def call(self, inputs):
            history, embedded = inputs
            present = tf.gather(tf.constant([0.0, 1.0]), tf.minimum(history, 1))
            first = tf.argmax(present, axis=1, output_type=tf.int32)
            scales = tf.constant([float((history_length - first) ** -0.5) for first in range(history_length)])
            pooling = present * tf.gather(scales, first)[:, tf.newaxis]
            return tf.matmul(pooling[:, tf.newaxis, :], embedded)[:, 0, :]

    class TiedScores(keras.layers.Layer):
        def call(self, inputs):
            query, table = inputs
            return tf.matmul(query, table, transpose_b=True)[:, 1:]

    layers = keras.layers
    width, hidden = weights["residual:0"].shape[1], weights["hidden:0"].shape[1]
    history = keras.Input((history_length,), dtype="int32", name="history")
    user = keras.Input((), dtype="int32", name="user")
    embedded, table = ItemTable(name="item_table")(history)
    pooled = HistoryMean(name="history_mean")([history, embedded])
    deep = layers.Dense(width, use_bias=False, name="residual")(layers.Dense(hidden, "relu", name="hidden")(pooled))
    query = layers.Add(name="query")([layers.Dense(width, name="linear")(pooled), deep])
    model = keras.Model({"user": user, "history": history}, TiedScores(name="scores")([query, table]), name="student")
    for name in ("item_table", "linear", "hidden", "residual"):
        model.get_layer(name).set_weights([weights[key] for key in weights if key.partition(":")[0] == name])
    return model


def student_weights(student: Any) -> Arrays:
    """What `student_model` needs of kdrec's student."""
    layers = [student.get_layer(name) for name in ("item_table", "linear", "hidden", "residual")]
    return {f"{layer.name}:{n}": array for layer in layers for n, array in enumerate(layer.get_weights())}

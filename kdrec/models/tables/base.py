"""What compressed item tables share. Their ops run in int8 on LiteRT and on TensorFlow Lite Micro."""

from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras as keras

from kdrec.errors import TrainingError

DIGIT = 128  # values of a non-negative int8


@keras.utils.register_keras_serializable("kdrec")
class ZeroRows(keras.constraints.Constraint):
    """Keeps the rows start, start + step, … of a matrix at zero; without a step, one row."""

    def __init__(self, start: int, step: int | None = None):
        self.start, self.step = start, step

    def __call__(self, matrix: tf.Tensor) -> tf.Tensor:
        kept = np.ones((matrix.shape[0], 1), np.float32)
        kept[self.start :: self.step or matrix.shape[0]] = 0
        return matrix * kept

    def get_config(self) -> dict:
        return {"start": self.start, "step": self.step}


@keras.utils.register_keras_serializable("kdrec")
class NormalRows(keras.initializers.Initializer):
    """Normal numbers, and zero where a constraint wants it."""

    def __init__(self, stddev: float, seed: int, zeros: ZeroRows | None = None):
        self.stddev, self.seed, self.zeros = stddev, seed, zeros

    def __call__(self, shape, dtype=None, **kwargs) -> tf.Tensor:
        rows = tf.random.stateless_normal(shape, [self.seed, 0], stddev=self.stddev, dtype=dtype or tf.float32)
        return rows if self.zeros is None else self.zeros(rows)


class CompressedTable(keras.layers.Layer):
    """Looks the rows of a history up, and hands on what scoring reads: call(history) -> [rows, *held].

    The row of token 0, padding, is zero. A variant names its matrices, looks up (`call`), and takes rows over (`fit`).

    Args:
        n_items: items in the catalogue.
        embedding_dim: width of a row as the student reads it.
        seed: equal seeds give equal tables.
    """

    MATRICES: tuple[str, ...] = ()  # attributes that hold what scoring multiplies, each (rows, width)

    def __init__(self, n_items: int, embedding_dim: int, seed: int = 0, **kwargs):
        super().__init__(**kwargs)
        self.n_items, self.embedding_dim, self.seed = n_items, embedding_dim, seed

    def matrix(
        self, name: str, rows: int, width: int, *, zeros: ZeroRows | None = None, stddev: float = 0.05, shift: int = 0
    ) -> tf.Variable:
        """A trainable matrix of normal numbers, with rows that are zero and stay so.

        Args:
            name: of the weight.
            rows, width: its shape.
            zeros: which rows; None for none.
            stddev: of a number.
            shift: tells the matrices of one layer apart.
        """
        begin = NormalRows(stddev, self.seed + shift, zeros)
        return self.add_weight(name, (rows, width), initializer=begin, constraint=zeros)

    def vector(self, name: str, initializer: Any = "zeros") -> tf.Variable:
        """(n_items + 1,) int8, a number a token that is not trained: one byte an item."""
        return self.add_weight(name, (self.n_items + 1,), dtype=tf.int8, initializer=initializer, trainable=False)

    def fit(self, rows: np.ndarray) -> None:
        """Set the weights so that items have nearly these rows, (n_items, embedding_dim)."""
        raise NotImplementedError

    def get_prunable_weights(self) -> list[tf.Variable]:
        return [getattr(self, name) for name in self.MATRICES]

    def get_clusterable_weights(self) -> list[tuple[str, tf.Variable]]:
        return [(name, getattr(self, name)) for name in self.MATRICES]

    def get_clusterable_algorithm(self, weight_name: str) -> None:
        return None  # TFMOT's own

    def get_config(self) -> dict:
        own = {"n_items": self.n_items, "embedding_dim": self.embedding_dim, "seed": self.seed}
        return {**super().get_config(), **own}


class CompressedScores(keras.layers.Layer):
    """score_j = q · E_j of every item, from what a table holds and never from a table of n_items rows.

    While it is trained the rows are put together instead: the gradients of lookups in scores are slow.

    Args:
        n_items: items in the catalogue.
    """

    def __init__(self, n_items: int, **kwargs):
        super().__init__(**kwargs)
        self.n_items = n_items

    def call(self, inputs: list[tf.Tensor], training: bool | None = None) -> tf.Tensor:
        """query: (rows, embedding_dim), and what the table holds -> (rows, n_items)."""
        query, *held = inputs
        if training:
            return tf.matmul(query, self.items(held), transpose_b=True)
        return self.scores(query, *held)

    def scores(self, query: tf.Tensor, *held: tf.Tensor) -> tf.Tensor:
        """(rows, n_items) as the device computes them."""
        raise NotImplementedError

    def items(self, held: list[tf.Tensor]) -> tf.Tensor:
        """(n_items, embedding_dim): the table that the held parts stand for."""
        raise NotImplementedError

    def get_prunable_weights(self) -> list[tf.Variable]:
        return []

    def get_config(self) -> dict:
        return {**super().get_config(), "n_items": self.n_items}


def divided(tokens: tf.Tensor, by: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Quotient and remainder of int32 numbers below 2²⁴.

    In float32, where both are exact: TensorFlow Lite Micro divides no integers.

    >>> quotient, remainder = divided(tf.constant([0, 7, 8]), 4)
    >>> quotient.numpy().tolist(), remainder.numpy().tolist()
    ([0, 1, 2], [0, 3, 0])
    """
    real = tf.cast(tokens, tf.float32)
    quotient, remainder = tf.math.floordiv(real, float(by)), tf.math.floormod(real, float(by))
    return tf.cast(quotient, tf.int32), tf.cast(remainder, tf.int32)


def of_items(vector: tf.Tensor, history: tf.Tensor) -> tf.Tensor:
    """(n_items,): a vector of (n_items + 1,) without padding, as a device cuts it off.

    The cut begins at 1 + min(token, 0) = 1. A constant would do, but then the converter casts the vector itself, and
    stores four bytes an item for one.
    """
    return tf.slice(vector, 1 + tf.minimum(history[0, :1], 0), [vector.shape[0] - 1])


def check_size(option: str, value: int, least: int, most: int) -> None:
    """Refuse an option of a table that is out of range.

    Raises:
        TrainingError: which one, and its range.
    """
    if not least <= value <= most:
        raise TrainingError(f"table option {option} must be {least} to {most}, not {value}; choose one between")

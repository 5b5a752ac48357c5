"""The table of two widths: popular items have full rows, the others narrow ones that a matrix widens."""

import numpy as np
import tensorflow as tf
import tf_keras as keras

from kdrec.errors import TrainingError
from kdrec.models.tables.base import DIGIT, CompressedScores, CompressedTable, ZeroRows, check_size, of_items


def adaptive(
    n_items: int, row_width: int, *, head: float = 0.2, tail_dim: int | None = None, item_counts=None, seed: int = 0
) -> tuple[keras.layers.Layer, keras.layers.Layer]:
    """E_i = H_i for the most popular items, T_i P for the others: T has tail_dim columns, P widens them.

    An item's place in H or T costs one byte in a catalogue below 128 items, two below 16,384, else three.

    Args:
        n_items, row_width: of the student.
        head: share of the items that have full rows.
        tail_dim: width of the others' rows; a quarter of row_width by default.
        item_counts: (n_items,) how often each was chosen; without them the first items are the popular ones.
        seed: equal seeds give equal tables.

    Returns:
        The layer that reads a history, and the layer that scores a query.

    Raises:
        TrainingError: a share that leaves no head or no tail, or a tail that is not narrower.

    Source: Ginart et al., Mixed Dimension Embeddings, 2019, arXiv:1909.11810; Baevski and Auli, Adaptive Input
    Representations, ICLR 2019, arXiv:1809.10853.
    """
    full_rows = round(head * n_items)
    if not 0 < full_rows < n_items:
        raise TrainingError(
            f"table option head must be a share of the {n_items} items that leaves some and not all, not {head}"
        )
    tail_dim = max(1, row_width // 4) if tail_dim is None else tail_dim
    check_size("tail_dim", tail_dim, 1, row_width - 1)
    table = AdaptiveTable(n_items, row_width, seed, head=full_rows, tail_dim=tail_dim, name="item_table")
    table.build(None)
    table.order(np.zeros(n_items) if item_counts is None else item_counts)
    return table, AdaptiveScores(n_items, name="scores")


@keras.utils.register_keras_serializable("kdrec")
class AdaptiveTable(CompressedTable):
    """Holds H, T, P and the place of every token.

    Places 0 … head − 1 are rows of H, `head` is padding, what comes after are rows of T: the last row of H and the
    first one of T are zero, so a row is H[min(place, head)] + T[max(place, head) − head] P. A place is stored by its
    digits, each an int8.
    """

    MATRICES = ("head_rows", "tail_rows")

    def __init__(self, *args, head: int, tail_dim: int, **kwargs):
        super().__init__(*args, **kwargs)
        self.head, self.tail_dim = head, tail_dim

    def build(self, input_shape) -> None:
        width, tail = self.embedding_dim, self.n_items - self.head
        self.head_rows = self.matrix("head_rows", self.head + 1, width, zeros=ZeroRows(self.head))
        self.tail_rows = self.matrix("tail_rows", tail + 1, self.tail_dim, zeros=ZeroRows(0), shift=1)
        self.projection = self.matrix("projection", self.tail_dim, width, stddev=self.tail_dim**-0.5, shift=2)
        count = next(digits for digits in range(1, 9) if self.n_items < DIGIT**digits)
        self.digits = [self.vector(f"digits_{digit}") for digit in range(count)]
        self.order(np.zeros(self.n_items))
        super().build(input_shape)

    def order(self, item_counts: np.ndarray) -> None:
        """Give the items their places, the most popular first; of equals the first one."""
        ranked = np.argsort(-np.asarray(item_counts), kind="stable")
        places = np.full(self.n_items + 1, self.head)
        places[1 + ranked] = np.delete(np.arange(self.n_items + 1), self.head)
        for number, digit in enumerate(self.digits):
            digit.assign((places // DIGIT**number % DIGIT).astype(np.int8))

    def call(self, history: tf.Tensor) -> list[tf.Tensor]:
        """history: (rows, length) tokens -> (rows, length, embedding_dim), H, T, P, and the digits of each place."""
        place = number([tf.gather(digit, history) for digit in self.digits])
        popular = tf.gather(self.head_rows, tf.minimum(place, self.head))
        other = tf.gather(self.tail_rows, tf.maximum(place, self.head) - self.head)
        held = [tf.identity(matrix) for matrix in (self.head_rows, self.tail_rows, self.projection)]
        return [popular + tf.matmul(other, self.projection), *held, *(of_items(each, history) for each in self.digits)]

    def fit(self, rows: np.ndarray) -> None:
        """Popular rows as they are; of the others the first singular vectors."""
        places = sum(digit.numpy().astype(int) * DIGIT**number for number, digit in enumerate(self.digits))[1:]
        popular = places < self.head
        head, tail = self.head_rows.numpy(), self.tail_rows.numpy()
        head[places[popular]] = rows[popular]
        left, values, right = np.linalg.svd(rows[~popular], full_matrices=False)
        kept = min(self.tail_dim, len(values))
        root, projection = np.sqrt(values[:kept]), self.projection.numpy()
        tail[places[~popular] - self.head] = 0
        tail[places[~popular] - self.head, :kept] = left[:, :kept] * root
        projection[:kept] = root[:, np.newaxis] * right[:kept]
        for weight, value in ((self.head_rows, head), (self.tail_rows, tail), (self.projection, projection)):
            weight.assign(value)

    def get_config(self) -> dict:
        return {**super().get_config(), "head": self.head, "tail_dim": self.tail_dim}


@keras.utils.register_keras_serializable("kdrec")
class AdaptiveScores(CompressedScores):
    """q · H and (q Pᵀ) · T, then each item takes the score at its place."""

    def scores(self, query: tf.Tensor, *held: tf.Tensor) -> tf.Tensor:
        head, tail, projection, *digits = held
        narrow = tf.matmul(query, projection, transpose_b=True)
        both = [tf.matmul(query, head, transpose_b=True), tf.matmul(narrow, tail, transpose_b=True)[:, 1:]]
        return tf.gather(tf.concat(both, axis=1), number(digits), axis=1)

    def items(self, held: list[tf.Tensor]) -> tf.Tensor:
        head, tail, projection, *digits = held
        return tf.gather(tf.concat([head, tf.matmul(tail, projection)[1:]], axis=0), number(digits))


def number(digits: list[tf.Tensor]) -> tf.Tensor:
    """Digits of base 128, lowest first, int8, as int32.

    >>> int(number([tf.constant(5, tf.int8), tf.constant(2, tf.int8)]))
    261
    """
    first, *others = [tf.cast(digit, tf.int32) for digit in digits]
    for power, digit in enumerate(others, start=1):
        first += DIGIT**power * digit
    return first

"""The quotient-remainder table: an item's row is made of two, one of its quotient and one of its remainder."""

import numpy as np
import tensorflow as tf
import tf_keras as keras

from kdrec.errors import TrainingError
from kdrec.models.tables.base import CompressedScores, CompressedTable, ZeroRows, check_size, divided

OPERATIONS = ("product", "sum")
ROUNDS = 10  # of alternating least squares, when rows are taken over


def quotient_remainder(
    n_items: int,
    row_width: int,
    *,
    rows: int | None = None,
    operation: str = "product",
    item_counts=None,
    seed: int = 0,
) -> tuple[keras.layers.Layer, keras.layers.Layer]:
    """E_i = Q_(i div rows) ∘ R_(i mod rows), or their sum: (rows + n_items / rows) · row_width bytes in int8.

    Scores of the whole catalogue are two small products: of a sum q · Q_a + q · R_b, of a product (q ∘ Q_a) · R_b. No
    table of n_items rows is ever made. Under a sum, every user has the items of all quotients in one order.

    Args:
        n_items, row_width, item_counts: of the student; the last is not read.
        rows: of R; by default √n_items, which needs fewest bytes.
        operation: product or sum.
        seed: equal seeds give equal tables.

    Returns:
        The layer that reads a history, and the layer that scores a query.

    Raises:
        TrainingError: rows out of range, or no such operation.

    Source: Shi et al., Compositional Embeddings Using Complementary Partitions for Memory-Efficient Recommendation
    Systems, KDD 2020, arXiv:1909.02107.
    """
    rows = int(np.ceil(n_items**0.5)) if rows is None else rows
    check_size("rows", rows, 1, n_items)
    if operation not in OPERATIONS:
        raise TrainingError(f"table option operation must be one of {', '.join(OPERATIONS)}, not {operation!r}")
    table = QuotientRemainderTable(n_items, row_width, seed, rows=rows, operation=operation, name="item_table")
    return table, QuotientRemainderScores(n_items, operation=operation, name="scores")


@keras.utils.register_keras_serializable("kdrec")
class QuotientRemainderTable(CompressedTable):
    """Holds Q, (1 + n_items / rows, embedding_dim) whose row 0 is zero, and R, (rows, embedding_dim).

    Token t has the quotient and the remainder of t + rows − 1: padding has quotient 0 and the last remainder, an item
    i = t − 1 those of i, the quotient one higher. So Q_0 = 0 makes padding zero in a product. In a sum the last row of
    R must be zero, too, which costs nothing: Q + c and R − c are the same table.
    """

    MATRICES = ("quotients", "remainders")

    def __init__(self, *args, rows: int, operation: str, **kwargs):
        super().__init__(*args, **kwargs)
        self.rows, self.operation = rows, operation

    def build(self, input_shape) -> None:
        is_sum = self.operation == "sum"
        stddev = 0.05 / 2**0.5 if is_sum else 0.05**0.5  # so that a number of a row has 0.05
        count, width = -(-self.n_items // self.rows), self.embedding_dim
        last = ZeroRows(self.rows - 1) if is_sum else None
        self.quotients = self.matrix("quotients", count + 1, width, zeros=ZeroRows(0), stddev=stddev)
        self.remainders = self.matrix("remainders", self.rows, width, zeros=last, stddev=stddev, shift=1)
        super().build(input_shape)

    def call(self, history: tf.Tensor) -> list[tf.Tensor]:
        """history: (rows, length) tokens -> (rows, length, embedding_dim), Q and R."""
        quotient, remainder = divided(history + (self.rows - 1), self.rows)
        first, second = tf.gather(self.quotients, quotient), tf.gather(self.remainders, remainder)
        together = first + second if self.operation == "sum" else first * second
        return [together, tf.identity(self.quotients), tf.identity(self.remainders)]

    def fit(self, rows: np.ndarray) -> None:
        """Least squares, by turns; a product begins with the first singular vectors of each channel."""
        count, width = -(-self.n_items // self.rows), rows.shape[1]
        padded = np.pad(rows, ((0, count * self.rows - self.n_items), (0, 0)), constant_values=np.nan)
        grid = padded.reshape(count, self.rows, width)
        if self.operation == "sum":
            remainders = np.zeros((self.rows, width))
            for _ in range(ROUNDS):
                quotients = np.nanmean(grid - remainders, axis=1)
                remainders = np.nanmean(grid - quotients[:, np.newaxis], axis=0)
            quotients, remainders = quotients + remainders[-1], remainders - remainders[-1]
        else:
            _, values, right = np.linalg.svd(np.nan_to_num(grid).transpose(2, 0, 1), full_matrices=False)
            remainders = (np.sqrt(values[:, :1]) * right[:, 0]).T
            for _ in range(ROUNDS):
                quotients = best_factor(grid, remainders[np.newaxis], axis=1)
                remainders = best_factor(grid, quotients[:, np.newaxis], axis=0)
        self.quotients[1:].assign(quotients)
        self.remainders.assign(remainders)

    def get_config(self) -> dict:
        return {**super().get_config(), "rows": self.rows, "operation": self.operation}


def best_factor(grid: np.ndarray, other: np.ndarray, axis: int) -> np.ndarray:
    """The x that makes the mean square of grid − x · other least along an axis; what is nan does not count.

    >>> best_factor(np.array([[2.0, 6.0, np.nan]]), np.array([[1.0, 3.0, 5.0]]), axis=1).tolist()
    [2.0]
    """
    squares = np.where(np.isnan(grid), 0.0, other**2).sum(axis=axis)
    return np.nansum(grid * other, axis=axis) / np.maximum(squares, 1e-12)


@keras.utils.register_keras_serializable("kdrec")
class QuotientRemainderScores(CompressedScores):
    """The scores of every pair of quotient and remainder, which are the items in their order."""

    def __init__(self, *args, operation: str, **kwargs):
        super().__init__(*args, **kwargs)
        self.operation = operation

    def scores(self, query: tf.Tensor, *held: tf.Tensor) -> tf.Tensor:
        quotients, remainders = held
        count, rows = quotients.shape[0], remainders.shape[0]
        if self.operation == "sum":
            of_quotients = tf.matmul(query, quotients, transpose_b=True)[:, :, tf.newaxis]
            pairs = of_quotients + tf.matmul(query, remainders, transpose_b=True)[:, tf.newaxis, :]
        else:
            turned = tf.reshape(query[:, tf.newaxis, :] * quotients, (-1, query.shape[1]))  # (batch · count, width)
            pairs = tf.matmul(turned, remainders, transpose_b=True)
        return tf.reshape(pairs, (-1, count * rows))[:, rows : rows + self.n_items]  # without the quotient of padding

    def items(self, held: list[tf.Tensor]) -> tf.Tensor:
        first, second = held[0][:, tf.newaxis, :], held[1]
        pairs = first + second if self.operation == "sum" else first * second
        rows = second.shape[0]
        return tf.reshape(pairs, (-1, second.shape[1]))[rows : rows + self.n_items]

    def get_config(self) -> dict:
        return {**super().get_config(), "operation": self.operation}

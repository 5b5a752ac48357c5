"""What initialisers share: where a student keeps its item tables, and the singular vectors of a large matrix."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras as keras

from kdrec.errors import TrainingError

OVERSAMPLING, ROUNDS = 10, 8  # of the subspace iteration: enough for the leading vectors of scores


def set_item_rows(student: keras.Model, rows: np.ndarray) -> None:
    """Give every item its first columns: in the table that a history reads, and in that of scoring where it is another.

    A table of fewer bytes takes what is nearest. All are scaled by one factor, so that their standard deviation is that
    of the values they replace: dot products keep their proportions, and training starts at the size that its learning
    rate is meant for. Where `rows` has fewer columns than the table, the table's other columns stay random.

    Args:
        student: a model of `kdrec.models.students`.
        rows: (n_items, at most embedding_dim).
    """
    for layer in (layer for layer in student.layers if layer.name in ("item_table", "item_scores")):
        table = item_rows(student, layer.name).copy()
        replaced = table[:, : rows.shape[1]]
        spread = float(rows.std())
        table[:, : rows.shape[1]] = rows * (replaced.std() / spread if spread else 1.0)
        layer.fit(table)


def item_rows(student: keras.Model, name: str = "item_table") -> np.ndarray:
    """(n_items, embedding_dim): the rows that a layer of a student, `item_table` or `item_scores`, has for the items.

    >>> from kdrec.models.students.history import history
    >>> item_rows(history(40, embedding_dim=8, history_length=6, table="hashing")).shape
    (40, 8)
    """
    layer = student.get_layer(name)
    if name == "item_scores":
        return layer.shipped(layer.table).numpy()
    return layer(tf.range(1, layer.n_items + 1)[tf.newaxis])[0][0].numpy()  # a history of the whole catalogue


def sizes(student: keras.Model) -> tuple[int, int]:
    """(n_items, embedding_dim) of a student."""
    layer = student.get_layer("item_table")
    return layer.n_items, layer.embedding_dim


def asked(given: Any, field: str, initialiser: str) -> Any:
    """What an initialiser needs of the teacher, if it was given.

    Raises:
        TrainingError: it was not.
    """
    if given is None:
        raise TrainingError(
            f"initialiser {initialiser!r} needs the teacher's {field}, and was given none; choose a teacher that "
            f"provides it, or initialiser 'random'"
        )
    return given


def check_items(shape: tuple[int, ...], axis: int, n_items: int, field: str) -> None:
    """The teacher must speak of the student's items.

    Raises:
        TrainingError: of others, or more or fewer.
    """
    if len(shape) != 2 or shape[axis] != n_items:
        wanted = ("(n_items, width)", "(users, n_items)")[axis]
        raise TrainingError(f"{field} must be {wanted} with n_items={n_items}, not of shape {tuple(shape)}")


def right_singular(blocks: Sequence[Any], k: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """The k largest singular values of a matrix, and their right vectors, by subspace iteration.

    X ← orthonormal(RᵀR X), several times from random columns; then the small problem (RX)ᵀ(RX) is solved exactly. The
    matrix is only ever multiplied, a block of its rows at a time, so that neither it nor RᵀR need be in memory.

    Args:
        blocks: the rows of R, (rows, columns) each, dense or sparse.
        k: how many; at most `columns`.
        seed: of the random columns.

    Returns:
        (k,) values, largest first, and (columns, k) vectors; the largest entry of each vector is positive.

    Source: Halko, Martinsson and Tropp, 2011, arXiv:0909.4061, algorithm 4.4.

    >>> values, vectors = right_singular([np.array([[3.0, 0.0]]), np.array([[0.0, 2.0]])], k=1)
    >>> values.round(6).tolist(), vectors.round(6).tolist()
    ([3.0], [[1.0], [0.0]])
    """
    columns = blocks[0].shape[1]
    found = np.random.default_rng(seed).normal(size=(columns, min(columns, k + OVERSAMPLING)))
    for _ in range(ROUNDS):
        found = np.linalg.qr(sum(block.T @ (block @ found) for block in blocks))[0]
    products = [block @ found for block in blocks]
    squares, turn = np.linalg.eigh(sum(product.T @ product for product in products))  # smallest first
    vectors = (found @ turn)[:, ::-1][:, :k]
    return np.sqrt(np.maximum(squares[::-1][:k], 0.0)), upright(vectors)


def upright(vectors: np.ndarray) -> np.ndarray:
    """Columns whose entry of largest size is positive: a singular vector's sign is else an accident of the library."""
    largest = np.take_along_axis(vectors, np.abs(vectors).argmax(axis=0)[np.newaxis], axis=0)
    return vectors * np.where(largest < 0, -1.0, 1.0)

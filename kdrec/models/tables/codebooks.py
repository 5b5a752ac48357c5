"""The table of codes: an item's row is put together from pieces that items share, and a byte names each piece."""

import warnings

import numpy as np
import tensorflow as tf
import tf_keras as keras
from scipy.cluster.vq import kmeans2

from kdrec.errors import TrainingError
from kdrec.models.tables.base import DIGIT, CompressedScores, CompressedTable, ZeroRows, check_size, of_items


def codebooks(
    n_items: int, row_width: int, *, books: int = 8, pieces: int = 64, item_counts=None, seed: int = 0
) -> tuple[keras.layers.Layer, keras.layers.Layer]:
    """E_i = C_1[c_i1] ‖ … ‖ C_M[c_iM], M = books: n_items · M + pieces · row_width bytes in int8.

    Product quantization. Codes are chosen by k-means when the table takes rows over, those of a trained student or of
    a teacher; the pieces are trained on with the codes as they are. Without rows to begin with, codes are random, as
    of M hash functions at once.

    Args:
        n_items, row_width, item_counts: of the student; the last is not read.
        books: codes of an item, a byte each; they divide row_width.
        pieces: entries of a codebook, of which the first is zero; at most 128, so that a code is an int8.
        seed: equal seeds give equal tables.

    Returns:
        The layer that reads a history, and the layer that scores a query.

    Raises:
        TrainingError: books that do not divide the width, or pieces out of range.

    Source: Jégou, Douze and Schmid, Product Quantization for Nearest Neighbor Search, TPAMI 2011,
    doi:10.1109/TPAMI.2010.57.
    """
    if books < 1 or row_width % books:
        raise TrainingError(f"table option books must divide embedding_dim={row_width}, and {books} does not")
    check_size("pieces", pieces, 2, min(DIGIT, n_items + 1))
    table = CodeTable(n_items, row_width, seed, books=books, pieces=pieces, name="item_table")
    return table, CodeScores(n_items, name="scores")


@keras.utils.register_keras_serializable("kdrec")
class RandomCodes(keras.initializers.Initializer):
    """A code from 1 for every item, 0 for padding."""

    def __init__(self, pieces: int, seed: int):
        self.pieces, self.seed = pieces, seed

    def __call__(self, shape, dtype=None, **kwargs) -> tf.Tensor:
        codes = tf.random.stateless_uniform(shape, [self.seed, 1], 1, self.pieces, tf.int32)
        return tf.cast(codes * tf.minimum(tf.range(shape[0]), 1), dtype or tf.int8)

    def get_config(self) -> dict:
        return {"pieces": self.pieces, "seed": self.seed}


@keras.utils.register_keras_serializable("kdrec")
class CodeTable(CompressedTable):
    """Holds all codebooks one below the other, (books · pieces, embedding_dim / books), and a code a token and book."""

    MATRICES = ("table",)

    def __init__(self, *args, books: int, pieces: int, **kwargs):
        super().__init__(*args, **kwargs)
        self.books, self.pieces = books, pieces

    def build(self, input_shape) -> None:
        rows, width = self.books * self.pieces, self.embedding_dim // self.books
        self.table = self.matrix("table", rows, width, zeros=ZeroRows(0, self.pieces))  # padding is of zero pieces
        self.codes = [
            self.vector(f"codes_{book}", RandomCodes(self.pieces, self.seed + book)) for book in range(self.books)
        ]
        super().build(input_shape)

    def call(self, history: tf.Tensor) -> list[tf.Tensor]:
        """history: (rows, length) tokens -> (rows, length, embedding_dim), the codebooks, and each item's codes."""
        length = history.shape[1]
        codes = [tf.cast(tf.gather(codes, history), tf.int32) for codes in self.codes]
        places = tf.stack([code + book * self.pieces for book, code in enumerate(codes)], axis=2)
        rows = tf.reshape(tf.gather(self.table, places), (-1, length, self.embedding_dim))
        return [rows, tf.identity(self.table), *(of_items(codes, history) for codes in self.codes)]

    def fit(self, rows: np.ndarray) -> None:
        """The codes of k-means in each block of channels; of no block an item takes the zero piece."""
        blocks = np.split(rows.astype(np.float64), self.books, axis=1)
        table = self.table.numpy().reshape(self.books, self.pieces, -1)
        for book, block in enumerate(blocks):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # a piece that no item takes is no fault
                table[book, 1:], label = kmeans2(block, self.pieces - 1, minit="++", rng=self.seed + book)
            self.codes[book].assign(np.concatenate([[0], 1 + label]).astype(np.int8))
        self.table.assign(table.reshape(self.table.shape))

    def get_config(self) -> dict:
        return {**super().get_config(), "books": self.books, "pieces": self.pieces}


@keras.utils.register_keras_serializable("kdrec")
class CodeScores(CompressedScores):
    """Each block of the query times every piece, then for each item the sum of what its codes name.

    One product multiplies all blocks with all codebooks, of which each block needs its own: more sums than are needed,
    fewer than those of a full table, and the file holds the codebooks once.
    """

    def scores(self, query: tf.Tensor, *held: tf.Tensor) -> tf.Tensor:
        table, *codes = held
        books, size = len(codes), table.shape[0]
        blocks = tf.reshape(query, (-1, query.shape[1] // books))
        products = tf.reshape(tf.matmul(blocks, table, transpose_b=True), (-1, books * size))
        pieces = size // books
        total = None
        for book, code in enumerate(codes):
            begin = book * (size + pieces)
            found = tf.gather(products[:, begin : begin + pieces], tf.cast(code, tf.int32), axis=1)
            total = found if total is None else total + found
        return total

    def items(self, held: list[tf.Tensor]) -> tf.Tensor:
        table, *codes = held
        pieces = table.shape[0] // len(codes)
        places = tf.stack([tf.cast(code, tf.int32) + book * pieces for book, code in enumerate(codes)], axis=1)
        return tf.reshape(tf.gather(table, places), (self.n_items, -1))

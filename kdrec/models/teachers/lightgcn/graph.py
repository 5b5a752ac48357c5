"""The graph of who took what, and how vectors spread over it."""

from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from kdrec.data.interactions import Interactions
from kdrec.models.teachers.base import pair_matrix
from kdrec.models.teachers.mf_bpr.teacher import Tables

if TYPE_CHECKING:
    import tensorflow as tf


def scaled(degrees: np.ndarray) -> np.ndarray:
    """1 / √degree, and 0 for a node without neighbours."""
    return np.where(degrees > 0, 1 / np.sqrt(np.maximum(degrees, 1)), 0).astype(np.float32)


def pairs_of(train: Interactions) -> sparse.csr_matrix:
    """Which user has which item, (n_users, n_items) of 0 and 1."""
    return pair_matrix(train.users, train.items, (train.n_users, train.n_items))


def adjacency(train: Interactions) -> sparse.csr_matrix:
    """A, symmetric: 1 / √(|N_u| |N_i|) for a user u who has taken item i, N the neighbours, each counted once.

    Returns:
        (n_users + n_items, n_users + n_items) float32; users come first.

    >>> log = Interactions([0, 0, 1], [0, 1, 0], [10, 11], [20, 21])
    >>> (adjacency(log).toarray()[:2, 2:] ** 2).round(3).tolist()
    [[0.25, 0.5], [0.5, 0.0]]
    """
    pairs = pairs_of(train)
    of_users, of_items = (scaled(np.asarray(pairs.sum(axis=axis)).ravel()) for axis in (1, 0))
    weighted = sparse.diags(of_users) @ pairs @ sparse.diags(of_items)
    return sparse.block_array([[None, weighted], [weighted.T, None]], format="csr", dtype=np.float32)


def tables(train: Interactions, graph_layers: int, users: np.ndarray, items: np.ndarray) -> Tables:
    """The tables of a teacher, from the trained layer 0.

    Layer k of a user is Σ_i layer (k − 1) of item i / √(|N_u| |N_i|). So its mean over the layers 0 … K splits into the
    user's own row / (K + 1), and a sum over the history of what each item adds, which any history has.

    Args:
        train: the pairs.
        graph_layers: K.
        users, items: (n_users, d) and (n_items, d), the layer 0.
    """
    pairs = pairs_of(train)
    matrix, layer = adjacency(train), np.concatenate([users, items])
    below = np.zeros_like(layer)  # Σ of the layers 0 … K − 1
    for _ in range(graph_layers):
        below, layer = below + layer, matrix @ layer
    share = np.float32(1 / (graph_layers + 1))
    of_items = scaled(np.asarray(pairs.sum(axis=0)).ravel())
    known = np.diff(pairs.indptr)[:, None] > 0
    return Tables(
        users=users * known * share,
        items=(below + layer)[train.n_users :] * share,
        history=below[train.n_users :] * of_items[:, None] * share,
    )


def as_tensor(matrix: sparse.csr_matrix) -> "tf.SparseTensor":
    """The matrix as TensorFlow has it, row by row."""
    import tensorflow as tf

    entries = matrix.tocoo()
    order = np.lexsort((entries.col, entries.row))
    indices = np.stack([entries.row, entries.col], axis=1)[order].astype(np.int64)
    return tf.SparseTensor(indices, entries.data[order], matrix.shape)


def propagated(matrix: "tf.SparseTensor", table: "tf.Tensor", graph_layers: int) -> "tf.Tensor":
    """Mean of x, A x, … A^K x, differentiable in x.

    Args:
        matrix: A, symmetric, so that gradients spread as vectors do.
        table: x, (n, d).
        graph_layers: K.

    Returns:
        (n, d).
    """
    import tensorflow as tf

    # Compressed rows are multiplied several times as fast as a SparseTensor, and are made in no time.
    compressed = tf.raw_ops.SparseTensorToCSRSparseMatrix(
        indices=matrix.indices, values=matrix.values, dense_shape=matrix.dense_shape
    )

    def mean(x: "tf.Tensor") -> "tf.Tensor":
        total = x
        for _ in range(graph_layers):
            x = tf.ensure_shape(tf.raw_ops.SparseMatrixMatMul(a=compressed, b=x), table.shape)
            total = total + x
        return total / (graph_layers + 1)

    return tf.custom_gradient(lambda x: (mean(x), mean))(table)

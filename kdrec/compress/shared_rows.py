"""A student whose rare items share one table row begins from one whose items have a row each."""

import numpy as np
import tf_keras as keras

from kdrec.compress.matrices import is_table


def share_rows(student: keras.Model, smaller: keras.Model, kept: np.ndarray, counts: np.ndarray) -> None:
    """Give a smaller student the weights of a larger one: Ē = Σ_j (c_j + 1) E_j / Σ_j (c_j + 1) over the rare items j.

    A row that is shared stands where it is needed most often; every other weight stays.

    Args:
        student: trained; its tables have a row for each item.
        smaller: of the same layers; its tables have the rows of the kept items, and then the shared one.
        kept: (n_kept,) positions of the items that keep a row.
        counts: (n_items,) c, how often each item occurs.

    >>> mean_of_rare(np.array([[1.0], [2.0], [8.0]]), np.array([1]), np.array([2, 0, 0])).tolist()
    [[2.0], [2.75]]
    """
    for layer in smaller.layers:
        weights = student.get_layer(layer.name).get_weights() if layer.weights else []
        if is_table(layer):
            table, *others = weights
            first = len(table) - len(counts)  # the row of padding, which a table that scores alone does not have
            weights = [np.concatenate([table[:first], mean_of_rare(table[first:], kept, counts)]), *others]
        layer.set_weights(weights)


def mean_of_rare(rows: np.ndarray, kept: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The kept rows and, after them, the mean of the others weighed by their counts + 1: (n_kept + 1, width)."""
    weights = counts + 1.0
    weights[kept] = 0
    return np.concatenate([rows[kept], [weights / weights.sum() @ rows]]).astype(rows.dtype)

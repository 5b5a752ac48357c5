"""The full table: a row of its own for every item."""

import tf_keras as keras

from kdrec.models.layers import ItemTable, TiedScores


def full(
    n_items: int, row_width: int, *, item_counts=None, seed: int = 0
) -> tuple[keras.layers.Layer, keras.layers.Layer]:
    """E_i = T_i: row_width bytes an item in int8; scoring reads the same table.

    Args:
        n_items, row_width, item_counts: of the student; the last is not read.
        seed: equal seeds give equal tables.

    Returns:
        The layer that reads a history, and the layer that scores a query.
    """
    return ItemTable(n_items, row_width, seed=seed, name="item_table"), TiedScores(name="scores")

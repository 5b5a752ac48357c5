"""The full table: a row of its own for every item."""

import tf_keras as keras

from kdrec.models.layers import ItemTable, TiedScores


def full(
    n_items: int, embedding_dim: int, *, item_counts=None, seed: int = 0
) -> tuple[keras.layers.Layer, keras.layers.Layer]:
    """E_i = T_i: embedding_dim bytes an item in int8; scoring reads the same table.

    Args:
        n_items, embedding_dim, item_counts: of the student; counts are not read.
        seed: equal seeds give equal tables.

    Returns:
        The layer that reads a history, and the layer that scores a query.
    """
    return ItemTable(n_items, embedding_dim, seed=seed, name="item_table"), TiedScores(name="scores")

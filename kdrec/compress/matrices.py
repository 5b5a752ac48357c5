"""The matrices of a student, where its bytes are: item tables and dense kernels."""

import tf_keras as keras

TABLES = ("item_table", "item_scores")  # layers of a student that say which matrices they have


def is_table(layer: keras.layers.Layer) -> bool:
    """Whether a layer holds rows of items."""
    return layer.name in TABLES


def matrices(layer: keras.layers.Layer) -> tuple[str, ...]:
    """The attributes of a layer that hold matrices: what an item table names, and a dense kernel.

    >>> matrices(keras.layers.Dense(2)), matrices(keras.layers.Add())
    (('kernel',), ())
    """
    if is_table(layer):
        return layer.MATRICES
    return ("kernel",) if isinstance(layer, keras.layers.Dense) else ()

"""Item rows that training normalises, as the constants that a file holds."""

import tf_keras as keras

from kdrec.compress.matrices import is_table


def has_unit_rows(layer: keras.layers.Layer) -> bool:
    """Whether a layer normalises rows of items before it uses them.

    >>> has_unit_rows(keras.layers.Dense(2))
    False
    """
    return is_table(layer) and layer.get_config().get("unit_rows", False)


def with_free_rows(layer: keras.layers.Layer) -> keras.layers.Layer:
    """A copy of a layer, without weights, that uses its rows as they are."""
    config = layer.get_config()
    return layer.__class__.from_config({**config, "unit_rows": False} if has_unit_rows(layer) else config)


def folded(student: keras.Model) -> keras.Model:
    """A student of equal scores whose rows are stored as they are used; itself where nothing is normalised.

    Args:
        student: a functional model.

    Returns:
        A functional model with the same inputs, output and layers.
    """
    if not any(has_unit_rows(layer) for layer in student.layers):
        return student
    copy = keras.models.clone_model(student, clone_function=with_free_rows)
    for before, after in zip(student.layers, copy.layers, strict=True):
        weights = before.get_weights()
        after.set_weights([before.shipped(weights[0]).numpy()] if has_unit_rows(before) else weights)
    return copy

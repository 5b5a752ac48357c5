"""The parts of a student that export needs, by the names of its layers."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras as keras

from kdrec.compress import rounding
from kdrec.compress.recipes.base import GROUPS, Recipe
from kdrec.compress.unit_rows import folded
from kdrec.errors import ConversionError


@dataclass(frozen=True, eq=False)
class StudentParts:
    """A student taken apart.

    Args:
        student: inputs `history` and one a context feature, output scores (rows, n_items).
        query: the same inputs, outputs (query (rows, embedding_dim), scores).
        table: (n_items + 1, embedding_dim) float32, row 0 zero: what the history reads.
        scoring: (n_items + 1, embedding_dim) the same table when tied, else (n_items, embedding_dim).
        matrices: what the device multiplies for scores: the scoring table, or the small ones that it is made of.
        boundaries: the tensors at which a host hands over to an accelerator, by layer name, in order.
    """

    student: keras.Model
    query: keras.Model
    table: np.ndarray
    scoring: np.ndarray
    matrices: tuple[np.ndarray, ...]
    boundaries: dict[str, Any]

    @property
    def inputs(self) -> dict[str, tuple[int, ...]]:
        """The shape of each input without its rows, by name."""
        return {entry.name.split(":")[0]: tuple(entry.shape[1:]) for entry in self.student.inputs}

    @property
    def is_tied(self) -> bool:
        return self.scoring is self.table

    @property
    def item_rows(self) -> np.ndarray:
        """(n_items, embedding_dim): the scoring table without padding, and without rows that are not scored."""
        return self.table[1 : self.student.output_shape[-1] + 1] if self.is_tied else self.scoring

    def of(self, group: str) -> list[np.ndarray]:
        """(rows, width) float32 each: matrices of a recipe's group as a file multiplies them, kernels transposed."""
        if group == "item_table":
            return [self.table] if self.is_tied else [self.table, self.scoring]
        return [self.student.get_layer(layer).get_weights()[0].T for layer in GROUPS[group]]

    def layer_names(self) -> list[str]:
        return [layer.name for layer in self.student.layers]


def take_apart(student: keras.Model) -> StudentParts:
    """Find item table, query, scores and boundaries of a student, rows that it normalises folded to constants.

    Args:
        student: a functional tf_keras model with layers `item_table` and `query` and an input `history`.

    Returns:
        Its parts.

    Raises:
        ConversionError: a layer is missing.
    """
    student = folded(student)
    layers = {layer.name: layer for layer in student.layers}
    for name in ("history", "item_table", "query"):
        if name not in layers:
            raise ConversionError(
                f"student must have a layer {name!r}, but it has {', '.join(layers)}; "
                "build it with kdrec.models.students, or name your layers so"
            )
    reader = layers["item_table"]
    scorer = layers.get("item_scores", reader)
    table = reader(tf.range(reader.n_items + 1)[tf.newaxis])[0][0].numpy()  # a history of every token
    return StudentParts(
        student=student,
        query=keras.Model(student.inputs, [layers["query"].output, student.output]),
        table=table,
        scoring=table if scorer is reader else _matrices(scorer)[0],
        matrices=_matrices(scorer),
        boundaries={name: layer.output for name, layer in layers.items() if name.startswith("device_input")},
    )


def on_grid(parts: StudentParts, recipe: Recipe) -> StudentParts:
    """A copy of the student that holds the values of its file where a group of matrices has a type of its own.

    Raises:
        ConversionError: the student has no matrix of a group.
    """
    if not recipe.rewritten:
        return parts
    copy = keras.models.clone_model(parts.student)
    copy.set_weights(parts.student.get_weights())
    for group, kind in recipe.rewritten:
        layers = [layer for layer in copy.layers if layer.name in GROUPS[group]]
        if not layers:
            raise ConversionError(
                f"recipe {recipe.name!r} names {group}, but the student's layers are {', '.join(parts.layer_names())}; "
                f"leave {group} out"
            )
        for layer in layers:
            matrix, *others = layer.get_weights()
            layer.set_weights([rounding.on_grid(matrix, kind), *others])
    return take_apart(copy)


def _matrices(layer: keras.layers.Layer) -> tuple[np.ndarray, ...]:
    return tuple(getattr(layer, name).numpy() for name in layer.MATRICES)

"""Quantization-aware training through TFMOT: the student learns under the rounding that its file will have."""

import tf_keras as keras

from kdrec import legacy_keras
from kdrec.compress.recipes.base import GROUPS, Recipe, group_of
from kdrec.errors import TrainingError

MATRICES = {"ItemTable": "table", "UntiedScores": "table", "Dense": "kernel"}


def quantizable(student: keras.Model, recipe: Recipe, keep_zeros: bool = False) -> keras.Model:
    """A copy of a student whose item tables and dense kernels are rounded in every forward pass, as the recipe says.

    Of eight bits the scale is max|E| / 127, which the converter takes, too; of four it is learned; what the recipe
    keeps in float32 is not rounded. The tied table is rounded once, and history and scores read the same numbers.
    Gradients pass the rounding as if it were not there (straight-through). Train the copy, then call `strip`. The
    student given is not changed.

    Args:
        student: a functional model.
        recipe: that rounds a matrix.
        keep_zeros: what pruning made zero stays zero.

    Returns:
        A functional model with the same inputs and output.

    Raises:
        TrainingError: the recipe rounds nothing.

    Source: Jacob et al., Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference,
    CVPR 2018.
    """
    check(recipe)
    legacy_keras.ensure()
    from kdrec.compress.quantizers import LearnedRange, Range, wrapped

    quantizers = {"int4": LearnedRange(4, keep_zeros), "int8": Range(8, keep_zeros)}

    def wrap(layer: keras.layers.Layer) -> keras.layers.Layer:
        copy, matrix = layer.__class__.from_config(layer.get_config()), MATRICES.get(type(layer).__name__)
        quantizer = quantizers.get(recipe.type_of(group_of(layer.name)))
        return copy if matrix is None or quantizer is None else wrapped(copy, matrix, quantizer)

    copy = keras.models.clone_model(student, clone_function=wrap)
    for before, after in zip(student.layers, copy.layers, strict=True):
        if not _is_wrapped(after):
            after.set_weights(before.get_weights())
            continue
        (matrix, quantizer, held), *_ = after._weight_vars
        own = getattr(before, MATRICES[type(before).__name__])
        matrix.assign(own)
        quantizer.begin(matrix, held)
        after.layer.set_weights([weight.numpy() for weight in before.weights if weight is not own])
    return copy


def check(recipe: Recipe) -> None:
    """Refuse a recipe under whose rounding nothing can be trained.

    Raises:
        TrainingError: all its weights are floats.
    """
    if not any(recipe.type_of(group) in ("int4", "int8") for group in GROUPS):
        raise TrainingError(
            f"recipe must round weights to int8 for quantization-aware training, not {recipe.name!r} with "
            f"{recipe.weights} weights; choose int8 or int4_table, or leave it out"
        )


def strip(quantized: keras.Model) -> keras.Model:
    """The student without TFMOT's wrappers, its matrices rounded as they were in training: what is to be exported."""

    def unwrap(layer: keras.layers.Layer) -> keras.layers.Layer:
        inner = layer.layer if _is_wrapped(layer) else layer
        return inner.__class__.from_config(inner.get_config())

    student = keras.models.clone_model(quantized, clone_function=unwrap)
    for before, after in zip(quantized.layers, student.layers, strict=True):
        if not _is_wrapped(before):
            after.set_weights(before.get_weights())
            continue
        (matrix, quantizer, held), *_ = before._weight_vars
        others = iter(before.layer.get_weights())
        own = getattr(after, MATRICES[type(after).__name__])
        for weight in after.weights:
            weight.assign(quantizer(matrix, False, held) if weight is own else next(others))
    return student


def _is_wrapped(layer: keras.layers.Layer) -> bool:
    return hasattr(layer, "_weight_vars")

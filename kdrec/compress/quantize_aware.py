"""Quantization-aware training through TFMOT: the student learns under the rounding that its file will have."""

import tf_keras as keras

from kdrec import legacy_keras
from kdrec.compress.matrices import matrices
from kdrec.compress.recipes.base import GROUPS, Recipe, group_of
from kdrec.compress.unit_rows import folded, has_unit_rows, with_free_rows
from kdrec.errors import TrainingError


def quantizable(
    student: keras.Model, recipe: Recipe, keep_zeros: bool = False, clusters: int | None = None
) -> keras.Model:
    """A copy of a student whose item tables and dense kernels are rounded in every forward pass, as the recipe says.

    Of eight bits the scale is max|E| / 127, which the converter takes, too; of four it is learned; what the recipe
    keeps in float32 is not rounded. The tied table is rounded once, and history and scores read the same numbers. Rows
    that the student normalises are rounded after that, as they ship; what is stripped holds them as constants.
    Gradients pass the rounding as if it were not there (straight-through). Train the copy, then call `strip`. The
    student given is not changed.

    Args:
        student: a functional model.
        recipe: that rounds a matrix.
        keep_zeros: what pruning made zero stays zero.
        clusters: of a student that was clustered: entries of one value keep one value, and zeros stay zero.

    Returns:
        A functional model with the same inputs and output.

    Raises:
        TrainingError: the recipe rounds nothing, or a matrix has more values than clusters.

    Source: Jacob et al., Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference,
    CVPR 2018.
    """
    check(recipe)
    legacy_keras.ensure()
    from kdrec.compress.quantizers import LearnedRange, Range, wrapped

    kept = (keep_zeros or clusters is not None, clusters)

    def wrap(layer: keras.layers.Layer) -> keras.layers.Layer:
        names, kind = matrices(layer), recipe.type_of(group_of(layer.name))
        if not names or kind not in ("int4", "int8"):
            return layer.__class__.from_config(layer.get_config())
        shipped = layer.shipped if has_unit_rows(layer) else None
        quantizer = LearnedRange(4, *kept, shipped) if kind == "int4" else Range(8, *kept, shipped)
        return wrapped(with_free_rows(layer), names, quantizer)

    copy = keras.models.clone_model(student, clone_function=wrap)
    for before, after in zip(student.layers, copy.layers, strict=True):
        if not _is_wrapped(after):
            after.set_weights(before.get_weights())
            continue
        own = [getattr(before, name) for name in matrices(before)]
        for weight, (matrix, quantizer, held) in zip(own, after._weight_vars, strict=True):
            matrix.assign(weight)
            quantizer.begin(matrix, held)
        others = [weight for weight in before.weights if not any(weight is each for each in own)]
        after.layer.set_weights([weight.numpy() for weight in others])
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
        own = [getattr(after, name) for name in matrices(after)]
        for weight, (matrix, quantizer, held) in zip(own, before._weight_vars, strict=True):
            weight.assign(quantizer(matrix, False, held))
        others = [weight for weight in after.weights if not any(weight is each for each in own)]
        for weight, value in zip(others, before.layer.get_weights(), strict=True):
            weight.assign(value)
    return folded(student)


def _is_wrapped(layer: keras.layers.Layer) -> bool:
    return hasattr(layer, "_weight_vars")

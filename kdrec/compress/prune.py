"""Magnitude pruning through TFMOT, wrapped so that it works inside a Distiller with the teacher still speaking."""

from typing import Any

import numpy as np
import tf_keras as keras

from kdrec import legacy_keras
from kdrec.errors import TrainingError


def _tfmot() -> Any:
    legacy_keras.ensure()
    import tensorflow_model_optimization

    return tensorflow_model_optimization.sparsity.keras


def prunable(
    student: keras.Model, sparsity: float, *, begin_step: int, end_step: int, frequency: int = 50
) -> keras.Model:
    """A copy of a student whose item tables and dense kernels are pruned step by step while it trains.

    The share of zeros follows TFMOT's `PolynomialDecay`, s_t = s·(1 − (1 − (t − t₀)/(t₁ − t₀))³) (Zhu & Gupta, 2017,
    arXiv:1710.01878). Train it with `pruning_step()` among the callbacks, then call `strip`. The student given is not
    changed: TFMOT wraps layers in place, so the copy is made first.

    Args:
        student: a functional model.
        sparsity: share of zeros at the end, in (0, 1).
        begin_step, end_step: optimizer steps between which the share rises.
        frequency: steps between two updates of the mask.

    Returns:
        A functional model with the same inputs, output and weights.

    Raises:
        TrainingError: sparsity or steps out of range.
    """
    if not 0 < sparsity < 1:
        raise TrainingError(f"sparsity must lie between 0 and 1, not {sparsity}; leave pruning out for 0")
    if not 0 <= begin_step < end_step:
        raise TrainingError(f"end_step must come after begin_step, not {end_step} after {begin_step}; train longer")
    sparsity_keras = _tfmot()
    schedule = sparsity_keras.PolynomialDecay(0.0, sparsity, begin_step, end_step, frequency=frequency)

    def wrap(layer: keras.layers.Layer) -> keras.layers.Layer:
        copy = layer.__class__.from_config(layer.get_config())
        return sparsity_keras.prune_low_magnitude(copy, schedule) if _has_matrix(layer) else copy

    pruned = keras.models.clone_model(student, clone_function=wrap)
    for before, after in zip(student.layers, pruned.layers, strict=True):
        inner = after.layer if _has_matrix(before) else after
        inner.set_weights(before.get_weights())
    return pruned


def pruning_step() -> keras.callbacks.Callback:
    """The callback without which TFMOT does not prune."""
    return _tfmot().UpdatePruningStep()


def strip(pruned: keras.Model) -> keras.Model:
    """The pruned student without TFMOT's wrappers. Do not train it further: the zeros would fill up again."""
    shared = _tfmot().strip_pruning(pruned)  # its layers still belong to `pruned`, too: only a copy can be taken apart
    student = keras.models.clone_model(shared)
    student.set_weights(shared.get_weights())
    return student


def zero_share(student: keras.Model) -> float:
    """The share of zeros among the entries of all item tables and dense kernels."""
    matrices = [
        weight for layer in student.layers if _has_matrix(layer) for weight in layer.get_weights() if weight.ndim == 2
    ]
    return float(sum(np.sum(weight == 0) for weight in matrices) / sum(weight.size for weight in matrices))


def _has_matrix(layer: keras.layers.Layer) -> bool:
    """Item tables and dense kernels: where the bytes are. Convolutions and context tables are too small to matter."""
    small = isinstance(layer, keras.layers.Embedding)
    return not small and any(len(weight.shape) == 2 for weight in layer.trainable_weights)

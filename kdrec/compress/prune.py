"""Magnitude pruning through TFMOT, wrapped so that it works inside a Distiller with the teacher still speaking."""

from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras as keras

from kdrec import legacy_keras
from kdrec.compress.matrices import is_table
from kdrec.errors import TrainingError

NEVER = 2**31 - 1  # a step that no training reaches


def _tfmot() -> Any:
    legacy_keras.ensure()
    import tensorflow_model_optimization

    return tensorflow_model_optimization.sparsity.keras


def prunable(
    student: keras.Model,
    sparsity: Any,
    *,
    begin_step: int = 0,
    end_step: int | None = None,
    frequency: int = 50,
    sparsity_m_by_n: tuple[int, int] | None = None,
) -> keras.Model:
    """A copy of a student whose item tables and dense kernels are pruned step by step while it trains.

    Train it with `pruning_step()` (TFMOT's `UpdatePruningStep`) among the callbacks, then call `strip`. The student
    given is not changed: TFMOT wraps layers in place, so the copy is made first.

    Args:
        student: a functional model.
        sparsity: a `PruningSchedule` of TFMOT; or the share of zeros at the end, in (0, 1), which
            `schedule("polynomial", …)` reaches.
        begin_step, end_step, frequency: as of `schedule`, for a share.
        sparsity_m_by_n: m zeros in every n consecutive weights, as TFMOT has it: of the n that one sum of the file
            adds up, along axis 0 of a dense kernel and along the rows of an item table. TFMOT chooses them once, in the
            first step, whatever the schedule. Where n does not divide the axis, the last group is as if filled up by
            zeros.

    Returns:
        A functional model with the same inputs, output and weights.

    Raises:
        TrainingError: sparsity or steps out of range.
    """
    sparsity_keras = _tfmot()
    if not isinstance(sparsity, sparsity_keras.PruningSchedule):
        sparsity = schedule("polynomial", sparsity, begin_step, end_step or 0, frequency)
    from kdrec.compress.pruning_rows import PruneRows

    def wrap(layer: keras.layers.Layer) -> keras.layers.Layer:
        copy = layer.__class__.from_config(layer.get_config())
        if not _has_matrix(layer):
            return copy
        if sparsity_m_by_n is not None and is_table(layer):
            return PruneRows(copy, sparsity, sparsity_m_by_n=sparsity_m_by_n)
        return sparsity_keras.prune_low_magnitude(copy, sparsity, sparsity_m_by_n=sparsity_m_by_n)

    pruned = keras.models.clone_model(student, clone_function=wrap)
    for before, after in zip(student.layers, pruned.layers, strict=True):
        inner = after.layer if _has_matrix(before) else after
        inner.set_weights(before.get_weights())
    return pruned


def keeping_zeros(student: keras.Model) -> keras.Model:
    """A copy of a pruned student whose zeros stay while it trains on, by TFMOT's masks.

    Train it with `pruning_step()` among the callbacks, then call `strip`. The student given is not changed.
    """
    kept = prunable(student, _tfmot().ConstantSparsity(0.5, begin_step=NEVER))
    for before, after in zip(student.layers, kept.layers, strict=True):
        if _has_matrix(before):
            for weight, mask, _ in after.pruning_vars:
                mask.assign(tf.cast(weight != 0, mask.dtype))
    return kept


def schedule(name: str, sparsity: float, begin_step: int, end_step: int, frequency: int) -> Any:
    """A schedule of TFMOT: the share of zeros at each step.

    polynomial is `PolynomialDecay`, s_t = s·(1 − (1 − (t − t₀)/(t₁ − t₀))³) (Zhu & Gupta, 2017, arXiv:1710.01878);
    constant is `ConstantSparsity`, s_t = s from t₀ on.

    Args:
        name: polynomial or constant.
        sparsity: s, in (0, 1).
        begin_step, end_step: t₀ and t₁, optimizer steps; what is zero does not change after t₁.
        frequency: steps between two choices of what is zero; the last choice is the last multiple of it up to t₁.

    Raises:
        TrainingError: no schedule of that name, sparsity or steps out of range.
    """
    if not 0 < sparsity < 1:
        raise TrainingError(f"sparsity must lie between 0 and 1, not {sparsity}; leave pruning out for 0")
    if not 0 <= begin_step < end_step:
        raise TrainingError(f"end_step must come after begin_step, not {end_step} after {begin_step}; train longer")
    if not 1 <= frequency <= end_step - begin_step:
        raise TrainingError(
            f"frequency must lie between 1 and the {end_step - begin_step} steps of pruning, not {frequency}, or "
            f"nothing becomes zero; train longer, or leave it out"
        )
    if name == "polynomial":
        return _tfmot().PolynomialDecay(0.0, sparsity, begin_step, end_step, frequency=frequency)
    if name == "constant":
        return _tfmot().ConstantSparsity(sparsity, begin_step, end_step, frequency=frequency)
    raise TrainingError(f"schedule must be polynomial or constant, not {name!r}; or make one of TFMOT's yourself")


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

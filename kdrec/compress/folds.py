"""How the layers of an encoder take up fewer columns of the item table: by the name of the layer's class."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tf_keras as keras

from kdrec.compress.span import Span
from kdrec.errors import TrainingError

OF_THE_STUDENT = ("item_table", "item_scores", "linear", "hidden", "residual")  # and context_*: layers of no encoder

Weights = list[np.ndarray]


class Fold(NamedTuple):
    """What a layer does with the columns of the rows that it reads.

    Args:
        weights: (its weights, span of the rows, span of what the encoder gives, length of the history) -> new weights.
        turns: whether the rows may be turned; else each column is read by itself, and columns are picked.
        own: whether what the encoder gives has columns of its own, of which some are picked, and not those of the rows.
    """

    weights: Callable[[Weights, Span, Span, int], Weights]
    turns: bool = True
    own: bool = False


def mean(weights: Weights, rows: Span, pooled: Span, length: int) -> Weights:
    """Each position's weight multiplies whole rows: turned rows give a turned mean."""
    return [weights[0][-length:]]


def attention(weights: Weights, rows: Span, pooled: Span, length: int) -> Weights:
    """v · E_l = (G v) · (E P)_l."""
    scorer, positions = weights
    if scorer.shape[1] > 1 and len(rows.back) < len(scorer):
        raise TrainingError(
            f"heads must be 1 for an attention to be made narrower, not {scorer.shape[1]}, each of which reads columns "
            "of its own; use heads=1"
        )
    return [rows.back @ scorer, positions[-length:]]


def filters(weights: Weights, rows: Span, pooled: Span, length: int) -> Weights:
    """The filters of the columns that stay; of those that go, they read what the others say of them."""
    return [np.einsum("ki,tio,oc->tkc", rows.back, weights[0], pooled.into)]


def channels(weights: Weights, rows: Span, pooled: Span, length: int) -> Weights:
    """The weight of a position and column, for those that stay."""
    return [np.einsum("lim,ik->lkm", weights[0][-length:], pooled.into)]


def recurrent(weights: Weights, rows: Span, pooled: Span, length: int) -> Weights:
    """Gates and candidates of the units that stay read rows that may be turned: E W = (E P)(G W)."""
    units = pooled.into
    gates_kernel, gates_recurrent, candidate_kernel, candidate_recurrent, gates_bias = weights
    both = np.kron(np.eye(2), units)  # z, r
    return [
        rows.back @ gates_kernel @ both,
        pooled.back @ gates_recurrent @ both,
        rows.back @ candidate_kernel @ units,
        pooled.back @ candidate_recurrent @ units,
        gates_bias @ both,
    ]


FOLDS = {
    "HistoryMean": Fold(mean),
    "HistoryAttention": Fold(attention),
    "Conv1D": Fold(filters, turns=False),
    "DepthwiseConv1D": Fold(channels, turns=False),
    "HistoryGru": Fold(recurrent, own=True),
}


def encoder_layers(student: keras.Model) -> list[keras.layers.Layer]:
    """The layers of a student's encoder that have weights.

    Raises:
        TrainingError: one that nobody knows how to make narrower.
    """
    layers = [
        layer
        for layer in student.layers
        if layer.weights and layer.name not in OF_THE_STUDENT and not layer.name.startswith("context_")
    ]
    for layer in layers:
        if type(layer).__name__ not in FOLDS:
            raise TrainingError(
                f"layer {layer.name!r} of the encoder is a {type(layer).__name__}, which cannot be made narrower; "
                f"known are {', '.join(FOLDS)}: choose another encoder, or leave shrinking out"
            )
    return layers

"""Structured pruning: a student's weights in a narrower one, its item table turned so that scores lose least."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import tensorflow as tf
import tf_keras as keras

from kdrec.compress.folds import FOLDS, encoder_layers
from kdrec.compress.span import Span, kept, picked, turned
from kdrec.errors import TrainingError

RIDGE = 1e-6  # of the mean square of what the query is made of: how strongly it stays as it was folded


def shrink(student: keras.Model, smaller: keras.Model, x: Mapping[str, np.ndarray], seed: int = 0) -> None:
    """Give a smaller student of the same design the weights of a larger one: narrower rows, fewer hidden units, both.

    The item table E becomes E P; P holds the directions that scores Q Eᵀ and histories miss least (`span.turned`), and
    whatever reads it is multiplied by the way back, so that nothing changes but for what is left out. An encoder that
    reads columns one by one (conv) keeps columns as they are; a recurrent one keeps units of its state. Hidden units go
    one by one, the least missed first (`span.kept`), and the query is fitted anew, by least squares on the histories
    given, to what is left: it takes over what can be said without them, their means above all. Of a history the last
    items are read, with the weights of their positions.

    Args:
        student: a model of `kdrec.models.students`.
        smaller: the same with fewer embedding_dim, hidden or history_length; its weights are set.
        x: inputs of `smaller`, some thousand histories of training.
        seed: of the directions in which the gradient of scores is measured.

    Raises:
        TrainingError: nothing is smaller, something is larger, or the encoder has a layer that nobody knows.

    >>> from kdrec.models.students.history import history
    >>> wide, narrow = (history(40, embedding_dim=width, history_length=4, hidden=8) for width in (8, 2))
    >>> shrink(wide, narrow, {"history": np.arange(1, 41, dtype=np.int32).reshape(10, 4)})
    >>> abs(narrow.get_layer("item_table").get_weights()[0][0]).max()  # padding stays zero
    0.0
    """
    check(student, smaller)
    x = {name: np.asarray(x[name]) for name in smaller.input_names}
    seen = _measured(student, x, seed)
    tied = "item_scores" not in {layer.name for layer in student.layers}
    rows, pooled, scores = _spans(seen, _sizes(smaller)["embedding_dim"], tied, encoder_layers(student))
    for layer in smaller.layers:
        weights = student.get_layer(layer.name).get_weights()
        if layer.name == "item_table":
            layer.set_weights([weights[0] @ rows.into])
        elif layer.name == "item_scores":
            layer.set_weights([weights[0] @ scores.into])
        elif layer.name.startswith("context_"):
            layer.set_weights([weights[0] @ pooled.into])
    for layer in encoder_layers(smaller):
        weights = student.get_layer(layer.name).get_weights()
        fold = FOLDS[type(layer).__name__].weights
        layer.set_weights(fold(weights, rows, pooled, _sizes(smaller)["history_length"]))
    _fit_head(student, smaller, x, seen, pooled, scores)


def check(student: keras.Model, smaller: keras.Model) -> None:
    """The second student must be smaller than the first in something, and larger in nothing.

    Raises:
        TrainingError: which size, or which layer of the encoder cannot be made smaller.
    """
    encoder_layers(student)
    before, after = _sizes(student), _sizes(smaller)
    for name, size in after.items():
        if size > before[name]:
            raise TrainingError(f"{name} of the smaller student must be at most {before[name]}, not {size}; make it so")
    if before == after:
        raise TrainingError(f"nothing to shrink: both students have {', '.join(f'{k}={v}' for k, v in after.items())}")


class _Seen(NamedTuple):
    """What was measured of a student: second moments, and values a row."""

    items: np.ndarray  # (d, d) mean of E_jᵀ E_j over the rows that score
    read: np.ndarray  # (d, d) the same over the rows of histories, as often as they are read
    queries: np.ndarray  # (d, d)
    pooled: np.ndarray  # (d, d)
    of_rows: np.ndarray  # (d, d) of the gradient of scores by the rows of a history
    of_pooled: np.ndarray  # (d, d) of the gradient of scores by what the encoder gives
    query: np.ndarray  # (rows, d)


def _measured(student: keras.Model, x: Mapping[str, np.ndarray], seed: int) -> _Seen:
    length = student.get_layer("history").input_shape[0][1]
    history = np.pad(x["history"], ((0, 0), (length - x["history"].shape[1], 0)))
    places = [student.get_layer("item_table").output[0], student.get_layer("linear").input]
    reader = keras.Model(student.inputs, [*places, student.get_layer("query").output])
    gram = _moment(_scoring_table(student))
    # v ~ N(0, S): the gradient g of q·v by a row has E[gᵀg] = J S Jᵀ, what that row does to scores.
    roots = np.linalg.eigh(gram)
    spread = (roots[1] * np.sqrt(np.maximum(roots[0], 0))) @ roots[1].T
    asked = np.random.default_rng(seed).normal(size=(len(history), len(gram))) @ spread
    with tf.GradientTape() as tape:
        rows, pooled, query = reader({**x, "history": history})
        told = tf.reduce_sum(query * tf.constant(asked, tf.float32))
    of_rows, of_pooled = tape.gradient(told, [rows, pooled])
    present = history > 0
    return _Seen(
        gram,
        _moment(rows.numpy()[present]),
        _moment(query.numpy()),
        _moment(pooled.numpy()),
        _moment(of_rows.numpy()[present]) * present.sum() / len(present),
        _moment(of_pooled.numpy()),
        query.numpy().astype(np.float64),
    )


def _spans(seen: _Seen, width: int, tied: bool, layers: list[keras.layers.Layer]) -> tuple[Span, Span, Span]:
    """Of the rows that a history reads, of what the encoder gives, and of the rows that score."""
    if width == len(seen.items):
        same = Span(np.eye(width), np.eye(width))
        return same, same, same
    folds = [FOLDS[type(layer).__name__] for layer in layers]
    choose = turned if all(fold.turns for fold in folds) else picked
    if tied:
        often = np.trace(seen.read) / np.trace(seen.items)
        rows = scores = choose(seen.items, seen.queries + often * seen.of_rows, width)
    else:
        rows, scores = choose(seen.read, seen.of_rows, width), turned(seen.items, seen.queries, width)
    own = any(fold.own for fold in folds)
    return rows, picked(seen.pooled, seen.of_pooled, width) if own else rows, scores


def _fit_head(
    student: keras.Model, smaller: keras.Model, x: Mapping[str, np.ndarray], seen: _Seen, pooled: Span, scores: Span
) -> None:
    """The dense layers of a smaller student whose tables and encoder are set."""
    kernel, bias = _dense(student, "linear")
    given = (
        keras.Model(smaller.inputs, smaller.get_layer("linear").input)(x).numpy().astype(np.float64)
    )  # (rows, width)
    inner, inner_bias, outer = _hidden(student)
    inner = pooled.back @ inner
    units = np.maximum(given @ inner + inner_bias, 0)  # (rows, hidden)
    made = np.concatenate([units, given, np.ones((len(given), 1))], axis=1)
    folded = np.concatenate([outer, pooled.back @ kernel, bias[np.newaxis]]) @ scores.back.T
    wanted = seen.query @ scores.back.T  # (rows, width): the query whose scores are nearest
    weights = _fitted(made, folded, wanted)
    hidden = _sizes(smaller)["hidden"]
    left = kept(made.T @ made, weights, scores.into.T @ seen.items @ scores.into, hidden, units.shape[1])
    those = [*left, *range(units.shape[1], made.shape[1])]
    weights = _fitted(made[:, those], folded[those], wanted)
    smaller.get_layer("linear").set_weights([weights[hidden:-1], weights[-1]])
    if hidden:
        smaller.get_layer("hidden").set_weights([inner[:, left], inner_bias[left]])
        smaller.get_layer("residual").set_weights([weights[:hidden]])


def _fitted(made: np.ndarray, folded: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """The weights that minimise |Z W − T|² + λ |W − W₀|²; where W₀ is right already, W₀."""
    gram = made.T @ made
    gram += RIDGE * np.trace(gram) / len(gram) * np.eye(len(gram))
    return folded + np.linalg.solve(gram, made.T @ (wanted - made @ folded))


def _sizes(student: keras.Model) -> dict[str, int]:
    names = {layer.name for layer in student.layers}
    return {
        "embedding_dim": student.get_layer("item_table").table.shape[1],
        "hidden": student.get_layer("hidden").units if "hidden" in names else 0,
        "history_length": student.get_layer("history").input_shape[0][1],
    }


def _scoring_table(student: keras.Model) -> np.ndarray:
    names = {layer.name for layer in student.layers}
    if "item_scores" in names:
        return student.get_layer("item_scores").get_weights()[0]
    return student.get_layer("item_table").get_weights()[0][1:]


def _dense(student: keras.Model, name: str) -> list[np.ndarray]:
    return [weight.astype(np.float64) for weight in student.get_layer(name).get_weights()]


def _hidden(student: keras.Model) -> list[np.ndarray]:
    """W₁, b₁ and W₂; of no units where there are none."""
    sizes = _sizes(student)
    width = sizes["embedding_dim"]
    if not sizes["hidden"]:
        return [np.zeros((width, 0)), np.zeros(0), np.zeros((0, width))]
    return [*_dense(student, "hidden"), *_dense(student, "residual")]


def _moment(rows: np.ndarray) -> np.ndarray:
    rows = rows.astype(np.float64)
    return rows.T @ rows / max(len(rows), 1)

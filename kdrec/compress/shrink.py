"""Structured pruning: a student's weights in a narrower one, its item table turned so that little is lost."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import tf_keras as keras

from kdrec.compress.folds import FOLDS, encoder_layers
from kdrec.compress.span import Span, kept, picked, turned
from kdrec.errors import TrainingError

RIDGE = 1e-6  # of the mean square of what the query is made of: how strongly it stays as it was folded


def shrink(student: keras.Model, smaller: keras.Model, x: Mapping[str, np.ndarray]) -> None:
    """Give a smaller student of the same design the weights of a larger one: narrower rows, fewer hidden units, both.

    The item table E becomes E P with the directions P that miss least of it, its leading singular vectors, and
    whatever reads it is multiplied by the way back: nothing changes but for what is left out. A second table, which
    scores alone, keeps what the scores Q Eᵀ of the histories given miss least (`span.turned`). An encoder that reads
    columns one by one (conv) keeps columns as they are; a recurrent one keeps units of its state. Hidden units go one
    by one, the least missed first (`span.kept`), and the query is fitted anew, by least squares, to what is left: it
    takes over what can be said without them, their means above all. Of a history the last items are read, with the
    weights of their positions.

    Args:
        student: a model of `kdrec.models.students`.
        smaller: the same with fewer embedding_dim, hidden or history_length; its weights are set.
        x: inputs of `smaller`, some thousand histories of training.

    Raises:
        TrainingError: nothing is smaller, something is larger, or the encoder has a layer that nobody knows.

    >>> from kdrec.models.students.history import history
    >>> wide, narrow = (history(40, embedding_dim=width, history_length=4, hidden=8) for width in (8, 2))
    >>> shrink(wide, narrow, {"history": np.arange(1, 41, dtype=np.int32).reshape(10, 4)})
    >>> narrow.get_layer("item_table").get_weights()[0][0].tolist()  # padding stays zero
    [0.0, 0.0]
    """
    check(student, smaller)
    x = {name: np.asarray(x[name]) for name in smaller.input_names}
    seen, sizes = _measured(student, x), _sizes(smaller)
    rows, pooled, scores = _spans(seen, sizes["embedding_dim"], student)
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
        layer.set_weights(fold(weights, rows, pooled, sizes["history_length"]))
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
    """Second moments (width, width) of what a student reads and makes, and the queries (rows, width) themselves."""

    items: np.ndarray  # of the rows that score
    read: np.ndarray  # of the rows of histories, as often as they are read
    pooled: np.ndarray  # of what the encoder gives
    query: np.ndarray


def _measured(student: keras.Model, x: Mapping[str, np.ndarray]) -> _Seen:
    length = _sizes(student)["history_length"]
    history = np.pad(x["history"], ((0, 0), (length - x["history"].shape[1], 0)))
    table = student.get_layer("item_table").get_weights()[0]
    items = table[1:] if _is_tied(student) else student.get_layer("item_scores").get_weights()[0]
    places = [student.get_layer("linear").input, student.get_layer("query").output]
    pooled, query = (out.numpy() for out in keras.Model(student.inputs, places)({**x, "history": history}))
    return _Seen(_moment(items), _moment(table[history[history > 0]]), _moment(pooled), query.astype(np.float64))


def _spans(seen: _Seen, width: int, student: keras.Model) -> tuple[Span, Span, Span]:
    """Of the rows that a history reads, of what the encoder gives, and of the rows that score."""
    alike = np.eye(len(seen.items))
    if width == len(alike):
        return (Span(alike, alike),) * 3
    folds = [FOLDS[type(layer).__name__] for layer in encoder_layers(student)]
    choose = turned if all(fold.turns for fold in folds) else picked
    if _is_tied(student):
        # It is read, too: weighed by queries, half of the width cost 12 % of the demo's NDCG, alike 5 %.
        rows = scores = choose(seen.items, alike, width)
    else:
        rows, scores = choose(seen.read, alike, width), turned(seen.items, _moment(seen.query), width)
    return rows, picked(seen.pooled, alike, width) if any(fold.own for fold in folds) else rows, scores


def _fit_head(
    student: keras.Model, smaller: keras.Model, x: Mapping[str, np.ndarray], seen: _Seen, pooled: Span, scores: Span
) -> None:
    """The dense layers of a smaller student whose tables and encoder are set."""
    kernel, bias = _dense(student, "linear")
    encoder = keras.Model(smaller.inputs, smaller.get_layer("linear").input)
    given = encoder(x).numpy().astype(np.float64)  # (rows, width)
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


def _is_tied(student: keras.Model) -> bool:
    return "item_scores" not in {layer.name for layer in student.layers}


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

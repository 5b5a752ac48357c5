"""What models of users and items read and keep, whatever they make of it: rows as tokens, features and weights."""

from dataclasses import asdict
from typing import Any

import numpy as np

from kdrec.errors import DataError
from kdrec.models.teachers.base import Inputs, rows_of, weights_of
from kdrec.models.teachers.two_tower.features import TowerFeatures


def row_tokens(name: str, options: Any, x: Inputs) -> dict[str, np.ndarray]:
    """What a model of users reads of x: the last tokens of each history; token 0 for unknown users and contexts.

    Args:
        name: of the teacher, for errors.
        options: of its model: history_length, n_users and context.
        x: what the teacher was given.

    Raises:
        DataError: x lacks the histories or a context.
    """
    missing = [field for field in ("history", *options.context) if field not in x]
    if missing:
        raise DataError(
            f"teacher {name!r} reads {missing[0]!r}, and x holds {', '.join(sorted(x))}; add it, 0 for unknown"
        )
    history = np.asarray(x["history"], dtype=np.int32)[:, -options.history_length :]
    history = np.pad(history, [(0, 0), (options.history_length - history.shape[1], 0)])
    user = np.asarray(x.get("user", np.full(rows_of(x), -1)), dtype=np.int32)
    user = np.where((user >= 0) & (user < options.n_users), user + 1, 0).astype(np.int32)
    context = {field: np.asarray(x[field], dtype=np.int32) for field in options.context}
    return {"user": user, "history": history, **context}


def row_signature(options: Any) -> dict[str, Any]:
    """The shapes of `row_tokens`, for a compiled function."""
    import tensorflow as tf

    history = {"history": tf.TensorSpec((None, options.history_length), tf.int32)}
    return history | {name: tf.TensorSpec((None,), tf.int32) for name in ("user", *options.context)}


def empty_row(options: Any) -> dict[str, np.ndarray]:
    """A row of nothing, which makes the weights of a fresh model."""
    return {"history": np.zeros((1, 1)), **{name: np.zeros(1) for name in options.context}}


def tower_state(model: Any, users: TowerFeatures, items: TowerFeatures) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The arrays and the options of a model on features, as they are saved."""
    tables = {"users": users, "items": items}
    features = {f"{name}:{part}": array for name, table in tables.items() for part, array in table.arrays().items()}
    sizes = {name: table.n_tokens for name, table in tables.items()}
    return features | weights_of(model), {"options": asdict(model.options), "feature_tokens": sizes}


def features_of(name: str, arrays: dict[str, np.ndarray], meta: dict[str, Any]) -> TowerFeatures:
    """The features, "users" or "items", of `tower_state`."""
    parts = {part: arrays[f"{name}:{part}"] for part in ("tokens", "weights", "numbers")}
    return TowerFeatures(**parts, n_tokens=meta["feature_tokens"][name])

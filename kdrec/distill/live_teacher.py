"""A teacher that runs while the student trains: any callable, asked for what the losses need."""

from collections.abc import Callable, Collection
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras as keras

from kdrec.errors import TrainingError

Fields = dict[str, tf.Tensor]


def inputs_of(model: Any, x: Any) -> Any:
    """The part of `x` that a functional model reads: its inputs by name, of a longer history the last items."""
    if not isinstance(x, dict):
        return x
    names = getattr(model, "input_names", None)  # Keras 2 functional models name their inputs
    if not names:
        return {name: value for name, value in x.items() if not name.startswith("teacher_")}
    missing = [name for name in names if name not in x]
    if missing:
        raise TrainingError(f"model {model.name!r} reads {missing[0]!r}, but the batch holds {', '.join(sorted(x))}")
    fitted = {name: x[name] for name in names}
    for name, tensor in zip(names, model.inputs, strict=True):
        if len(tensor.shape) == 2 and tensor.shape[1] is not None:
            fitted[name] = fitted[name][:, -tensor.shape[1] :]
    return fitted


def ask(teacher: Any, needs: Collection[str]) -> Callable[[Any], Fields]:
    """A function from inputs to the fields of the teacher's answer, usable inside a compiled step.

    TensorFlow models run in the graph, and never in training mode. Any other callable runs through numpy. A callable
    answers with scores, or with a dict of fields (`scores`, `user_embedding`).
    """
    if isinstance(teacher, keras.layers.Layer):
        return lambda x: _fields(teacher(inputs_of(teacher, x), training=False))
    if isinstance(teacher, tf.__internal__.tracking.AutoTrackable):
        serving = getattr(teacher, "signatures", {}).get("serving_default")  # of a SavedModel
        return (lambda x: _fields(teacher(x))) if serving is None else (lambda x: _served(serving, x))
    wanted = [lambda x: teacher(x)]
    names = ["scores"]
    if "user_embedding" in needs and "user_embedding" in getattr(teacher, "provides", ()):
        wanted.append(lambda x: teacher.user_embedding(x))
        names.append("user_embedding")
    return lambda x: {name: _through_numpy(function, x) for name, function in zip(names, wanted, strict=True)}


def _served(serving: Any, x: Any) -> Fields:
    """A SavedModel by its own signature: inputs by name, and one output, the scores, or outputs named as fields."""
    specs = serving.structured_input_signature[1]
    missing = [name for name in specs if name not in x]
    if missing:
        raise TrainingError(f"the SavedModel teacher reads {missing[0]!r}, but the batch holds {', '.join(sorted(x))}")
    answer = serving(**{name: tf.cast(x[name], spec.dtype) for name, spec in specs.items()})
    return _fields(answer if len(answer) > 1 else {"scores": next(iter(answer.values()))})


def _fields(answer: Any) -> Fields:
    answer = answer if isinstance(answer, dict) else {"scores": answer}
    return {name: tf.stop_gradient(value) for name, value in answer.items()}


def _through_numpy(function: Callable[[Any], np.ndarray], x: Any) -> tf.Tensor:
    flat = tf.nest.flatten(x)

    def call(*arrays: np.ndarray) -> np.ndarray:
        return np.asarray(function(tf.nest.pack_sequence_as(x, list(arrays))), np.float32)

    answer = tf.numpy_function(call, flat, tf.float32)
    answer.set_shape([None, None])
    return answer

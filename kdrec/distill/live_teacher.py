"""A teacher that runs while the student trains: any callable, asked for what the losses need."""

import re
import warnings
from collections.abc import Callable, Set
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras as keras

from kdrec import threads
from kdrec.errors import TrainingError

Fields = dict[str, tf.Tensor]

STORED = re.compile(r"teacher\d*_")  # inputs that a teacher cache brings, of the first teacher or a later one


def inputs_of(model: Any, x: Any) -> Any:
    """The part of `x` that a functional model reads: its inputs by name, of a longer history the last items."""
    if not isinstance(x, dict):
        return x
    names = getattr(model, "input_names", None)  # Keras 2 functional models name their inputs
    if not names:
        return {name: value for name, value in x.items() if not STORED.match(name)}
    missing = [name for name in names if name not in x]
    if missing:
        raise TrainingError(f"model {model.name!r} reads {missing[0]!r}, but the batch holds {', '.join(sorted(x))}")
    fitted = {name: x[name] for name in names}
    for name, tensor in zip(names, model.inputs, strict=True):
        if len(tensor.shape) == 2 and tensor.shape[1] is not None:
            fitted[name] = fitted[name][:, -tensor.shape[1] :]
    return fitted


def ask(teacher: Any, needs: Set[str]) -> Callable[[Any], Fields]:
    """A function from inputs to the fields of the teacher's answer, usable inside a compiled step.

    TensorFlow models run in the graph, and never in training mode. Any other callable runs through numpy. A callable
    answers with scores, or, if it is a TensorFlow model, with a dict of fields (`scores`, `user_embedding`, …); the
    method `user_embedding` of one that `provides` it is called when it is needed.
    """
    if isinstance(teacher, keras.layers.Layer):
        return lambda x: _fields(teacher(inputs_of(teacher, x), training=False))
    if isinstance(teacher, tf.__internal__.tracking.AutoTrackable):
        serving = getattr(teacher, "signatures", {}).get("serving_default")  # of a SavedModel
        return (lambda x: _fields(teacher(x))) if serving is None else (lambda x: _served(serving, x))
    if threads.interop() == 1:
        warnings.warn(
            "TensorFlow has one inter-op thread: a teacher that runs TensorFlow would wait for the student's step, and "
            f"the step for the teacher; set {threads.VARIABLE}=2 before TensorFlow starts, or store the answers with "
            "kdrec.ask_teacher",
            stacklevel=2,
        )
    wanted = {}
    if "user_embedding" in needs and "user_embedding" in getattr(teacher, "provides", ()):
        wanted["user_embedding"] = lambda x: teacher.user_embedding(x)
    if not wanted or needs & {"scores", "top_items", "top_scores"}:
        wanted["scores"] = lambda x: teacher(x)
    return lambda x: {name: _through_numpy(function, inputs_of(teacher, x)) for name, function in wanted.items()}


def item_embedding(teacher: Any) -> Fields:
    """The teacher's item table, (n_items, d), if it provides one."""
    if "item_embedding" not in getattr(teacher, "provides", ()):
        return {}
    return {"item_embedding": tf.constant(teacher.item_embedding, tf.float32)}


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
    if answer.shape.rank is None:  # in a graph; what learns from the answer must know its width
        with tf.init_scope():
            blank = [np.zeros([1, *(size or 1 for size in part.shape[1:])], part.dtype.as_numpy_dtype) for part in flat]
            answer.set_shape([None, call(*blank).shape[-1]])
    return answer

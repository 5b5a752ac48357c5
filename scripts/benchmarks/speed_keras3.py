"""Contestants that train the student by `keras.distillation.Distiller` of Keras 3, from a live two-tower teacher.

Models, weights and batches are those that `speed_steps.keep_pair` wrote; the hard loss is the same function. Keras's
distillation loss leaves no seen item out, so it has a little less to do.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import speed_data as data
import speed_towers as towers
import tensorflow as tf
from speed_worker import Run, serve

from kdrec.losses.softmax import softmax

JIT = {"default": "auto", "xla": True}  # what Keras chooses (on processors alone no XLA), and XLA


def setup(given: dict[str, Any]) -> Mapping[str, Run]:
    """The contestants that are named in `contestants`, of `JIT`."""
    assert keras.__version__.startswith("3.") and keras.backend.backend() == "tensorflow"
    keras.utils.set_random_seed(0)
    arrays = data.kept(Path(given["pair"]))
    return {name: contestant(arrays, JIT[name]) for name in given["contestants"]}


def contestant(arrays: Mapping[str, np.ndarray], jit: Any) -> Run:
    """A compiled Distiller and its batches; the first steps, which trace and compile, are done."""
    parts: dict[str, dict[str, np.ndarray]] = {}
    for key, array in arrays.items():
        part, _, name = key.partition("/")
        parts.setdefault(part, {})[name] = array
    batch = parts["batch"]
    length = batch["history"].shape[-1]
    teacher = towers.teacher_model(keras, parts["teacher"], length, int(parts["reads"]["tokens"]))
    student = towers.student_model(keras, parts["student"], length)
    for model in (teacher, student):
        said = np.asarray(model({"user": batch["user"][0], "history": batch["history"][0]}))
        np.testing.assert_allclose(said, parts["says"][model.name], rtol=1e-3, atol=1e-3)
    distiller = keras.distillation.Distiller(
        teacher, student, keras.distillation.LogitsDistillation(1.0, keras.losses.KLDivergence()),
        student_loss_weight=data.STUDENT_LOSS_WEIGHT,
    )  # fmt: skip
    distiller.compile(keras.optimizers.Adam(0.005), loss=HardLoss(), jit_compile=jit)
    x = {"user": batch["user"], "history": batch["history"]}
    stream = iter(tf.data.Dataset.from_tensor_slices((x, batch["labels"])).repeat().prefetch(2))
    distiller.make_train_function()
    step = distiller.train_function

    def run(count: int) -> dict[str, Any]:
        for _ in range(count):
            logs = step(stream)
        float(next(iter(logs.values())))
        return {"xla": bool(distiller.jit_compile)}

    run(2)
    return run


class HardLoss(keras.losses.Loss):
    """kdrec's softmax on signed labels."""

    def call(self, labels: Any, scores: Any) -> Any:
        return softmax(labels, scores)


if __name__ == "__main__":
    serve(setup)

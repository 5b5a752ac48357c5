"""How far a training is: what losses are told of it, and schedules that follow it inside the compiled step."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras

from kdrec.distill.distiller import Distiller
from kdrec.losses.base import DistillationLoss
from kdrec.losses.softened_kl import SoftenedKl, softened_kl
from kdrec.losses.softmax import Softmax
from kdrec.models.students.history import history

ROWS, ITEMS, LENGTH = 12, 30, 5


class Told(DistillationLoss):
    """What a loss is told, made visible: the step plus a hundredfold progress, or the count of held-out items."""

    def __init__(self, held_out=False):
        super().__init__()
        self.held_out = held_out

    def call(self, student, teacher, batch):
        held_out = tf.reduce_sum(tf.cast(batch.held_out, tf.float32), axis=1)
        told = tf.cast(batch.step, tf.float32) + 100.0 * batch.progress
        return held_out if self.held_out else told + 0.0 * held_out


def a_student(seed=1):
    return history(ITEMS, embedding_dim=6, history_length=LENGTH, hidden=7, seed=seed)


def stored_batch():
    rng = np.random.default_rng(0)
    tokens = np.stack([rng.permutation(ITEMS)[: LENGTH + 1] + 1 for _ in range(ROWS)]).astype(np.int32)
    x = {"history": tokens[:, :LENGTH]}
    x["teacher_scores"] = a_student(seed=9)(x).numpy()
    return x, np.concatenate([tokens[:, LENGTH:], -tokens[:, :LENGTH]], axis=1)


def compiled(distiller, **options):
    distiller.compile(keras.optimizers.SGD(0.0), loss=Softmax(), **options)
    return distiller


def test_losses_are_told_step_progress_and_held_out_items():
    x, y = stored_batch()
    distiller = Distiller(None, a_student(), Told(), total_steps=10)
    distiller.build_losses(x, y)  # before there is an optimizer
    compiled(distiller)
    logs = distiller.fit(x, y, batch_size=3, verbose=0).history  # steps 0 to 3, 10 % of the training each
    assert logs["distillation_loss"] == pytest.approx([1.5 + 15])
    assert distiller.evaluate(x, y, return_dict=True, verbose=0)["distillation_loss"] == pytest.approx(4 + 40)
    logs = distiller.fit(x, y, batch_size=3, epochs=2, verbose=0).history
    assert logs["distillation_loss"][1] == pytest.approx(9.5 + (80 + 90 + 100 + 100) / 4)  # progress ends at 1
    without = compiled(Distiller(None, a_student(), [Told(), Told(held_out=True)], [1.0, 5.0]))
    y[: ROWS // 2, 0] = 0  # half of the rows hold nothing out
    without.optimizer.iterations.assign(7)
    assert without.evaluate(x, y, return_dict=True, verbose=0)["distillation_loss"] == pytest.approx(7 + 2.5)


def test_schedules_act_inside_the_compiled_step():
    x, y = stored_batch()
    soft_losses = [SoftenedKl(temperature="linear:4:1"), Told()]
    distiller = Distiller(
        None, a_student(), soft_losses, ["cosine:2:0", 0.0], "linear:1:0", teacher_weights=["warm_up:1:0.5"],
        total_steps=8,
    )  # fmt: skip
    compiled(distiller, steps_per_execution=4)
    data = tf.data.Dataset.from_tensors((x, y)).repeat(8)
    logs = {name: values[0] for name, values in distiller.fit(data, verbose=0).history.items()}
    hard, soft, total = logs["student_loss"], [], []
    for progress in np.arange(8) / 8:
        seen = np.zeros((ROWS, ITEMS), bool)
        np.put_along_axis(seen, x["history"] - 1, True, axis=1)
        own = distiller.student({"history": x["history"]}).numpy()
        value = np.mean(softened_kl(x["teacher_scores"], own, 4 - 3 * progress, seen))
        soft.append(min(1.0, 2 * progress) * (1 + np.cos(np.pi * progress)) * value)
        total.append((1 - progress) * hard + progress * soft[-1])
    assert logs["distillation_loss"] == pytest.approx(np.mean(soft), rel=1e-4)
    assert logs["total_loss"] == pytest.approx(np.mean(total), rel=1e-4)

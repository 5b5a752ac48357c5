"""Two replicas train as one device does; in a process of its own, for devices are fixed when TensorFlow starts."""

import json
import subprocess
import sys

import pytest

CODE = """
import json
import numpy as np
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
import tf_keras as keras
from kdrec.distill.distiller import Distiller
from kdrec.losses.rank_softmax import RankSoftmax
from kdrec.losses.softened_kl import SoftenedKl
from kdrec.losses.softmax import Softmax
from kdrec.models.students.history import history

rng = np.random.default_rng(0)
tokens = np.stack([rng.permutation(30)[:6] + 1 for _ in range(12)]).astype(np.int32)
x = {"history": tokens[:, :5], "teacher_scores": rng.normal(size=(12, 30)).astype(np.float32)}
x["teacher2_user_embedding"] = rng.normal(size=(12, 3)).astype(np.float32)
tables = [{}, {"item_embedding": rng.normal(size=(30, 3)).astype(np.float32)}]
y = np.concatenate([tokens[:, 5:], -tokens[:, :5]], axis=1)

def trained(strategy, weighting):
    with strategy.scope():
        plain = history(30, embedding_dim=6, history_length=5, hidden=7, seed=1)
        query = plain.get_layer("query").output
        out = keras.layers.Dense(30, kernel_regularizer="l2", kernel_initializer=keras.initializers.GlorotUniform(4))
        student = keras.Model(plain.input, out(query))
        distiller = Distiller(
            None, student, [SoftenedKl(), RankSoftmax(top=9)], student_loss_weight="linear:0.6:0.2", tables=tables,
            total_steps=4, weighting=weighting,
        )
        distiller.compile(keras.optimizers.SGD(0.5), loss=Softmax())
        distiller.optimizer.build(distiller.trainable_variables)  # now, or the step is traced twice
    logs = distiller.fit(x, y, batch_size=6, epochs=2, shuffle=False, verbose=0).history
    return np.concatenate([weight.ravel() for weight in student.get_weights()]), logs

single, double = (tf.distribute.MirroredStrategy(devices) for devices in (["CPU:0"], ["CPU:0", "CPU:1"]))
for weighting in ("fixed", "uncertainty"):
    one, logs = trained(single, weighting)
    two, both = trained(double, weighting)
    gap = {name: float(np.abs(np.subtract(logs[name], both[name])).max()) for name in logs}
    gap |= {"weights": float(np.abs(one - two).max()), "moved": float(np.abs(one).max())}
    print(json.dumps({"weighting": weighting, **gap}))
"""


@pytest.mark.slow
def test_two_replicas_train_as_one_device():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    gaps = [json.loads(line) for line in done.stdout.splitlines()[-2:]]
    assert [gap["weighting"] for gap in gaps] == ["fixed", "uncertainty"]
    for gap in gaps:
        assert gap["moved"] > 0.1
        assert gap["weights"] < 1e-5
        assert max(gap[name] for name in ("total_loss", "student_loss", "distillation_loss")) < 1e-4

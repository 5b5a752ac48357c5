"""A live teacher that runs TensorFlow answers on a machine with one core, and is warned of where it could not."""

import os
import subprocess
import sys

import pytest

from kdrec import threads
from kdrec.distill.live_teacher import ask

STEP = """
import os, sys
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
import kdrec
import numpy as np
import tensorflow as tf

table = tf.random.stateless_normal((31, 30), (1, 2))
teacher = tf.function(lambda history: tf.reduce_sum(tf.gather(table, history), axis=1) @ tf.eye(30))
from kdrec.models.students.history import history

distiller = kdrec.Distiller(
    lambda x: teacher(tf.constant(x["history"])).numpy(),
    history(30, embedding_dim=4, history_length=5),
    kdrec.SoftenedKl(),
)
distiller.compile("adam", loss=kdrec.Softmax())
rows = np.random.default_rng(0).integers(1, 31, (64, 5))
logs = distiller.fit({"history": rows}, rows[:, :1], batch_size=8, verbose=0).history
print(logs["distillation_loss"])
"""


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system cannot hold a process to one core")
def test_a_teacher_that_runs_tensorflow_answers_on_one_core():
    environment = {name: value for name, value in os.environ.items() if name != threads.VARIABLE}
    done = subprocess.run([sys.executable, "-c", STEP], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout.strip("[]\n")) > 0


def test_one_thread_is_warned_of(monkeypatch):
    monkeypatch.setattr(threads, "interop", lambda: 1)
    with pytest.warns(UserWarning, match=r"TF_NUM_INTEROP_THREADS=2 .* or store the answers with kdrec.ask_teacher"):
        ask(lambda x: x["history"], {"scores"})


@pytest.mark.parametrize("given, cores, expected", [(None, 1, "2"), ("1", 1, "1"), (None, 2, None)])
def test_a_number_that_somebody_has_set_stays(monkeypatch, given, cores, expected):
    monkeypatch.delenv(threads.VARIABLE, raising=False)
    if given:
        monkeypatch.setenv(threads.VARIABLE, given)
    monkeypatch.setattr(threads, "cores", lambda: cores)
    threads.ensure_two()
    assert os.environ.get(threads.VARIABLE) == expected

"""Teachers that run while the student trains: each kind is fed what it reads, and answers as it would by itself."""

import keras as keras3
import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras

from kdrec.distill.distiller import Distiller
from kdrec.distill.live_teacher import ask
from kdrec.errors import TrainingError
from kdrec.losses.score_mse import ScoreMse
from kdrec.losses.softmax import Softmax
from kdrec.models.students.history import history

ITEMS, LENGTH, ROWS = 9, 4, 6
RNG = np.random.default_rng(0)
TABLE = RNG.normal(size=(ITEMS + 1, ITEMS)).astype(np.float32)
X = {"user": np.arange(ROWS, dtype=np.int32), "history": RNG.integers(1, ITEMS + 1, (ROWS, LENGTH)).astype(np.int32)}
EXPECTED = TABLE[X["history"]].sum(axis=1)


class Saved(tf.Module):
    def __init__(self):
        super().__init__()
        self.table = tf.Variable(TABLE)

    @tf.function(input_signature=[tf.TensorSpec([None, LENGTH], tf.int64, name="history")])
    def serve(self, history):
        return {"output": tf.reduce_sum(tf.gather(self.table, history), axis=1)}


def saved_model(folder):
    module = Saved()
    tf.saved_model.save(module, folder, signatures={"serving_default": module.serve})
    return tf.saved_model.load(folder)


def keras_3_model():
    assert keras3.__version__.startswith("3.")
    tokens = keras3.Input((LENGTH,), dtype="int32", name="history")
    embedded = keras3.layers.Embedding(ITEMS + 1, ITEMS, name="table")(tokens)
    model = keras3.Model({"history": tokens}, keras3.ops.sum(embedded, axis=1))
    model.get_layer("table").set_weights([TABLE])
    return lambda x: model({"history": x["history"]}, training=False)


def keras_2_model():
    tokens = keras.Input((LENGTH,), dtype="int32", name="history")
    embedded = keras.layers.Embedding(ITEMS + 1, ITEMS, name="table")(tokens)
    model = keras.Model({"history": tokens}, keras.layers.Lambda(lambda rows: tf.reduce_sum(rows, axis=1))(embedded))
    model.get_layer("table").set_weights([TABLE])
    return model


KINDS = {
    "saved model": lambda folder: saved_model(str(folder)),
    "keras 3": lambda folder: keras_3_model(),
    "keras 2": lambda folder: keras_2_model(),
    "numpy": lambda folder: lambda x: TABLE[x["history"]].sum(axis=1),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_student_trains_with_a_live_teacher_of_each_kind(kind, tmp_path):
    teacher = KINDS[kind](tmp_path / "teacher")
    if kind != "keras 3":  # what it says inside a traced step is seen by the loss below
        assert np.allclose(ask(teacher, {"scores"})(X)["scores"], EXPECTED, atol=1e-5)
    student = history(ITEMS, embedding_dim=3, history_length=LENGTH)
    distiller = Distiller(teacher, student, ScoreMse(), student_loss_weight=0.0)
    distiller.compile(keras.optimizers.SGD(0.0), loss=Softmax())
    labels = np.zeros((ROWS, 1), np.int32)
    expected = np.mean((EXPECTED - student({"history": X["history"]})) ** 2)
    judged = distiller.evaluate(X, labels, return_dict=True, verbose=0)["distillation_loss"]
    trained = distiller.fit(X, labels, verbose=0).history["distillation_loss"][0]
    assert judged == pytest.approx(expected, rel=1e-4) and trained == pytest.approx(expected, rel=1e-4)


def test_saved_model_that_reads_more_than_there_is_is_refused(tmp_path):
    teacher = saved_model(str(tmp_path / "teacher"))
    with pytest.raises(TrainingError, match="SavedModel teacher reads 'history', but the batch holds user"):
        ask(teacher, {"scores"})({"user": X["user"]})

"""What losses read of the student: the table that multiplies the query, whatever wraps it, in one forward pass."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras

from kdrec.compress import recipes
from kdrec.compress.cluster import cluster_weights
from kdrec.compress.prune import prunable, pruning_step
from kdrec.compress.quantize_aware import quantizable
from kdrec.distill.distiller import Distiller
from kdrec.distill.student_reader import student_reader
from kdrec.errors import TrainingError
from kdrec.losses.base import DistillationLoss
from kdrec.losses.softmax import Softmax
from kdrec.models.students.history import history

ITEMS, LENGTH, ROWS = 9, 4, 6
X = {"history": np.random.default_rng(0).integers(1, ITEMS + 1, (ROWS, LENGTH)).astype(np.int32)}
LABELS = np.zeros((ROWS, 1), np.int32)
BOTH = frozenset({"query", "item_embedding"})
KINDS = {
    "itself": lambda student: student,
    "clone": keras.models.clone_model,
    "under pruning": lambda student: prunable(student, 0.5, begin_step=500, end_step=501, frequency=1),
    "under clustering": lambda student: cluster_weights(student, 4),
    "under rounding": lambda student: quantizable(student, recipes.get("int8")),
}


class Shrink(DistillationLoss):
    """‖E‖² + ‖q‖², whose gradient with respect to the table E is 2 E, and q's own."""

    reads = BOTH

    def call(self, student, teacher, batch):
        queries = tf.reduce_sum(tf.square(student["query"]), axis=1)
        return 0.0 * queries + tf.reduce_sum(tf.square(student["item_embedding"]))


def a_student(tied=True):
    return history(ITEMS, embedding_dim=3, history_length=LENGTH, hidden=5, tied=tied, seed=1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("tied", [True, False])
def test_query_times_item_embedding_is_the_scores(kind, tied):
    student = KINDS[kind](a_student(tied))
    fields = student_reader(student, BOTH, "query")(X, False)
    assert fields.keys() == {"scores", "query", "item_embedding"}
    assert fields["query"].shape == (ROWS, 3) and fields["item_embedding"].shape == (ITEMS, 3)
    product = fields["query"].numpy() @ fields["item_embedding"].numpy().T
    assert np.allclose(product, fields["scores"], atol=1e-6)
    assert np.allclose(fields["scores"], student(X), atol=1e-6)
    assert student_reader(student, frozenset(), "query")(X, False).keys() == {"scores"}
    assert student_reader(student, {"item_embedding"}, "query")(X, False).keys() == {"scores", "item_embedding"}


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("kind", ["itself", "under pruning"])
@pytest.mark.parametrize("tied", [True, False])
def test_gradient_flows_into_the_table(kind, tied):
    student = KINDS[kind](a_student(tied))
    tables = {layer.name.removeprefix("prune_low_magnitude_"): layer for layer in student.layers}
    layer = tables["item_table" if tied else "item_scores"]
    before = layer.get_weights()[0]
    distiller = Distiller(None, student, Shrink(), student_loss_weight=0)
    distiller.compile(keras.optimizers.SGD(0.125), loss=Softmax())
    stored = {**X, "teacher_scores": np.zeros((ROWS, ITEMS), np.float32)}
    distiller.fit(stored, LABELS, batch_size=ROWS, callbacks=[pruning_step()], verbose=0)
    assert np.allclose(layer.get_weights()[0], 0.75 * before, atol=1e-7)  # E − 0.125 · 2 E


def test_student_runs_once_a_step():
    runs = []
    student = a_student()
    counted = keras.layers.Lambda(lambda scores: (runs.append(1), scores)[1])(student.output)
    distiller = Distiller(None, keras.Model(student.input, counted), Shrink())
    distiller.compile(keras.optimizers.SGD(0.1), loss=Softmax(), run_eagerly=True)
    runs.clear()
    stored = {**X, "teacher_scores": np.zeros((ROWS, ITEMS), np.float32)}
    distiller.fit(stored, LABELS, batch_size=ROWS, verbose=0)
    assert len(runs) == 1


def test_student_without_a_table_is_refused():
    tokens = keras.Input((LENGTH,), dtype=tf.int32, name="history")
    embedded = keras.layers.Embedding(ITEMS + 1, ITEMS, name="scores")(tokens)
    student = keras.Model({"history": tokens}, keras.layers.GlobalAveragePooling1D(name="mean")(embedded))
    with pytest.raises(TrainingError, match="item table 'item_table' or 'item_scores' is not a layer of the student;"):
        student_reader(student, {"item_embedding"}, "query")
    with pytest.raises(TrainingError, match="query_layer 'hint' is not .*; its layers are history, scores, mean"):
        student_reader(student, BOTH, "hint")

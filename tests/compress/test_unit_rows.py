"""Item rows of length 1: in training, under pruning and rounding, and as constants in the files."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras

from kdrec.compress import recipes
from kdrec.compress.prune import prunable, pruning_step
from kdrec.compress.prune import strip as strip_pruning
from kdrec.compress.quantize_aware import quantizable, strip
from kdrec.compress.rounding import on_grid
from kdrec.compress.unit_rows import folded
from kdrec.distill.distiller import Distiller
from kdrec.distill.student_reader import student_reader
from kdrec.errors import TrainingError
from kdrec.export.calibration import covering
from kdrec.export.jobs import ExportJob
from kdrec.export.signatures import build
from kdrec.export.student_parts import on_grid as rounded_to_four_bits
from kdrec.export.student_parts import take_apart
from kdrec.losses.softmax import Softmax
from kdrec.models.initialisers.base import item_rows
from kdrec.models.students.history import history

SIZE, WIDTH = 16, 8
# The checkerboard: user u has the items of u's parity but u itself, which is the only right answer.
X = {
    "history": np.array(
        [[item + 1 for item in range(SIZE) if (user + item) % 2 == 0 and item != user] for user in range(SIZE)],
        np.int32,
    )
}
TIED = pytest.mark.parametrize("tied", [True, False], ids=["tied", "untied"])


def student(**options):
    options = {"unit_rows": True, "embedding_dim": WIDTH, "hidden": 16, **options}
    return history(SIZE, history_length=X["history"].shape[1], ordered=False, **options)


def trained(model, epochs=1, rate=0.03, callbacks=()):
    """Taught the right answers."""
    distiller = Distiller(None, model, [], student_loss_weight=1.0)
    distiller.compile(keras.optimizers.Adam(rate), loss=Softmax())
    labels = np.concatenate([np.arange(1, SIZE + 1)[:, np.newaxis], -X["history"]], axis=1)  # −token: seen
    distiller.fit(X, labels, batch_size=8, epochs=epochs, callbacks=list(callbacks), verbose=0)
    return model


def best_unseen(scores):
    scores = np.array(scores)
    np.put_along_axis(scores, X["history"] - 1, -np.inf, axis=1)
    return scores.argmax(axis=1)


def lengths(table):
    return np.linalg.norm(table, axis=1)


@pytest.fixture(scope="module")
def solved():
    """A tied student that knows the checkerboard."""
    return trained(student(), epochs=60)


def test_rows_have_length_one_and_padding_none(solved):
    rounded = rounded_to_four_bits(take_apart(solved), recipes.get("int4_table")).student
    for model in (solved, rounded):
        assert np.array_equal(best_unseen(model.predict(X, verbose=0)), np.arange(SIZE))
    table = solved.get_layer("item_table").get_weights()[0]
    np.testing.assert_allclose(lengths(table), [0] + [1] * SIZE, atol=1e-5)  # the trained matrix, too
    assert len(item_rows(solved)) == SIZE
    query, items = (student_reader(solved, ("query", "item_embedding"), "query")(X, False)[name].numpy()
                    for name in ("query", "item_embedding"))  # fmt: skip
    np.testing.assert_allclose(lengths(items), 1, atol=1e-5)
    np.testing.assert_allclose(query @ items.T, solved.predict(X, verbose=0), atol=1e-4)


@TIED
def test_the_length_of_what_is_trained_does_not_matter(tied):
    """The matrix times any row lengths gives the same scores, and gradients have no part along a row."""
    model = student(tied=tied)
    before, factors = model.predict(X, verbose=0), np.linspace(0.5, 5, SIZE + 1)[:, np.newaxis]
    for name in ("item_table", "item_scores")[: 1 if tied else 2]:
        layer = model.get_layer(name)
        layer.table.assign(layer.table * factors[-layer.table.shape[0] :])
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(model(X) ** 2)
        gradient = tf.convert_to_tensor(tape.gradient(loss, layer.table))
        assert float(tf.reduce_max(tf.abs(gradient))) > 0
        np.testing.assert_allclose(tf.reduce_sum(gradient * layer.table, axis=1)[1:], 0, atol=1e-4)
    np.testing.assert_allclose(model.predict(X, verbose=0), before, atol=1e-5)
    read = student_reader(model, ("item_embedding",), "query")(X, False)["item_embedding"]
    for items in (read, item_rows(model, "item_table"), item_rows(model, "item_table" if tied else "item_scores")):
        np.testing.assert_allclose(lengths(items), 1, atol=1e-5)


@TIED
def test_folded_rows_are_constants_of_equal_scores(tied):
    model = student(tied=tied)
    plain = folded(model)
    assert [layer.name for layer in plain.layers] == [layer.name for layer in model.layers]
    np.testing.assert_allclose(plain.predict(X, verbose=0), model.predict(X, verbose=0), atol=1e-6)
    np.testing.assert_allclose(lengths(plain.get_layer("item_table").get_weights()[0][1:]), 1, atol=1e-6)
    assert folded(plain) is plain
    parts = take_apart(model)
    assert parts.is_tied == tied and np.array_equal(parts.table, plain.get_layer("item_table").get_weights()[0])
    np.testing.assert_allclose(lengths(parts.item_rows), 1, atol=1e-6)
    np.testing.assert_allclose(lengths(parts.matrices[0])[-SIZE:], 1, atol=1e-6)


def test_the_file_has_the_operators_of_any_other():
    def operators(model):
        parts, job = take_apart(model), ExportJob("android", recipes.get("int8"), ("score",))
        traced = build(parts, job, covering(parts, X)).functions["score"]
        return [operation.type for operation in traced.graph.get_operations()]

    assert operators(student()) == operators(student(unit_rows=False))


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize(
    ("recipe", "tied"), [("int8", True), ("int4_table", True), ("int4_table", False), ("int8+item_table=float32", True)]
)
def test_what_is_rounded_is_what_ships(recipe, tied):
    """The fake quantizer rounds rows of length 1, whatever the length of the matrix that is trained."""
    model = student(tied=tied)
    for name in ("item_table", "item_scores")[: 1 if tied else 2]:
        layer = model.get_layer(name)
        layer.table.assign(layer.table * 3)
    kind = dict(recipes.get(recipe).groups).get("item_table", "int8")
    under = quantizable(model, recipes.get(recipe))
    expected = on_grid(take_apart(model).table, kind)
    np.testing.assert_allclose(take_apart(strip(under)).table, expected, atol=1e-6)
    left = strip(trained(under))
    np.testing.assert_allclose(left.predict(X, verbose=0), under.predict(X, verbose=0), atol=1e-5)
    table = left.get_layer("item_table").get_weights()[0]
    assert not left.get_layer("item_table").unit_rows and not table[0].any()
    np.testing.assert_allclose(on_grid(table, kind), table, atol=1e-6)  # rounded already, and not normalised again
    assert not np.allclose(table, expected, atol=1e-3)
    np.testing.assert_allclose(lengths(table[1:]), 1, atol={"float32": 1e-5, "int8": 0.02, "int4": 0.3}[kind])


@pytest.mark.usefixtures("eagerly")
def test_pruned_rows_have_length_one_and_their_zeros():
    pruned = prunable(student(), 0.5, begin_step=0, end_step=4, frequency=2)
    left = strip_pruning(trained(pruned, epochs=3, callbacks=[pruning_step()]))
    table = take_apart(left).table
    assert np.mean(table[1:] == 0) == pytest.approx(0.5, abs=0.06)
    np.testing.assert_allclose(lengths(table), [0] + [1] * SIZE, atol=1e-6)
    kept = quantizable(left, recipes.get("int8"), keep_zeros=True)
    assert not take_apart(strip(trained(kept))).table[table == 0].any()


def test_other_tables_are_refused():
    with pytest.raises(TrainingError, match="unit_rows must be False for table 'hashing', which puts rows together"):
        student(table="hashing")

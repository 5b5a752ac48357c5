"""The student, against formulas in numpy, for every encoder in the folder."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras

from kdrec.errors import TrainingError
from kdrec.models import encoders
from kdrec.models.layers import HistoryMean, PaddingRow
from kdrec.models.students.history import history

ITEMS, WIDTH, LENGTH = 11, 4, 6
HISTORIES = np.array([[0, 0, 0, 0, 0, 5], [0, 0, 3, 1, 2, 11], [6, 5, 4, 3, 2, 1]], np.int32)


def shaken(student, seed=0):
    """Weights of a size that shows every part of the formula, the padding row still zero."""
    rng = np.random.default_rng(seed)
    student.set_weights([rng.normal(size=weight.shape).astype(np.float32) for weight in student.get_weights()])
    table = student.get_layer("item_table").table
    table.assign(PaddingRow()(table))
    return student


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0])
def test_history_mean_is_its_formula(power):
    rng = np.random.default_rng(1)
    embedded = rng.normal(size=(3, LENGTH, WIDTH)).astype(np.float32) * (HISTORIES > 0)[..., None]
    layer = HistoryMean(power=power)
    layer.build([(None, LENGTH), (None, LENGTH, WIDTH)])
    weights = rng.normal(size=LENGTH).astype(np.float32)
    layer.set_weights([weights])
    for row, tokens in enumerate(HISTORIES):
        count = sum(token > 0 for token in tokens)
        expected = count**-power * sum(weights[at] * embedded[row, at] for at in range(LENGTH) if tokens[at] > 0)
        assert np.allclose(layer([HISTORIES, embedded])[row], expected, atol=1e-5)


@pytest.mark.parametrize("length", [3, 40])
def test_sets_are_trained_by_their_counts(length):
    """With few items for its length a training step reads the whole table, with the same values and gradients."""
    rng = np.random.default_rng(2)
    table = tf.Variable(PaddingRow()(rng.normal(size=(61, WIDTH)).astype(np.float32)))
    history = np.sort(rng.integers(0, 61, (5, length)), axis=1).astype(np.int32)
    layer, outputs = HistoryMean(learn_positions=False), {}
    for training in (False, True):
        with tf.GradientTape() as tape:
            embedded = tf.gather(table, history)
            pooled = layer([history, embedded, tf.identity(table)], training=training)
        by_place = tape.gradient(pooled, embedded) if training else None
        outputs[training] = pooled
    assert np.allclose(outputs[True], outputs[False], atol=1e-5)
    assert (by_place is None) == (HistoryMean.ROWS_A_PLACE * length >= 61)  # no place was gathered


@pytest.mark.parametrize("jit_compile", [False, True])
def test_counts_give_the_gradient_of_places(jit_compile):
    rng = np.random.default_rng(3)
    table = tf.Variable(PaddingRow()(rng.normal(size=(ITEMS + 1, WIDTH)).astype(np.float32)))
    layer, wanted = HistoryMean(learn_positions=False), rng.normal(size=(len(HISTORIES), WIDTH)).astype(np.float32)

    @tf.function(jit_compile=jit_compile)
    def gradient(history, training):
        with tf.GradientTape() as tape:
            pooled = layer([history, tf.gather(table, history), tf.identity(table)], training=training)
            value = tf.reduce_sum(pooled * wanted)
        return tf.convert_to_tensor(tape.gradient(value, table))[1:]

    gradients = [gradient(tf.constant(HISTORIES), training).numpy() for training in (False, True)]
    assert np.allclose(*gradients, atol=1e-5) and np.abs(gradients[0]).max() > 0.1


@pytest.mark.parametrize("encoder", encoders.names())
@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("hidden", [0, 5])
def test_scores_are_the_query_times_the_table(encoder, tied, hidden):
    student = shaken(history(
        ITEMS, embedding_dim=WIDTH, history_length=LENGTH, encoder=encoder, tied=tied, hidden=hidden,
        context={"place": 3},
    ))  # fmt: skip
    x = {"history": HISTORIES, "place": np.array([0, 1, 3])}
    query = keras.Model(student.inputs, student.get_layer("query").output)(x).numpy()
    table = (
        student.get_layer("item_table").table.numpy()[1:] if tied else student.get_layer("item_scores").table.numpy()
    )
    scores = student(x).numpy()
    assert scores.shape == (3, ITEMS) and query.shape == (3, WIDTH)
    assert np.allclose(scores, query @ table.T, rtol=1e-4, atol=1e-4)
    other = student({**x, "place": np.array([1, 1, 3])}).numpy()
    assert not np.allclose(other[0], scores[0]) and np.allclose(other[1:], scores[1:])


@pytest.mark.slow
@pytest.mark.parametrize("encoder", encoders.names())
def test_padding_counts_for_nothing_and_stays_zero_while_training(encoder):
    student = history(ITEMS, embedding_dim=WIDTH, history_length=LENGTH, encoder=encoder, seed=2)
    for optimizer in (keras.optimizers.SGD(0.5), keras.optimizers.Adam(0.5)):
        student.compile(optimizer, loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True), run_eagerly=True)
        student.fit({"history": HISTORIES}, np.array([1, 2, 3]), epochs=3, verbose=0)
        assert np.all(student.get_layer("item_table").table.numpy()[0] == 0)
    empty = student({"history": np.zeros((1, LENGTH), np.int32)}).numpy()
    assert np.all(np.isfinite(empty))


@pytest.mark.parametrize("encoder", encoders.names())
def test_copies_and_saved_students_stay_tied_and_say_the_same(encoder, tmp_path):
    student = shaken(history(ITEMS, embedding_dim=WIDTH, history_length=LENGTH, encoder=encoder))
    clone = keras.models.clone_model(student)
    clone.set_weights(student.get_weights())
    student.save(tmp_path / "student.keras")
    x = {"history": HISTORIES}
    for copy in (clone, keras.models.load_model(tmp_path / "student.keras")):
        assert len(copy.weights) == len(student.weights)
        assert np.allclose(copy(x), student(x), atol=1e-5)
    assert sum(weight.shape[0] == ITEMS + 1 for weight in student.weights) == 1


def test_equal_seeds_give_equal_students():
    first, again, other = (history(ITEMS, embedding_dim=WIDTH, history_length=LENGTH, seed=seed) for seed in (3, 3, 4))
    for one, two in zip(first.get_weights(), again.get_weights(), strict=True):
        assert np.array_equal(one, two)
    assert not np.array_equal(first.get_weights()[0], other.get_weights()[0])


def test_a_set_has_no_positions():
    student = shaken(history(ITEMS, embedding_dim=WIDTH, history_length=LENGTH, ordered=False))
    assert not student.get_layer("history_mean").trainable_weights
    student.get_layer("history_mean").set_weights([np.ones(LENGTH, np.float32)])
    turned = HISTORIES.copy()
    turned[1, 2:] = turned[1, 2:][::-1]
    assert np.allclose(student({"history": HISTORIES}), student({"history": turned}), atol=1e-5)
    with pytest.raises(ValueError, match="encoder 'conv' reads the order of a history, but these histories are sets"):
        history(ITEMS, encoder="conv", ordered=False)


@pytest.mark.parametrize("name", ["n_items", "embedding_dim", "history_length", "hidden"])
def test_sizes_are_checked(name):
    with pytest.raises(TrainingError, match=f"{name} must be at least [01], not -1; give the student a larger {name}"):
        history(**{"n_items": ITEMS, name: -1})


def test_gradient_reaches_every_part():
    student = shaken(history(ITEMS, embedding_dim=WIDTH, history_length=LENGTH))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(student({"history": HISTORIES}) ** 2)
    assert all(np.any(tf.convert_to_tensor(g).numpy() != 0) for g in tape.gradient(loss, student.trainable_weights))

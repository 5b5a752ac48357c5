"""Item tables of fewer bytes: for each in the folder, what a history reads is what is scored, and what it must be."""

import inspect

import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras

from kdrec.compress import recipes
from kdrec.compress.prune import prunable, strip
from kdrec.compress.quantize_aware import quantizable
from kdrec.compress.quantize_aware import strip as strip_rounding
from kdrec.distill.student_reader import student_reader
from kdrec.errors import TrainingError
from kdrec.models import initialisers, tables
from kdrec.models.initialisers.base import item_rows
from kdrec.models.students.history import history

ITEMS, WIDTH, LENGTH = 23, 4, 5  # not a whole number of rows in any table below
X = {"history": np.array([[0, 0, 0, 0, 5], [0, 3, 1, 2, 23], [6, 5, 4, 3, 2]], np.int32)}
COUNTS = np.arange(ITEMS) * 7 % ITEMS  # all different
OPTIONS = {
    "hashing": {"rows": 5}, "quotient_remainder": {"rows": 6}, "codebooks": {"books": 2, "pieces": 4},
    "adaptive": {"head": 0.3, "tail_dim": 2},
}  # fmt: skip
CASES = [(name, OPTIONS.get(name, {})) for name in tables.names()]
CASES.append(("quotient_remainder", {"rows": 6, "operation": "sum"}))
EVERY = pytest.mark.parametrize(("name", "options"), CASES, ids=[f"{n}-{len(o)}" for n, o in CASES])


def a_student(name, options, seed=0):
    return history(
        ITEMS, embedding_dim=WIDTH, history_length=LENGTH, hidden=3, table=name, table_options=options,
        item_counts=COUNTS, seed=seed,
    )  # fmt: skip


def composed(student):
    """(ITEMS, WIDTH) by the formula of each table, from its weights alone, one item at a time."""
    layer = student.get_layer("item_table")
    weights = {weight.name.split(":")[0].rpartition("/")[2]: weight.numpy() for weight in layer.weights}
    options = layer.get_config()
    popular = sorted(range(ITEMS), key=lambda item: -COUNTS[item])

    def row(item):
        match type(layer).__name__:
            case "ItemTable":
                return weights["table"][1 + item]
            case "HashedTable":
                return weights["table"][1 + item % options["rows"]]
            case "QuotientRemainderTable":
                first = weights["quotients"][1 + item // options["rows"]]
                second = weights["remainders"][item % options["rows"]]
                return first + second if options["operation"] == "sum" else first * second
            case "CodeTable":
                books = np.split(weights["table"], options["books"])
                return np.concatenate([book[weights[f"codes_{b}"][1 + item]] for b, book in enumerate(books)])
            case "AdaptiveTable":
                rank = popular.index(item)
                if rank < options["head"]:
                    return weights["head_rows"][rank]
                return weights["tail_rows"][1 + rank - options["head"]] @ weights["projection"]
        raise AssertionError(f"{type(layer).__name__} needs its formula here")

    return np.array([row(item) for item in range(ITEMS)])


@EVERY
def test_rows_and_scores_are_those_of_the_formula(name, options):
    student = a_student(name, options)
    table = composed(student)
    assert table.std() > 0.02
    rows, *held = student.get_layer("item_table")(X["history"])
    np.testing.assert_allclose(rows, np.concatenate([np.zeros((1, WIDTH)), table])[X["history"]], atol=1e-6)
    np.testing.assert_allclose(item_rows(student), table, atol=1e-6)
    query = np.random.default_rng(0).normal(size=(3, WIDTH)).astype(np.float32)
    scorer = student.get_layer("scores")
    for training in (False, True):
        np.testing.assert_allclose(scorer([query, *held], training=training), query @ table.T, atol=1e-6)


@EVERY
def test_copies_and_saved_students_say_the_same(name, options, tmp_path):
    student = a_student(name, options)
    clone = keras.models.clone_model(student)
    clone.set_weights(student.get_weights())
    student.save(tmp_path / "student.keras")
    for copy in (clone, keras.models.load_model(tmp_path / "student.keras")):
        assert [weight.dtype for weight in copy.weights] == [weight.dtype for weight in student.weights]
        np.testing.assert_allclose(copy(X), student(X), atol=1e-6)
    other = a_student(name, options, seed=1)
    assert not np.allclose(other(X), student(X), atol=1e-3)


@EVERY
def test_padding_stays_zero_while_every_matrix_learns(name, options):
    student = a_student(name, options)
    layer = student.get_layer("item_table")
    before = [getattr(layer, matrix).numpy() for matrix in layer.MATRICES]
    fixed = [weight.numpy() for weight in layer.non_trainable_weights]
    student.compile(keras.optimizers.Adam(0.1), loss=keras.losses.SparseCategoricalCrossentropy(True), run_eagerly=True)
    student.fit(X, np.array([1, 2, 9]), verbose=0)
    assert not np.any(layer(np.zeros((1, LENGTH), np.int32))[0])
    assert all(not np.allclose(a, getattr(layer, b)) for a, b in zip(before, layer.MATRICES, strict=True))
    assert all(map(np.array_equal, fixed, [weight.numpy() for weight in layer.non_trainable_weights]))
    np.testing.assert_allclose(item_rows(student), composed(student), atol=1e-5)


@EVERY
def test_a_table_takes_over_what_it_can_hold_and_comes_near_to_the_rest(name, options):
    student = a_student(name, options)
    layer, rng = student.get_layer("item_table"), np.random.default_rng(2)
    layer.fit(rng.normal(size=(ITEMS, WIDTH)))
    held = item_rows(student)  # of the form that this table has
    again = a_student(name, options, seed=1)
    again.get_layer("item_table").fit(held)
    np.testing.assert_allclose(item_rows(again), held, atol=1e-4)
    wanted = rng.normal(size=(ITEMS, WIDTH))
    layer.fit(wanted)
    error = np.mean((item_rows(student) - wanted) ** 2) / np.mean(wanted**2)
    assert error < 1e-10 if name == "full" else 0.01 < error < 0.95


@EVERY
def test_initialisers_reach_every_table(name, options):
    student, before = a_student(name, options), item_rows(a_student(name, options))
    initialisers.get("item_svd")(student, item_embedding=np.random.default_rng(1).normal(size=(ITEMS, 6)))
    after = item_rows(student)
    assert not np.allclose(after, before, atol=1e-3) and after.std() < 1.01 * before.std()


@EVERY
def test_losses_read_the_rows_with_their_gradients(name, options):
    student = a_student(name, options)
    layer = student.get_layer("item_table")
    with tf.GradientTape() as tape:
        fields = student_reader(student, {"query", "item_embedding"}, "query")(X, True)
        loss = tf.reduce_sum(fields["item_embedding"] ** 2)
    np.testing.assert_allclose(fields["item_embedding"], composed(student), atol=1e-6)
    np.testing.assert_allclose(fields["scores"], fields["query"] @ tf.transpose(fields["item_embedding"]), atol=1e-6)
    gradients = tape.gradient(loss, [getattr(layer, matrix) for matrix in layer.MATRICES])
    assert all(np.any(tf.convert_to_tensor(gradient).numpy()) for gradient in gradients)


@EVERY
def test_what_is_pruned_or_trained_under_rounding_is_the_small_matrices(name, options):
    student = a_student(name, options)
    rounded = quantizable(student, recipes.get("int8"))
    stripped = strip_rounding(rounded)
    for matrix in student.get_layer("item_table").MATRICES:
        values = getattr(student.get_layer("item_table"), matrix).numpy()
        scale = np.abs(values).max() / 127
        received = getattr(stripped.get_layer("item_table"), matrix).numpy()
        np.testing.assert_allclose(received, scale * np.round(values / scale), atol=1e-6)
    np.testing.assert_allclose(rounded(X), stripped(X), atol=1e-6)
    np.testing.assert_allclose(item_rows(stripped), composed(stripped), atol=1e-6)
    np.testing.assert_allclose(
        strip(prunable(student, 0.5, begin_step=0, end_step=9, frequency=1))(X), student(X), atol=1e-6
    )


def test_every_table_takes_what_a_student_gives_it():
    for name in tables.names():
        parameters = inspect.signature(tables.get(name)).parameters
        assert list(parameters)[:2] == ["n_items", "row_width"] and {"item_counts", "seed"} <= set(parameters)


def test_items_of_one_row_tie_and_others_do_not():
    scores = a_student("hashing", {"rows": 5})(X).numpy()
    np.testing.assert_array_equal(scores[:, :18], scores[:, 5:])
    assert len(np.unique(scores[0])) == 5


def test_a_sum_gives_every_quotient_the_same_order_and_a_product_does_not():
    def orders(operation):
        student = a_student("quotient_remainder", {"rows": 6, "operation": operation})
        return {tuple(row) for row in student(X).numpy()[0, :18].reshape(3, 6).argsort(axis=1)}

    assert len(orders("sum")) == 1 < len(orders("product"))


def test_places_beyond_one_digit():
    counts = np.random.default_rng(0).permutation(200)
    student = history(200, embedding_dim=4, history_length=3, table="adaptive", item_counts=counts)
    layer = student.get_layer("item_table")
    assert [digit.shape for digit in layer.digits] == [(201,), (201,)]
    popular = np.flatnonzero(counts >= 160)  # a fifth
    rows = layer(popular[np.newaxis] + 1)[0][0].numpy()
    np.testing.assert_array_equal(rows, layer.head_rows.numpy()[199 - counts[popular]])


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("hashing", {"rows": 0}, "table option rows must be 1 to 23, not 0"),
        ("quotient_remainder", {"rows": 24}, "table option rows must be 1 to 23, not 24"),
        ("quotient_remainder", {"operation": "max"}, "operation must be one of product, sum, not 'max'"),
        ("codebooks", {"books": 3}, "books must divide embedding_dim=4, and 3 does not"),
        ("codebooks", {"books": 2, "pieces": 25}, "pieces must be 2 to 24, not 25"),
        ("adaptive", {"head": 1.0}, "head must be a share of the 23 items that leaves some and not all, not 1.0"),
        ("adaptive", {"tail_dim": 4}, "tail_dim must be 1 to 3, not 4"),
        ("full", {"rows": 4}, "table 'full' has no option 'rows'; it has none"),
        ("hashing", {"seed": 4}, "table 'hashing' has no option 'seed'; it has rows"),
    ],
)
def test_options_are_checked(name, options, message):
    with pytest.raises(TrainingError, match=message):
        a_student(name, options)


def test_only_a_full_table_may_be_untied():
    with pytest.raises(TrainingError, match="tied must be True for table 'hashing', not False"):
        history(ITEMS, table="hashing", tied=False)

import os
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf
import tf_keras
from pyarrow import parquet

from kdrec.data.interactions import Interactions
from kdrec.errors import DataError
from kdrec.models.teachers.base import load
from kdrec.models.teachers.external import as_teacher, external

N_USERS, N_ITEMS, LENGTH = 4, 3, 5
X = {"user": np.array([2, 0], np.int32), "history": np.array([[0, 0, 0, 1, 3], [0, 0, 0, 0, 2]], np.int32)}


def network(keras, name="history"):
    """Scores of the last item's row of a fixed table, in either Keras."""
    tokens = keras.Input((LENGTH,), dtype="int32", name=name)
    rows = keras.layers.Embedding(N_ITEMS + 1, N_ITEMS, name="rows")(tokens)
    last = keras.layers.Cropping1D((LENGTH - 1, 0))(rows)
    model = keras.Model(tokens, keras.layers.Flatten()(last))
    model.get_layer("rows").set_weights([np.arange((N_ITEMS + 1) * N_ITEMS).reshape(-1, N_ITEMS)])
    return model


OF_LAST_ITEM = np.array([[9, 10, 11], [6, 7, 8]])  # rows 3 and 2 of that table


def check_saved_again(teacher, tmp_path):
    teacher.save(tmp_path / "kept")
    assert np.array_equal(load(tmp_path / "kept")(X), teacher(X))


def test_a_callable():
    teacher = as_teacher(lambda x: np.eye(N_ITEMS)[x["history"][:, -1] - 1], N_ITEMS)
    assert teacher(X).tolist() == [[0, 0, 1], [0, 1, 0]]


def test_a_teacher_is_itself():
    teacher = as_teacher(lambda x: np.zeros((2, N_ITEMS)), N_ITEMS)
    assert as_teacher(teacher, N_ITEMS) is teacher


def test_a_keras_2_model_as_object_and_as_file(tmp_path):
    model = network(tf_keras)
    assert np.array_equal(as_teacher(model, N_ITEMS)(X), OF_LAST_ITEM)
    model.save(tmp_path / "teacher.keras")
    teacher = as_teacher(tmp_path / "teacher.keras", N_ITEMS)
    assert np.array_equal(teacher(X), OF_LAST_ITEM)
    check_saved_again(teacher, tmp_path)


def test_a_keras_3_model_as_object_and_as_file(tmp_path):
    import keras

    assert keras.__version__.startswith("3.")
    model = network(keras)
    assert np.array_equal(as_teacher(model, N_ITEMS)(X), OF_LAST_ITEM)
    model.save(tmp_path / "teacher.keras")
    teacher = as_teacher(tmp_path / "teacher.keras", N_ITEMS)
    assert np.array_equal(teacher(X), OF_LAST_ITEM)
    check_saved_again(teacher, tmp_path)


def test_a_saved_model(tmp_path):
    class Module(tf.Module):
        def __init__(self):
            self.rows = tf.Variable(np.arange((N_ITEMS + 1) * N_ITEMS).reshape(-1, N_ITEMS), dtype=tf.float32)

        @tf.function(input_signature=[tf.TensorSpec((None, LENGTH), tf.int64, name="history")])
        def __call__(self, history):
            return {"scores": tf.gather(self.rows, history[:, -1])}

    module = Module()
    tf.saved_model.save(module, str(tmp_path / "saved"), signatures={"serving_default": module.__call__})
    teacher = as_teacher(str(tmp_path / "saved"), N_ITEMS)
    assert np.array_equal(teacher(X), OF_LAST_ITEM)
    check_saved_again(teacher, tmp_path)


@pytest.mark.parametrize("length", [2, 5, 9])
def test_a_history_of_any_length_is_fitted_to_the_model(length):
    history = np.concatenate([np.ones((2, 9), np.int32), X["history"][:, -2:]], axis=1)[:, -length:]
    assert np.array_equal(as_teacher(network(tf_keras), N_ITEMS)({**X, "history": history}), OF_LAST_ITEM)


def test_a_single_input_of_any_name_is_the_history():
    assert np.array_equal(as_teacher(network(tf_keras, "input_1"), N_ITEMS)(X), OF_LAST_ITEM)


def test_a_model_of_two_inputs_gets_both_by_name():
    user = tf_keras.Input((), dtype="int32", name="user")
    hour = tf_keras.Input((1,), dtype="float32", name="hour")
    vector = tf_keras.layers.Embedding(N_USERS, N_ITEMS, embeddings_initializer="ones")(user)
    model = tf_keras.Model([hour, user], tf_keras.layers.Multiply()([vector, hour]))
    teacher = as_teacher(model, N_ITEMS)
    assert teacher({**X, "hour": np.array([4, 5])}).tolist() == [[4] * 3, [5] * 3]
    with pytest.raises(DataError, match="teacher reads input 'hour', and x holds history, user"):
        teacher(X)


def test_dropout_is_off():
    tokens = tf_keras.Input((LENGTH,), dtype="int32", name="history")
    dropped = tf_keras.layers.Dropout(0.5)(tf_keras.layers.Flatten()(tf_keras.layers.Embedding(4, 3)(tokens)))
    teacher = as_teacher(tf_keras.Model(tokens, tf_keras.layers.Dense(N_ITEMS)(dropped)), N_ITEMS)
    assert np.array_equal(teacher(X), teacher(X))


SCORES = np.arange(N_USERS * N_ITEMS).reshape(N_USERS, N_ITEMS) * 1.0
USERS = np.array([[1.0, 0.0], [0.0, 1.0], [2.0, 2.0], [1.0, -1.0]])
ITEMS = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])


def write_scores(path):
    if path.suffix == ".npy":
        np.save(path, SCORES)
    elif path.suffix == ".npz":
        np.savez(path, scores=SCORES)
    else:
        parquet.write_table(pa.table({f"item {j}": SCORES[:, j] for j in range(N_ITEMS)}), path)


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".parquet"])
def test_a_file_of_scores_answers_to_the_user(tmp_path, suffix):
    path = tmp_path / f"scores{suffix}"
    write_scores(path)
    teacher = as_teacher(path, N_ITEMS)
    assert np.array_equal(teacher(X), SCORES[[2, 0]])
    assert teacher.provides == frozenset()
    check_saved_again(teacher, tmp_path)


def test_a_parquet_column_of_score_lists(tmp_path):
    parquet.write_table(pa.table({"scores": SCORES.tolist()}), tmp_path / "scores.parquet")
    assert np.array_equal(as_teacher(tmp_path / "scores.parquet", N_ITEMS)(X), SCORES[[2, 0]])


@pytest.mark.parametrize("suffix", [".npz", ".parquet"])
def test_a_file_of_embeddings_gives_scores_and_queries(tmp_path, suffix):
    path = tmp_path / f"embeddings{suffix}"
    if suffix == ".npz":
        np.savez(path, user_embedding=USERS, item_embedding=ITEMS)
    else:
        parquet.write_table(
            pa.table({"user_embedding": USERS.tolist(), "item_embedding": [*ITEMS.tolist(), None]}), path
        )
    teacher = as_teacher(path, N_ITEMS)
    assert teacher(X).tolist() == [[2 * 1 + 2 * 2, 2 * 3 + 2 * 4, 2 * 5 + 2 * 6], [1, 3, 5]]
    assert teacher.provides == {"user_embedding", "item_embedding"}
    assert np.array_equal(teacher.user_embedding(X), USERS[[2, 0]])
    check_saved_again(teacher, tmp_path)


def test_as_a_teacher_by_name(tmp_path):
    write_scores(tmp_path / "scores.npy")
    log = Interactions([0], [0], np.arange(N_USERS), np.arange(N_ITEMS))
    assert np.array_equal(external(log, path=tmp_path / "scores.npy")(X), SCORES[[2, 0]])
    with pytest.raises(DataError, match="path must name the teacher 'external'"):
        external(log)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            np.zeros((2, N_ITEMS + 1)),
            r"expected shape \(2, 3\) \(rows, n_items\), received \(2, 4\); .* padding column",
        ),
        (np.zeros((1, N_ITEMS)), r"expected shape \(2, 3\) \(rows, n_items\), received \(1, 3\)"),
        (np.zeros((2, N_ITEMS, 1)), r"received \(2, 3, 1\)"),
        (np.array([[0, 0, 0], [0, np.nan, 0]]), "must be finite, and hold nan at row 1, item position 1"),
        (np.array([[0, 0, -np.inf], [0, 0, 0]]), "must be finite, and hold -inf at row 0, item position 2"),
    ],
)
def test_wrong_scores_are_refused(answer, said):
    with pytest.raises(DataError, match=f"scores of teacher 'mine' .*{said}"):
        as_teacher(lambda x: answer, N_ITEMS, name="mine")(X)


def test_a_teacher_of_another_catalogue_is_refused(tmp_path):
    np.save(tmp_path / "scores.npy", np.zeros((N_USERS, N_ITEMS + 1)))
    with pytest.raises(DataError, match=r"expected shape \(rows, 3\) \(rows, n_items\), received \(rows, 4\)"):
        as_teacher(tmp_path / "scores.npy", N_ITEMS)


@pytest.mark.parametrize("n_users", [N_USERS - 1, N_USERS + 1])
def test_a_file_of_other_users_is_refused(tmp_path, n_users):
    """One user more or less, and each row could be somebody else's."""
    write_scores(tmp_path / "scores.npy")
    np.savez(tmp_path / "embeddings.npz", user_embedding=USERS, item_embedding=ITEMS)
    for name in ("scores.npy", "embeddings.npz"):
        with pytest.raises(
            DataError, match=f"{name}' must have one row a user: expected {n_users} rows, received {N_USERS}; give the"
        ):
            as_teacher(tmp_path / name, N_ITEMS, n_users=n_users)
        assert as_teacher(tmp_path / name, N_ITEMS, n_users=N_USERS).n_items == N_ITEMS
    with pytest.raises(DataError, match="must have one row a user"):
        external(Interactions([0], [0], np.arange(n_users), np.arange(N_ITEMS)), path=tmp_path / "scores.npy")


def test_a_user_without_a_row_is_refused(tmp_path):
    write_scores(tmp_path / "scores.npy")
    teacher = as_teacher(tmp_path / "scores.npy", N_ITEMS)
    with pytest.raises(DataError, match="knows users 0 to 3, not 4; give a row for each user"):
        teacher({"user": np.array([1, 4])})
    with pytest.raises(DataError, match=r"answers to x\['user'\], and x holds history"):
        teacher({"history": X["history"]})


def test_files_that_are_no_teacher_are_refused(tmp_path):
    with pytest.raises(DataError, match="does not exist; name a saved model"):
        as_teacher(tmp_path / "nothing.npy", N_ITEMS)
    (tmp_path / "scores.txt").write_text("1 2 3")
    with pytest.raises(DataError, match=r"must be a saved model .* \(.npy, .npz, .parquet\)"):
        as_teacher(tmp_path / "scores.txt", N_ITEMS)
    for suffix in (".npy", ".npz", ".parquet", ".keras"):
        (tmp_path / f"broken{suffix}").write_bytes(b"PK\x03\x04 nothing")
        with pytest.raises(DataError, match=f"broken{suffix} cannot be (read|loaded): "):
            as_teacher(tmp_path / f"broken{suffix}", N_ITEMS)
    np.savez(tmp_path / "other.npz", user_embedding=USERS, factors=ITEMS)
    with pytest.raises(
        DataError, match=r"must hold scores \(users, items\), or user_embedding .*, not factors, user_emb"
    ):
        as_teacher(tmp_path / "other.npz", N_ITEMS)
    np.savez(tmp_path / "widths.npz", user_embedding=USERS, item_embedding=np.zeros((3, 5)))
    with pytest.raises(DataError, match="must have one width, not 2 and 5"):
        as_teacher(tmp_path / "widths.npz", N_ITEMS)
    np.save(tmp_path / "flat.npy", np.zeros(3))
    with pytest.raises(DataError, match=r"scores of teacher .* must be numbers in 2 dimensions, not float64 \(3,\)"):
        as_teacher(tmp_path / "flat.npy", N_ITEMS)
    np.save(tmp_path / "objects.npy", np.array([[{}]]), allow_pickle=True)
    with pytest.raises(DataError, match="cannot be read: .*Python objects"):
        as_teacher(tmp_path / "objects.npy", N_ITEMS)
    with pytest.raises(DataError, match=r"must be a callable from x to scores \(rows, 3\), or a path, not list"):
        as_teacher([[1, 2, 3]], N_ITEMS)


def test_a_callable_cannot_be_saved(tmp_path):
    with pytest.raises(DataError, match="is a callable, which cannot be saved; write a teacher cache from it"):
        as_teacher(lambda x: x, N_ITEMS).save(tmp_path / "kept")
    assert list(tmp_path.iterdir()) == []


def test_choosing_a_teacher_loads_no_tensorflow():
    code = (
        "import sys; from kdrec.models import teachers; teachers.get('ease'); teachers.get('als'); "
        "teachers.get('external'); teachers.get('two_tower'); assert 'tensorflow' not in sys.modules"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)

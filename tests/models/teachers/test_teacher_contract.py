"""What every teacher in the folder must do; a new file is tested as soon as it is there."""

from functools import cache

import numpy as np
import pytest

from kdrec.data.histories import pad_histories
from kdrec.data.interactions import Interactions
from kdrec.errors import BundleError, DataError, UnknownNameError
from kdrec.models import teachers
from kdrec.models.teachers.base import load

pytestmark = pytest.mark.slow

SIZE = 12
OPTIONS = {
    "als": {"factors": 4, "regularization": 0.1},
    "dcn_ranker": {
        "epochs": 12, "batch_size": 20, "embedding_dim": 8, "projection_dim": 4, "negatives": 8, "learning_rate": 0.02,
    },
    "lightgcn": {"epochs": 20, "batch_size": 20, "embedding_dim": 8, "negatives": 8},
    "mf_bpr": {"epochs": 30, "batch_size": 20, "embedding_dim": 4},
    "sasrec": {
        "ordered": True, "epochs": 30, "batch_size": 6, "embedding_dim": 8, "blocks": 1, "heads": 1,
        "learning_rate": 0.02,
    },
    "two_tower": {"epochs": 12, "batch_size": 20, "embedding_dim": 8, "layers": (16,), "learning_rate": 0.02},
}  # fmt: skip
NAMES = teachers.names()
FOLDS_IN = [name for name in NAMES if name != "external"]


def checkerboard(times=True):
    """User u likes the items of u's parity but for item u itself: the only right answer for u is item u."""
    users, items = np.meshgrid(np.arange(SIZE), np.arange(SIZE), indexing="ij")
    likes = ((users + items) % 2 == 0) & (users != items)
    order = np.random.default_rng(0).permutation(likes.sum())  # of time
    return Interactions(
        users[likes][order], items[likes][order], np.arange(SIZE), np.arange(SIZE),
        times=np.arange(len(order)) if times else None,
    )  # fmt: skip


@pytest.fixture(scope="module")
def scores_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("teacher") / "scores.npy"
    np.save(path, 1.0 - np.add.outer(np.arange(SIZE), np.arange(SIZE)) % 2)
    return path


@pytest.fixture(scope="module")
def trained(scores_file):
    """(name, options) -> the teacher of the checkerboard, trained once."""
    given = {"external": {"path": scores_file}, **OPTIONS}

    @cache
    def get(name, times, **options):
        return teachers.get(name)(checkerboard(times), **{**given.get(name, {}), **options})

    return lambda name, times=True, **options: get(name, times, **options)


@pytest.fixture(scope="module")
def trained_again(trained):
    """name -> a second teacher like the first, and the epochs that its progress told."""

    @cache
    def get(name):
        told = []
        return trained(name, progress=lambda epoch, epochs, logs: told.append((epoch, epochs))), told

    return get


def inputs(log, users):
    return {"user": np.asarray(users, np.int32), "history": pad_histories(log, np.asarray(users))}


def best_unseen(teacher, x):
    scores = teacher(x).copy()
    rows, at = np.nonzero(x["history"])
    scores[rows, x["history"][rows, at] - 1] = -np.inf
    return scores.argmax(axis=1)


@pytest.mark.parametrize("times", [True, False], ids=["ordered", "sets"])
@pytest.mark.parametrize("name", NAMES)
def test_the_checkerboard_is_solved(trained, name, times):
    users = np.arange(SIZE)
    assert np.array_equal(best_unseen(trained(name, times=times), inputs(checkerboard(), users)), users)


@pytest.mark.parametrize("name", FOLDS_IN)
def test_users_that_training_did_not_know_are_answered_by_their_history(trained, name):
    x = {
        "user": np.array([SIZE, 10**6], np.int32),
        "history": np.array([[0, 1, 3, 5, 7, 9], [2, 4, 6, 8, 10, 0][::-1]], np.int32),  # even items, odd items
    }
    assert (best_unseen(trained(name), x) % 2).tolist() == [0, 1]


@pytest.mark.parametrize("name", FOLDS_IN)
def test_an_empty_history_has_scores(trained, name):
    x = {"user": np.array([SIZE], np.int32), "history": np.zeros((1, 4), np.int32)}
    assert np.isfinite(trained(name)(x)).all()


@pytest.mark.parametrize("name", NAMES)
def test_padding_changes_nothing(trained, name):
    x = inputs(checkerboard(), [3, 4])
    wider = {**x, "history": np.pad(x["history"], [(0, 0), (7, 0)])}
    np.testing.assert_allclose(trained(name)(wider), trained(name)(x), atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_scores_are_one_float32_a_row_and_item(trained, name):
    teacher = trained(name)
    scores = teacher(inputs(checkerboard(), np.arange(5)))
    assert (scores.shape, scores.dtype, teacher.n_items) == ((5, SIZE), np.float32, SIZE)


@pytest.mark.parametrize("name", NAMES)
def test_equal_seeds_give_equal_scores(trained, trained_again, name):
    x = inputs(checkerboard(), np.arange(SIZE))
    assert np.array_equal(trained(name)(x), trained_again(name)[0](x))


@pytest.mark.parametrize("name", NAMES)
def test_a_saved_teacher_answers_alike(trained, name, tmp_path):
    teacher = trained(name)
    teacher.save(tmp_path / "teacher")
    loaded = load(tmp_path / "teacher")
    x = inputs(checkerboard(), np.arange(SIZE))
    assert np.array_equal(loaded(x), teacher(x))
    assert (loaded.provides, loaded.n_items) == (teacher.provides, SIZE)
    loaded.save(tmp_path / "again")
    assert np.array_equal(load(tmp_path / "again")(x), teacher(x))


@pytest.mark.parametrize("name", FOLDS_IN)
def test_a_user_embedding_times_the_item_embeddings_is_the_score(trained, name):
    teacher, x = trained(name), inputs(checkerboard(), np.arange(SIZE))
    if "user_embedding" in teacher.provides:
        np.testing.assert_allclose(
            teacher.user_embedding(x) @ teacher.item_embedding.T, teacher(x), rtol=1e-5, atol=1e-6
        )
    else:
        with pytest.raises(DataError, match=f"teacher '{name}' gives scores only, no user_embedding"):
            teacher.user_embedding(x)


@pytest.mark.parametrize("name", NAMES)
def test_progress_ends_at_its_total(trained_again, name):
    told = trained_again(name)[1]
    assert told[-1][0] == told[-1][1] == len(told)


def test_an_unknown_teacher_is_named():
    with pytest.raises(UnknownNameError, match=f"teachers has no 'oracle'; it has {', '.join(NAMES)}"):
        teachers.get("oracle")


def test_a_damaged_folder_is_refused(trained, tmp_path):
    folder = tmp_path / "teacher"
    with pytest.raises(BundleError, match=r"holds no teacher \(teacher.json is missing\)"):
        load(folder)
    trained("ease").save(folder)
    content = (folder / "arrays.npz").read_bytes()
    (folder / "arrays.npz").write_bytes(content[: len(content) // 2])
    with pytest.raises(BundleError, match="is incomplete or altered: .*; train the teacher again"):
        load(folder)
    (folder / "teacher.json").write_text('{"n')
    with pytest.raises(BundleError, match="is not what a teacher's save wrote: JSONDecodeError"):
        load(folder)


@pytest.mark.parametrize("option", ["l2", "recency"])
def test_options_must_be_positive(trained, option):
    with pytest.raises(DataError, match=f"{option} must be above 0, not -1; leave it out for the default"):
        trained("ease", **{option: -1})

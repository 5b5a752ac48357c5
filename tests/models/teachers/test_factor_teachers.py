"""The training of the factor models, what they keep, and what they refuse."""

import numpy as np
import pytest
from factor_log import BOTH, N_USERS, SMALL, log

from kdrec.data.histories import pad_histories
from kdrec.data.interactions import Interactions
from kdrec.errors import DataError, TrainingError, UnknownNameError
from kdrec.models.teachers.base import load
from kdrec.models.teachers.lightgcn import lightgcn
from kdrec.models.teachers.mf_bpr import train as mf_train
from kdrec.models.teachers.mf_bpr.model import FactorModel, FactorOptions
from kdrec.models.teachers.mf_bpr.snapshots import Snapshots


@BOTH
def test_recency_lets_the_last_item_speak_loudest(build):
    users = np.repeat(np.arange(20), 3)
    items = np.concatenate([[0, 1, 2], [3, 4, 5]] * 10)
    train = Interactions(users, items, np.arange(20), np.arange(6), times=np.tile([1, 2, 3], 20))
    x = {"history": np.array([[1, 2, 4]])}  # two items of one group, then one of the other
    teacher = build(train, recency=0.25, epochs=15, **SMALL)
    late, early = teacher(x)[0], type(teacher)(teacher.tables, **{**teacher.options, "recency": None})(x)[0]
    assert early[2] > early[4] and late[2] < late[4]
    assert build(train, ordered=False, recency=0.25, epochs=1, **SMALL).options["recency"] is None


def test_users_without_training_pairs_do_not_choose_the_epoch():
    train = log()
    rows = {"user": np.array([1, N_USERS, 3]), "item": np.array([5, 6, 7])}
    kept = mf_train.of_known_users(rows, train)
    assert (kept["user"].tolist(), kept["item"].tolist()) == ([1, 3], [5, 7])
    assert mf_train.of_known_users({"user": np.array([N_USERS])}, train) is None


@pytest.mark.usefixtures("eagerly")
@BOTH
def test_seed_weights_and_negatives_change_the_result(build):
    x = {"user": np.arange(3), "history": pad_histories(log(), np.arange(3))}
    options = {"epochs": 1, **SMALL, "negatives": 2}
    plain = build(log(), **options)(x)
    assert not np.allclose(plain, build(log(), **options, seed=1)(x), atol=1e-4)
    assert not np.allclose(plain, build(log(weights=True), **options)(x), atol=1e-4)
    assert not np.allclose(plain, build(log(), **{**options, "negatives": 5})(x), atol=1e-4)
    assert not np.allclose(plain, build(log(), **options, regularization=1.0)(x), atol=1e-4)


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("changes", [{"graph_layers": 1}, {"temperature": 0.5}, {"loss": "bpr"}], ids=str)
def test_options_of_lightgcn_change_the_result(changes):
    x = {"user": np.arange(3), "history": pad_histories(log(), np.arange(3))}
    plain, changed = (lightgcn(log(), epochs=2, **SMALL, **options)(x) for options in ({}, changes))
    assert not np.allclose(plain, changed, atol=1e-3)


@pytest.mark.usefixtures("eagerly")
def test_bpr_of_lightgcn_does_not_read_the_temperature():
    x = {"user": np.arange(3), "history": pad_histories(log(), np.arange(3))}
    one, other = (lightgcn(log(), epochs=2, **SMALL, loss="bpr", temperature=t)(x) for t in (0.1, 0.5))
    assert np.array_equal(one, other)


def test_lightgcn_solves_its_task_with_the_published_loss():
    users, items = np.meshgrid(np.arange(12), np.arange(12), indexing="ij")
    likes = ((users + items) % 2 == 0) & (users != items)
    train = Interactions(users[likes], items[likes], np.arange(12), np.arange(12))
    teacher = lightgcn(train, loss="bpr", epochs=20, batch_size=20, embedding_dim=8, learning_rate=0.02)
    history = pad_histories(train, np.arange(12))
    scores = teacher({"user": np.arange(12), "history": history})
    scores[likes] = -np.inf
    assert scores.argmax(axis=1).tolist() == list(range(12))


def test_snapshots_are_those_of_the_epochs_that_are_powers_of_two(tmp_path):
    model = FactorModel(FactorOptions(3, 2, 1, "bpr", 0.0, seed=0))
    in_memory, kept = Snapshots(None), Snapshots(tmp_path / "new")
    for epoch in range(6):
        model.users.assign(np.full((3, 1), epoch + 1.0))
        for callback in (in_memory, kept):
            callback.set_model(model)
            callback.on_epoch_end(epoch)
    for callback in (in_memory, kept, Snapshots(tmp_path / "new")):
        for best, expected in [(5, [1, 2, 4]), (4, [1, 2, 4]), (3, [1, 2]), (1, [1]), (0, [])]:
            assert [int(users[0, 0]) for users, _ in callback.before(best, 9)] == expected
        assert [int(users[0, 0]) for users, _ in callback.before(5, 2)] == [1, 4]  # of 1, 2, 4 and the last
        assert callback.before(5, 0) == []


@BOTH
def test_a_teacher_shows_how_it_learned(build, tmp_path):
    teacher = build(log(), epochs=9, snapshots=4, **SMALL)
    x = {"user": np.arange(N_USERS), "history": pad_histories(log(), np.arange(N_USERS))}
    states = [each(x) for each in teacher.snapshots(5)]  # after the epochs 1, 2, 4, 8 and 9
    assert teacher.snapshots(5)[-1] is teacher and len(states) == 5
    assert not any(np.allclose(one, other) for one, other in zip(states, states[1:], strict=False))
    assert teacher.snapshots(1) == [teacher]
    assert all(np.array_equal(each(x), states[at]) for each, at in zip(teacher.snapshots(3), (0, 2, 4), strict=True))
    assert len(teacher.snapshots(8)) == 8
    teacher.save(tmp_path / "teacher")
    for each, expected in zip(load(tmp_path / "teacher").snapshots(5), states, strict=True):
        assert np.array_equal(each(x), expected)
    assert "snapshots" in teacher.provides and "snapshots" not in teacher.snapshots(2)[0].provides


@BOTH
def test_a_teacher_without_snapshots_says_so(build):
    teacher = build(log(), epochs=1, **SMALL)
    assert teacher.provides == {"user_embedding", "item_embedding"}
    with pytest.raises(DataError, match=f"teacher '{build.__name__}' keeps no snapshots"):
        teacher.snapshots(2)


@BOTH
@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"epochs": 0}, DataError, "epochs must be above 0, not 0"),
        ({"negatives": 0}, DataError, "negatives must be above 0, not 0"),
        ({"epochs": 5, "snapshots": 4}, DataError, "snapshots must be a whole number from 0 to 3, not 4"),
        ({"recency": -1.0}, DataError, "recency must be above 0, not -1.0"),
        ({"regularization": -0.1}, TrainingError, "regularization must be at least 0, not -0.1; leave it out for the"),
    ],
)
def test_options_out_of_range_are_refused(build, options, error, said):
    with pytest.raises(error, match=said):
        build(log(), **options)


def test_options_of_lightgcn_out_of_range_are_refused():
    with pytest.raises(DataError, match="graph_layers must be above 0, not 0"):
        lightgcn(log(), graph_layers=0)
    with pytest.raises(DataError, match="temperature must be above 0, not -1"):
        lightgcn(log(), temperature=-1)
    with pytest.raises(UnknownNameError, match="loss of teacher 'lightgcn' has no 'hinge'; it has bpr, softmax"):
        lightgcn(log(), loss="hinge")


@BOTH
def test_histories_are_asked_for(build):
    teacher = build(log(), epochs=1, **SMALL)
    with pytest.raises(DataError, match=f"teacher '{build.__name__}' reads 'history', and x holds user; add it"):
        teacher({"user": np.array([1])})


@BOTH
def test_a_log_in_which_everybody_took_everything_is_refused(build):
    train = Interactions([0, 0, 1, 1], [0, 1, 0, 1], [10, 11], [20, 21])
    with pytest.raises(TrainingError, match="every user has taken every item; give a log with more items"):
        build(train)

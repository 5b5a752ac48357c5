"""Every teacher that learns by epochs goes on where it was cut, and keeps the epoch that validation chose."""

import inspect

import numpy as np
import pytest

from kdrec.data.features import Categorical, FeatureTable, Numeric
from kdrec.data.interactions import Interactions
from kdrec.data.splits import given, leave_last_out
from kdrec.errors import TrainingError
from kdrec.models import teachers
from kdrec.models.teachers.base import read_arrays, validation_rows

N_USERS, N_ITEMS = 12, 9
SMALL = {"embedding_dim": 8, "batch_size": 32, "learning_rate": 0.02}
OTHERS = {"learning_rate": 0.5, "seed": 1, "batch_size": 8, "snapshots": 1, "negatives": 7, "annealing": 0.25}


def options_of(name):
    return set(inspect.signature(teachers.get(name)).parameters)


BY_EPOCHS = pytest.mark.parametrize("name", [name for name in teachers.names() if "epochs" in options_of(name)])


def split():
    rng = np.random.default_rng(0)
    users, items = np.nonzero(rng.random((N_USERS, N_ITEMS)) < 0.6)
    log = Interactions(
        users, items, np.arange(N_USERS), np.arange(N_ITEMS),
        times=rng.permutation(len(users)),
        context={"hour": Categorical(rng.integers(-1, 2, len(users)), ["am", "pm"])},
        user_features=FeatureTable({"age": Categorical(np.arange(N_USERS) % 2, ["old", "young"])}),
        item_features=FeatureTable({"price": Numeric(np.arange(N_ITEMS))}),
    )  # fmt: skip
    return leave_last_out(log)


class Cut(Exception):
    """Stands for a killed process."""


@pytest.mark.usefixtures("eagerly")
@BY_EPOCHS
@pytest.mark.parametrize("watched", [False, True], ids=["last epoch", "best epoch"])
def test_a_training_that_was_cut_ends_with_the_same_bits(name, watched, tmp_path):
    build, data = teachers.get(name), split()
    options = {"epochs": 4, "validation": data if watched else None, "patience": 4, **SMALL}
    if "snapshots" in options_of(name):
        options["snapshots"] = 2

    def cut(epoch, epochs, logs):
        if epoch == 2:
            raise Cut

    build(data.train, **options).save(tmp_path / "whole")
    folder = tmp_path / "checkpoint"
    with pytest.raises(Cut):
        build(data.train, progress=cut, checkpoint_folder=folder, **options)
    epochs = []
    resumed = build(data.train, progress=lambda epoch, *_: epochs.append(epoch), checkpoint_folder=folder, **options)
    assert epochs == [3, 4]
    resumed.save(tmp_path / "resumed")
    whole, again = (read_arrays(tmp_path / kind) for kind in ("whole", "resumed"))
    assert whole.keys() == again.keys()
    assert all(np.array_equal(whole[key], again[key]) for key in whole)
    for option in OTHERS.keys() & options_of(name):
        with pytest.raises(TrainingError, match="holds the epochs of a training with other data or options"):
            build(data.train, checkpoint_folder=folder, **{**options, option: OTHERS[option]})


@pytest.mark.usefixtures("eagerly")
@BY_EPOCHS
def test_the_watched_epoch_is_the_best_one(name):
    data, logs = split(), []
    options = {"epochs": 12, "patience": 2, **SMALL, "learning_rate": 0.3 if name == "mf_bpr" else 0.02}
    if "recency" in options_of(name):
        options["recency"] = None  # the training does not know it
    teacher = teachers.get(name)(
        data.train, validation=data, progress=lambda *call: logs.append(call[2]), ordered=data.ordered, **options
    )
    seen = [entry["val_ndcg@10"] for entry in logs]
    assert len(seen) == min(12, int(np.argmax(seen)) + 3) and len(set(seen)) > 1
    rows = validation_rows(data, N_ITEMS)
    scores = teacher({**rows, "user": rows["user"] - 1})
    gains = []
    for row, item in enumerate(rows["item"]):
        left = [j for j in range(N_ITEMS) if j + 1 not in rows["seen"][row]]
        place = sorted(left, key=lambda j: -scores[row, j]).index(item - 1)
        gains.append(1 / np.log2(place + 2) if place < 10 else 0.0)
    assert np.mean(gains) == pytest.approx(max(seen), rel=1e-5)


@pytest.mark.usefixtures("eagerly")
@BY_EPOCHS
def test_a_loss_that_is_not_finite_names_stage_and_step(name, tmp_path):
    with pytest.raises(TrainingError, match=r"teacher: the loss became (nan|inf) in epoch \d+, step \d+; .* are kept"):
        teachers.get(name)(split().train, epochs=3, checkpoint_folder=tmp_path, **{**SMALL, "learning_rate": 1e30})


@BY_EPOCHS
def test_an_empty_log_is_refused(name):
    train = split().train
    with pytest.raises(TrainingError, match="train must hold pairs, and is empty; give the train part of a split"):
        teachers.get(name)(train.select(np.zeros(len(train), bool)))


def test_validation_of_a_large_log_stays_small(monkeypatch):
    """Of four users three are drawn, of their six pairs each at most six in all; histories are cut."""
    users, items = np.repeat(np.arange(4), 6), np.tile(np.arange(6), 4)
    whole = Interactions(users, items, np.arange(4), np.arange(30))
    train = Interactions(np.repeat(np.arange(4), 20), np.tile(np.arange(6, 26), 4), np.arange(4), np.arange(30))
    data = given(train, whole, whole.select(np.zeros(24, bool)))
    monkeypatch.setattr("kdrec.models.teachers.base.held_out.LONGEST_SEEN", 7)
    rows = validation_rows(data, history_length=5, most_users=3)
    assert len(rows["user"]) == 6 and len(set(rows["user"])) <= 3
    assert rows["seen"].shape == (6, 7) and rows["history"].shape == (6, 5)
    assert (rows["seen"] == np.arange(20, 27)).all()  # tokens of the last seven of the items 6 … 25
    again = validation_rows(data, history_length=5, most_users=3)
    assert all(np.array_equal(rows[name], again[name]) for name in rows)
    everyone = validation_rows(data, history_length=5, most_users=12)
    assert len(everyone["user"]) == 24

"""What learns beside the student (a projection, the weights of the parts) is cut, resumed and stopped like it."""

from contextlib import suppress

import numpy as np
import pytest
import tf_keras as keras

from kdrec.data.sets.demo import demo
from kdrec.data.splits import leave_last_out
from kdrec.distill.batches import training_rows
from kdrec.distill.teacher_cache import TeacherCache
from kdrec.distill.train import train
from kdrec.errors import TrainingError
from kdrec.losses.bpr import Bpr
from kdrec.losses.feature_matching import FeatureMatching
from kdrec.losses.rank_softmax import RankSoftmax
from kdrec.losses.softened_kl import SoftenedKl
from kdrec.models.students.history import history
from kdrec.models.teachers.als import als

OPTIONS = {"cuts_per_user": 5, "student_loss_weight": 0.5, "epochs": 3, "batch_size": 150}


@pytest.fixture(scope="module")
def listening(tmp_path_factory):
    """A split and the stored answers of two teachers."""
    split = leave_last_out(demo(users=60, items=40))
    rows = training_rows(split.train, True, 5)
    needs = {"user_embedding", "item_embedding"}
    folders = {factors: tmp_path_factory.mktemp("als") / "cache" for factors in (5, 3)}
    return split, [
        TeacherCache.write(folder, als(split.train, factors=factors), split.train, *rows, needs=needs)
        for factors, folder in folders.items()
    ]


def one_teacher(caches):
    return {"cache": caches[0], "losses": [FeatureMatching()]}


def all_that_moves(caches):
    return {
        "cache": caches, "losses": [FeatureMatching(), SoftenedKl(temperature="cosine:4:1"), RankSoftmax(top=9)],
        "teacher_weights": [0.7, "linear:0:0.5"], "student_loss_weight": "linear:0.9:0.2", "weighting": "uncertainty",
        "student_loss": Bpr(),
    }  # fmt: skip


def student_of(split):
    return history(split.train.n_items, embedding_dim=4, history_length=6, hidden=5)


class Stop(keras.callbacks.Callback):
    def __init__(self, after):
        super().__init__()
        self.after = after

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.after:
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def trained(listening):
    """Train a student in a folder, beginning with a seed: the projection's first values are drawn from it."""
    split, caches = listening

    def begin(options, folder, seed, **more):
        student = student_of(split)
        keras.utils.set_random_seed(seed)
        return student, train(student, split, folder=folder, **{**OPTIONS, **options(caches), **more})

    return begin


@pytest.fixture(scope="module")
def whole(eagerly_in_module, request, trained, tmp_path_factory):
    """The options, and what nobody cut."""
    return request.param, *trained(request.param, tmp_path_factory.mktemp("whole"), 0)


@pytest.mark.slow
@pytest.mark.usefixtures("eagerly_in_module")
@pytest.mark.parametrize(
    ("whole", "after"), [(one_teacher, 1), (one_teacher, 3), (all_that_moves, 1)], indirect=["whole"]
)
def test_cut_training_ends_with_the_same_weights(trained, whole, tmp_path, after):
    options, student, expected_logs = whole
    with suppress(KeyboardInterrupt):  # after=3: everything was trained, and nothing else happened any more
        trained(options, tmp_path, 0, callbacks=[Stop(after)])
    again, logs = trained(options, tmp_path, 7)
    assert len(logs) == 3 and logs == expected_logs
    for expected, found in zip(student.get_weights(), again.get_weights(), strict=True):
        assert np.array_equal(expected, found)


def test_arguments_reach_the_distiller(listening, monkeypatch):
    split, caches = listening
    told = all_that_moves(caches)
    made = []
    monkeypatch.setattr("kdrec.distill.train.fit", lambda distiller, *rest, **options: made.append(distiller) or [])
    width = {"item_embedding": np.ones((split.train.n_items, 5))}, {"item_embedding": np.ones((split.train.n_items, 3))}
    for tables in (None, width):
        train(student_of(split), split, **{**OPTIONS, **told, "tables": tables})
    with pytest.raises(TrainingError, match=r"tables must have one dict a teacher \(2\), not 1"):
        train(student_of(split), split, **{**OPTIONS, **told, "tables": {}})
    config = made[0].get_config()
    steps = -(-len(training_rows(split.train, True, 5)[0]) // OPTIONS["batch_size"])
    assert config["total_steps"] == 3 * steps and config["weighting"] == "uncertainty"
    assert config["teacher_weights"] == [pytest.approx(0.7), "linear:0.0:0.5"]
    assert config["student_loss_weight"] == "linear:0.9:0.2"
    assert made[0].loss is told["student_loss"]


def test_nan_in_the_first_epoch_is_named(listening, tmp_path):
    split, caches = listening
    student = student_of(split)
    before = student.get_weights()
    with pytest.raises(TrainingError, match="student: .* became .* epoch 1"):
        train(student, split, learning_rate=1e30, **OPTIONS, **one_teacher(caches))
    assert all(np.array_equal(a, b) for a, b in zip(before, student.get_weights(), strict=True))

"""A loss with a layer of its own (a projection) is cut, resumed and stopped like any other."""

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
from kdrec.losses.feature_matching import FeatureMatching
from kdrec.models.students.history import history
from kdrec.models.teachers.als import als


@pytest.fixture(scope="module")
def listening(tmp_path_factory):
    split = leave_last_out(demo(users=60, items=40))
    rows = training_rows(split.train, True, 5)
    cache = TeacherCache.write(
        tmp_path_factory.mktemp("als") / "cache", als(split.train, factors=5), split.train, *rows
    )
    return split, {"cache": cache, "cuts_per_user": 5, "student_loss_weight": 0.5, "epochs": 3, "batch_size": 64}


def student_of(split):
    return history(split.train.n_items, embedding_dim=4, history_length=6, hidden=5)


class Stop(keras.callbacks.Callback):
    def __init__(self, after):
        super().__init__()
        self.after = after

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.after:
            raise KeyboardInterrupt


@pytest.mark.parametrize("after", [1, 3])
def test_cut_training_ends_with_the_same_weights(listening, tmp_path, after):
    split, options = listening
    whole, cut, again = (student_of(split) for _ in range(3))
    keras.utils.set_random_seed(0)  # the projection's first values are drawn from it
    train(whole, split, losses=[FeatureMatching()], folder=tmp_path / "whole", **options)
    keras.utils.set_random_seed(0)
    with suppress(KeyboardInterrupt):  # after=3: everything was trained, and nothing else happened any more
        train(cut, split, losses=[FeatureMatching()], folder=tmp_path / "cut", callbacks=[Stop(after)], **options)
    keras.utils.set_random_seed(7)
    logs = train(again, split, losses=[FeatureMatching()], folder=tmp_path / "cut", **options)
    assert len(logs) == 3
    for expected, found in zip(whole.get_weights(), again.get_weights(), strict=True):
        assert np.array_equal(expected, found)


def test_nan_in_the_first_epoch_is_named(listening, tmp_path):
    split, options = listening
    student = student_of(split)
    before = student.get_weights()
    with pytest.raises(TrainingError, match="student: .* became .* epoch 1"):
        train(student, split, losses=[FeatureMatching()], learning_rate=1e30, **options)
    assert all(np.array_equal(a, b) for a, b in zip(before, student.get_weights(), strict=True))

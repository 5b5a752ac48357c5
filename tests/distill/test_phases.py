"""A training of several phases: each goes on from the one before, alone or cut and started again."""

from contextlib import suppress

import numpy as np
import pytest
import tf_keras as keras

from kdrec.data.sets.demo import demo
from kdrec.data.splits import leave_last_out
from kdrec.distill.phases import Phase, phases
from kdrec.distill.rows import rows_of
from kdrec.distill.teacher_cache import TeacherCache
from kdrec.distill.train import train
from kdrec.errors import TrainingError
from kdrec.losses.feature_matching import FeatureMatching
from kdrec.models.students.history import history
from kdrec.models.teachers.als import als

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("eagerly_in_module")]

OF = [Phase(1, 1.0, 0.01), Phase(2, 0.3, 0.01), Phase(1, 1.0, 0.001)]


@pytest.fixture(scope="module")
def listening(tmp_path_factory):
    split = leave_last_out(demo(users=60, items=40))
    rows, folder = rows_of(split, 5), tmp_path_factory.mktemp("als") / "cache"
    cache = TeacherCache.write(
        folder, als(split.train, factors=5), rows.interactions, rows.users, rows.cuts, needs={"user_embedding"}
    )
    return split, {"cache": cache, "cuts_per_user": 5, "batch_size": 150}


def student_of(split):
    return history(split.train.n_items, embedding_dim=4, history_length=6, hidden=5)


def same(first, second):
    return all(np.array_equal(a, b) for a, b in zip(first.get_weights(), second.get_weights(), strict=True))


def test_one_phase_is_a_plain_training(listening, tmp_path):
    split, options = listening
    one, other = student_of(split), student_of(split)
    settings = {"epochs": 2, "student_loss_weight": 0.5, "learning_rate": 0.01}
    keras.utils.set_random_seed(0)
    logs = train(one, split, losses=[FeatureMatching()], folder=tmp_path / "one", **settings, **options)
    keras.utils.set_random_seed(0)
    of = [Phase(2, 0.5, 0.01)]
    assert phases(other, split, of, losses=[FeatureMatching()], folder=tmp_path / "other", **options) == logs
    assert same(one, other)
    assert {path.name for path in (tmp_path / "other").iterdir()} == {
        path.name for path in (tmp_path / "one").iterdir()
    }


def test_phases_follow_each_other(listening):
    """The same by hand: what phases hand on is the student alone."""
    split, options = listening
    by_hand, student, told = student_of(split), student_of(split), []
    alone = {name: options[name] for name in ("cuts_per_user", "batch_size")}
    expected = []
    for phase in OF:
        keras.utils.set_random_seed(4)
        heard = alone if phase.student_loss_weight == 1 else {**options, "losses": [FeatureMatching()]}
        expected += train(
            by_hand, split, seed=4, epochs=phase.epochs, student_loss_weight=phase.student_loss_weight,
            learning_rate=phase.learning_rate, **heard,
        )  # fmt: skip
    logs = phases(
        student, split, OF, losses=[FeatureMatching()], seed=4, progress=lambda *said: told.append(said[:3]), **options
    )
    assert logs == expected and same(student, by_hand)
    assert told == [("student", done, 4) for done in (1, 2, 3, 4)]
    assert [epoch["distillation_loss"] > 0 for epoch in logs] == [False, True, True, False]


class Stop(keras.callbacks.Callback):
    """Interrupts a training after so many epochs of all phases."""

    def __init__(self, epoch):
        super().__init__()
        self.left = epoch

    def on_epoch_begin(self, epoch, logs=None):
        if self.left == 0:
            raise KeyboardInterrupt
        self.left -= 1


@pytest.fixture(scope="module")
def whole(eagerly_in_module, listening, tmp_path_factory):
    """What nobody cut, and its logs."""
    student = student_of(listening[0])
    folder = tmp_path_factory.mktemp("whole")
    return student, phases(student, listening[0], OF, losses=[FeatureMatching()], folder=folder, **listening[1])


@pytest.mark.parametrize("epoch", [1, 2])
def test_a_cut_training_ends_with_the_same_weights(listening, whole, tmp_path, epoch):
    """Between the first two phases, and within the second."""
    split, options = listening
    student, logs = whole
    cut, again = student_of(split), student_of(split)
    with suppress(KeyboardInterrupt):
        phases(cut, split, OF, losses=[FeatureMatching()], folder=tmp_path / "cut", callbacks=[Stop(epoch)], **options)
    assert not same(cut, student)
    keras.utils.set_random_seed(7)  # another process has drawn other numbers
    assert phases(again, split, OF, losses=[FeatureMatching()], folder=tmp_path / "cut", **options) == logs
    assert same(again, student)


def test_what_is_no_phase_is_refused(listening):
    with pytest.raises(TrainingError, match="epochs of a phase must be at least 1, not 0; leave the phase out"):
        Phase(0, 1.0, 0.1)
    with pytest.raises(TrainingError, match="phases must be at least one, not none"):
        phases(student_of(listening[0]), listening[0], [])

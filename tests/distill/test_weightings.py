"""How the parts of the loss add up and how rows count: fixed, learned, or by the teacher's confidence."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras

from kdrec.distill import weightings
from kdrec.distill.distiller import Distiller
from kdrec.distill.weightings.base import Weighting
from kdrec.distill.weightings.fixed import fixed
from kdrec.distill.weightings.teacher_confidence import teacher_confidence
from kdrec.distill.weightings.uncertainty import uncertainty
from kdrec.errors import TrainingError, UnknownNameError
from kdrec.losses.base import Batch, DistillationLoss
from kdrec.losses.feature_matching import FeatureMatching
from kdrec.losses.score_mse import ScoreMse
from kdrec.losses.softened_kl import SoftenedKl
from kdrec.losses.softmax import Softmax
from kdrec.models.students.history import history

ROWS, ITEMS, LENGTH = 6, 9, 4
RNG = np.random.default_rng(0)
HISTORY = np.stack([RNG.permutation(ITEMS)[:LENGTH] + 1 for _ in range(ROWS)]).astype(np.int32)
SEEN = np.zeros((ROWS, ITEMS), bool)
np.put_along_axis(SEEN, HISTORY - 1, True, axis=1)
LABELS = np.concatenate([np.argmin(SEEN, axis=1)[:, None] + 1, -HISTORY], axis=1).astype(np.int32)
SCORES = 3 * RNG.normal(size=(ROWS, ITEMS)).astype(np.float32)
STORED = {"history": HISTORY, "teacher_scores": SCORES}


class OfRow(DistillationLoss):
    """3 for the first row, 6 for the second, …: no student can change it."""

    def call(self, student, teacher, batch):
        return 3.0 * tf.range(1.0, tf.shape(batch.seen)[0] + 1) + 0.0 * student["scores"][:, 0]


def a_student(seed=1):
    return history(ITEMS, embedding_dim=4, history_length=LENGTH, hidden=5, seed=seed)


def compiled(losses, rate=0.0, student=None, **options):
    distiller = Distiller(None, a_student() if student is None else student, losses, **options)
    distiller.compile(keras.optimizers.SGD(rate), loss=Softmax())
    return distiller


def judged(distiller, x=STORED, **options):
    return distiller.evaluate(x, LABELS, batch_size=ROWS, return_dict=True, verbose=0, **options)


def confidences(scores, seen):
    """1 − H/log n of each row's softmax over unseen items, over their mean; one row and item at a time."""
    found = []
    for row, left_out in zip(scores.astype(float), seen, strict=True):
        unseen = [score for score, out in zip(row, left_out, strict=True) if not out]
        shares = [np.exp(score) / sum(np.exp(unseen)) for score in unseen]
        found.append(1 + sum(p * np.log(p) for p in shares) / np.log(len(unseen)))
    return np.array(found) / np.mean(found)


@pytest.mark.parametrize("name", weightings.names())
def test_every_weighting_starts_as_a_weighted_sum_of_the_parts(name):
    weighting = weightings.get(name)(3)
    assert isinstance(weighting, Weighting) and weighting.needs <= {"scores"}
    total = weighting.total([0.5, 2.0, 0.0], [tf.constant(value) for value in (4.0, 1.0, 100.0)], 1.0)
    assert float(total) == 4.0
    rows = weighting.rows({"scores": tf.constant(SCORES)}, Batch.of(SEEN))
    assert rows.shape == (ROWS,) and rows.dtype == tf.float32
    assert float(tf.reduce_mean(rows)) == pytest.approx(1.0, rel=1e-5)


def test_folder_holds_them_and_an_unknown_one_is_refused():
    assert weightings.names() == ["fixed", "teacher_confidence", "uncertainty"]
    with pytest.raises(UnknownNameError, match="weightings has no 'gradnorm'; it has fixed, teacher_confidence, unc"):
        compiled(ScoreMse(), weighting="gradnorm")
    with pytest.raises(TrainingError, match=r"Weighting must define total\(weights, values, share\)"):
        Weighting(2).total([], [], 1.0)


def test_fixed_by_hand():
    assert float(fixed([0.25, 0.5], [tf.constant(8.0), tf.constant(3.0)])) == 3.5


def test_uncertainty_by_hand_and_its_gradient():
    s = tf.Variable(np.log([2.0, 4.0, 5.0]), dtype=tf.float32)
    values = [tf.constant(value) for value in (6.0, 4.0, 7.0)]
    with tf.GradientTape() as tape:
        total = uncertainty([1.0, 0.5, 0.0], values, s)
    assert float(total) == pytest.approx(6 / 2 + np.log(2) + 0.5 * (4 / 4 + np.log(4)))
    # c (1 − L exp(−s)): the second part is at its best s already, the third has no weight
    assert np.allclose(tape.gradient(total, s), [1 - 6 / 2, 0.0, 0.0], atol=1e-6)
    assert float(uncertainty([1.0], [tf.constant(3.0)], s[:1], share=0.5)) == pytest.approx(1.5 + 0.5 * np.log(2))


def test_teacher_confidence_is_that_of_the_slow_oracle():
    found = teacher_confidence(tf.constant(SCORES), tf.constant(SEEN)).numpy()
    assert np.allclose(found, confidences(SCORES, SEEN), rtol=1e-4)
    assert found.max() > 1.5 * found.min() > 0
    bent = np.where(SEEN, 40.0, SCORES)  # seen items do not count
    assert np.allclose(teacher_confidence(tf.constant(bent), tf.constant(SEEN)), found, rtol=1e-4)


def test_confidence_has_its_undefined_cases():
    nothing = tf.zeros([3, 4], tf.bool)
    assert teacher_confidence(tf.ones([3, 4]), nothing).numpy().tolist() == [1.0] * 3  # sure of nothing
    one_left = tf.constant([[True, True, True, False], [False] * 4, [True] * 4])
    found = teacher_confidence(tf.zeros([3, 4]), one_left).numpy()  # the only item left, no choice, no item left
    assert np.all(np.isfinite(found)) and found[0] > 0 and found[1] == pytest.approx(0, abs=1e-6)
    extreme = teacher_confidence(1e4 * tf.constant(SCORES), tf.constant(SEEN)).numpy()
    assert np.allclose(extreme, 1.0)


@pytest.mark.usefixtures("eagerly")
def test_confidence_weighs_rows_and_sample_weights_multiply():
    expected = confidences(SCORES, SEEN) * 3.0 * np.arange(1, ROWS + 1)
    distiller = compiled(OfRow(), weighting="teacher_confidence")
    assert judged(distiller)["distillation_loss"] == pytest.approx(expected.mean(), rel=1e-4)
    weights = np.array([2.0, 0.0, 1.0, 0.5, 0.0, 1.0], np.float32)
    found = judged(distiller, sample_weight=weights)["distillation_loss"]
    assert found == pytest.approx((weights * expected).mean(), rel=1e-4)
    assert judged(distiller, sample_weight=np.zeros(ROWS))["total_loss"] == 0


def test_confidence_needs_scores():
    losses = FeatureMatching()
    x = {"history": HISTORY, "teacher_user_embedding": np.ones((ROWS, 3), np.float32)}
    with pytest.raises(
        TrainingError, match="weighting teacher_confidence needs the teacher's scores, but it gives use"
    ):
        judged(compiled(losses, weighting="teacher_confidence"), x)


def test_uncertainty_learns_towards_the_parts_sizes():
    """A part that stays at L has s = log L in the end; here the soft one is 3.5 · 3 = 10.5."""
    distiller = compiled(OfRow(), rate=0.5, weighting="uncertainty")
    assert [weight.name for weight in distiller.trainable_weights][-1] == "log_variances:0"
    distiller.fit(STORED, LABELS, batch_size=ROWS, epochs=60, verbose=0)
    logs = judged(distiller)
    s = distiller.weighting.log_variances.numpy()
    assert s[1] == pytest.approx(np.log(10.5), abs=1e-3)
    assert logs["distillation_loss"] == pytest.approx(10.5, rel=1e-5)  # what is told is what was measured
    parts = [np.exp(-s[0]) * logs["student_loss"] + s[0], np.exp(-s[1]) * 10.5 + s[1]]
    assert logs["total_loss"] == pytest.approx(0.5 * sum(parts), rel=1e-4)


@pytest.mark.usefixtures("eagerly")
def test_uncertainty_is_that_of_every_loss_and_teacher_and_reloads(tmp_path):
    options = {"teacher_weights": [0.25, "linear:1:0"], "total_steps": 50, "weighting": "uncertainty"}
    distiller = compiled([ScoreMse(), SoftenedKl(temperature="linear:4:1")], 0.1, student_loss_weight=0.4, **options)
    stored = {**STORED, "teacher2_scores": -SCORES}
    distiller.fit(stored, LABELS, batch_size=ROWS, epochs=5, verbose=0)
    s = distiller.weighting.log_variances.numpy()
    assert s.shape == (5,) and np.all(s != 0)
    distiller.save(tmp_path / "last.keras")
    loaded = keras.models.load_model(tmp_path / "last.keras")
    assert np.array_equal(loaded.weighting.log_variances, s)
    assert loaded.get_config()["teacher_weights"] == [0.25, "linear:1.0:0.0"]
    assert loaded.get_config().items() >= {"weighting": "uncertainty", "total_steps": 50}.items()
    distiller.compile(loss=Softmax())
    loaded.compile(loss=Softmax())
    assert judged(loaded, stored) == pytest.approx(judged(distiller, stored))


@pytest.mark.usefixtures("eagerly")
def test_rows_that_only_users_label_leave_the_uncertainty_of_the_soft_part_alone():
    """Validation brings no teacher: its total is the hard part's."""
    distiller = compiled(ScoreMse(), weighting="uncertainty")
    distiller.weighting.log_variances.assign([1.0, 2.0])
    logs = judged(distiller, {"history": HISTORY})
    assert logs["total_loss"] == pytest.approx(0.5 * (np.exp(-1.0) * logs["student_loss"] + 1.0), rel=1e-5)

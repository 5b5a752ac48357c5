"""The Distiller's contract: what Keras's own example forgets is what is tested here."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras

from kdrec import losses
from kdrec.distill.distiller import Distiller
from kdrec.errors import TrainingError
from kdrec.losses.base import Batch
from kdrec.losses.feature_matching import FeatureMatching
from kdrec.losses.score_mse import ScoreMse
from kdrec.losses.softened_kl import SoftenedKl
from kdrec.losses.softmax import Softmax
from kdrec.models.students.history import history

ROWS, ITEMS, LENGTH = 12, 30, 5


def batch(seed=0):
    rng = np.random.default_rng(seed)
    tokens = np.stack([rng.permutation(ITEMS)[: LENGTH + 1] + 1 for _ in range(ROWS)]).astype(np.int32)
    return {"history": tokens[:, :LENGTH]}, np.concatenate([tokens[:, LENGTH:], -tokens[:, :LENGTH]], axis=1)


def a_student(seed=1, dropout=0.0, penalty=0.0):
    student = history(ITEMS, embedding_dim=6, history_length=LENGTH, hidden=7, seed=seed)
    if not dropout and not penalty:
        return student
    query = student.get_layer("query").output
    query = keras.layers.Dropout(dropout, seed=3)(query)
    penalised = keras.layers.Dense(
        ITEMS, kernel_regularizer=keras.regularizers.L2(penalty),
        kernel_initializer=keras.initializers.GlorotUniform(seed=4), name="out",
    )(query)  # fmt: skip
    return keras.Model(student.input, penalised)


def compiled(distiller, rate=0.1, **kwargs):
    distiller.compile(keras.optimizers.SGD(rate), loss=Softmax(), **kwargs)
    return distiller


def weights_of(model):
    return np.concatenate([weight.ravel() for weight in model.get_weights()])


@pytest.mark.usefixtures("eagerly")
def test_student_loss_weight_one_is_plain_training_to_the_bit():
    x, y = batch()
    plain, distilled = a_student(penalty=0.1), a_student(penalty=0.1)
    plain.compile(keras.optimizers.Adam(0.01), loss=Softmax())
    plain.fit(x, y, epochs=2, batch_size=6, shuffle=False, verbose=0)
    distiller = Distiller(lambda x: np.ones((len(x["history"]), ITEMS)), distilled, SoftenedKl(), student_loss_weight=1)
    distiller.compile(keras.optimizers.Adam(0.01), loss=Softmax())
    distiller.fit(x, y, epochs=2, batch_size=6, shuffle=False, verbose=0)
    assert np.array_equal(weights_of(plain), weights_of(distilled))
    assert not np.array_equal(weights_of(plain), weights_of(a_student(penalty=0.1)))


@pytest.mark.usefixtures("eagerly")
def test_penalty_is_added_once_and_not_scaled_by_the_mix():
    x, y = batch()
    for alpha in (0.0, 0.25):
        student = a_student(penalty=0.5)
        distiller = compiled(Distiller(None, student, [], student_loss_weight=alpha))
        logs = distiller.evaluate(x, y, return_dict=True, verbose=0)
        penalty = 0.5 * np.sum(student.get_layer("out").get_weights()[0] ** 2)
        assert logs["total_loss"] == pytest.approx(alpha * logs["student_loss"] + penalty, rel=1e-5)


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("loss", [SoftenedKl(temperature=3.0), ScoreMse()], ids=["softened_kl", "score_mse"])
def test_copy_of_the_teacher_does_not_move_under_the_soft_loss_alone(loss):
    x, y = batch()
    teacher, student = a_student(), a_student()
    before = weights_of(student)
    compiled(Distiller(teacher, student, loss, student_loss_weight=0)).fit(x, y, epochs=2, verbose=0)
    assert np.allclose(weights_of(student), before, atol=1e-7)
    other = a_student(seed=9)
    before = weights_of(other)
    compiled(Distiller(teacher, other, loss, student_loss_weight=0)).fit(x, y, epochs=2, verbose=0)
    assert not np.allclose(weights_of(other), before, atol=1e-5)


@pytest.mark.usefixtures("eagerly")
def test_evaluate_is_free_of_dropout():
    x, y = batch()
    distiller = compiled(Distiller(a_student(), a_student(dropout=0.5), SoftenedKl()))
    assert distiller.evaluate(x, y, verbose=0) == distiller.evaluate(x, y, verbose=0)
    first, second = (distiller.student(x, training=True).numpy() for _ in range(2))
    assert not np.array_equal(first, second)


@pytest.mark.usefixtures("eagerly")
def test_zero_sample_weight_gives_zero_loss_and_weights_rows():
    x, y = batch()
    distiller = compiled(Distiller(a_student(seed=9), a_student(), SoftenedKl()))
    assert distiller.evaluate(x, y, sample_weight=np.zeros(ROWS), return_dict=True, verbose=0)["total_loss"] == 0
    half = np.repeat([1.0, 0.0], ROWS // 2)
    weighted = distiller.evaluate(x, y, sample_weight=half, return_dict=True, verbose=0)
    first = distiller.evaluate({"history": x["history"][: ROWS // 2]}, y[: ROWS // 2], return_dict=True, verbose=0)
    for name in ("student_loss", "distillation_loss", "total_loss"):
        assert weighted[name] == pytest.approx(first[name] / 2, rel=1e-5)


@pytest.mark.usefixtures("eagerly")
def test_loss_is_the_stated_mix():
    x, y = batch()
    teacher, student = a_student(seed=9), a_student()
    soft_losses = [SoftenedKl(temperature=2.0), ScoreMse()]
    distiller = compiled(Distiller(teacher, student, soft_losses, [0.3, 2.0], student_loss_weight=0.25))
    logs = distiller.evaluate(x, y, return_dict=True, verbose=0)
    seen = np.zeros((ROWS, ITEMS), bool)
    np.put_along_axis(seen, x["history"] - 1, True, axis=1)
    fields = [{"scores": tf.constant(model.predict(x, verbose=0))} for model in (student, teacher)]
    soft = sum(w * np.mean(loss(*fields, Batch.of(seen))) for w, loss in zip([0.3, 2.0], soft_losses, strict=True))
    assert logs["distillation_loss"] == pytest.approx(soft, rel=1e-5)
    assert logs["total_loss"] == pytest.approx(0.25 * logs["student_loss"] + 0.75 * soft, rel=1e-5)
    assert 0 < logs["ndcg@10"] < 1


def test_callback_changes_weight_and_temperature_inside_the_compiled_step():
    x, y = batch()
    distiller = compiled(Distiller(a_student(seed=9), a_student(), SoftenedKl(temperature=1.0)), rate=0.0)
    seen = []

    class Change(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append((logs["total_loss"], logs["distillation_loss"]))
            if epoch == 0:
                distiller.student_loss_weight.assign(1.0)
            if epoch == 1:
                distiller.distillation_losses[0].temperature.assign(5.0)

    logs = distiller.fit(x, y, epochs=3, batch_size=ROWS, callbacks=[Change()], verbose=0).history
    assert seen[1][0] == pytest.approx(logs["student_loss"][1])  # alpha = 1: the hard loss alone
    assert seen[0][0] != pytest.approx(seen[1][0])
    assert seen[2][1] != pytest.approx(seen[1][1])


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("name", ["bpr", "in_batch_softmax"])
def test_hard_loss_may_be_any_keras_loss_on_signed_labels(name):
    x, y = batch()
    plain, distilled = a_student(), a_student()
    plain.compile(keras.optimizers.Adam(0.01), loss=losses.get(name)())
    plain.fit(x, y, epochs=2, batch_size=6, shuffle=False, verbose=0)
    distiller = Distiller(lambda x: np.ones((len(x["history"]), ITEMS)), distilled, SoftenedKl(), student_loss_weight=1)
    distiller.compile(keras.optimizers.Adam(0.01), loss=losses.get(name)())
    distiller.fit(x, y, epochs=2, batch_size=6, shuffle=False, verbose=0)
    assert np.array_equal(weights_of(plain), weights_of(distilled))


@pytest.mark.usefixtures("eagerly")
def test_teacher_stays_as_it_was():
    x, y = batch()
    teacher = a_student(seed=9, dropout=0.5)
    before = weights_of(teacher)
    distiller = compiled(Distiller(teacher, a_student(), SoftenedKl(), student_loss_weight=0))
    distiller.fit(x, y, verbose=0)
    assert np.array_equal(weights_of(teacher), before)
    assert teacher.trainable and teacher.trainable_weights
    assert len(distiller.trainable_variables) == len(distiller.student.trainable_variables)


def test_feature_matching_learns_a_projection_between_widths():
    x, y = batch()
    rng = np.random.default_rng(3)
    stored = {**x, "teacher_user_embedding": rng.normal(size=(ROWS, 4)).astype(np.float16)}
    distiller = Distiller(None, a_student(), FeatureMatching(), student_loss_weight=0)
    distiller.compile(keras.optimizers.Adam(0.05), loss=Softmax())
    distiller.build_losses(stored, y)
    distiller.optimizer.build(distiller.trainable_variables)  # now, or the step is traced twice
    logs = distiller.fit(stored, y, epochs=30, verbose=0).history
    assert logs["distillation_loss"][-1] < 0.5 * logs["distillation_loss"][0]
    assert distiller.distillation_losses[0].projection.kernel.shape == (6, 4)


@pytest.mark.usefixtures("eagerly")
def test_teacher_reads_a_longer_history_than_the_student():
    rng = np.random.default_rng(0)
    x = {"history": rng.integers(1, ITEMS + 1, (ROWS, LENGTH + 4)).astype(np.int32)}
    teacher = history(ITEMS, embedding_dim=16, history_length=LENGTH + 4, seed=9)
    distiller = compiled(Distiller(teacher, a_student(), ScoreMse(), student_loss_weight=0))
    labels = np.ones((ROWS, 1), np.int32)
    logs = distiller.evaluate(x, labels, return_dict=True, verbose=0)
    short = {"history": x["history"][:, -LENGTH:]}
    expected = np.mean((teacher.predict(x, verbose=0) - distiller.student.predict(short, verbose=0)) ** 2)
    assert logs["distillation_loss"] == pytest.approx(expected, rel=1e-4)


@pytest.mark.slow
@pytest.mark.usefixtures("eagerly")
def test_early_stopping_and_checkpoint_watch_ndcg_and_a_saved_distiller_reloads(tmp_path):
    x, y = batch()
    distiller = compiled(Distiller(a_student(seed=9), a_student(), SoftenedKl(temperature=2.0), [0.7], 0.4))
    path = str(tmp_path / "best.keras")
    callbacks = [
        keras.callbacks.EarlyStopping("val_ndcg@10", mode="max", patience=1),
        keras.callbacks.ModelCheckpoint(path, monitor="val_ndcg@10", mode="max"),
    ]
    logs = distiller.fit(x, y, validation_data=(x, y), epochs=3, callbacks=callbacks, verbose=0).history
    assert "val_ndcg@10" in logs
    loaded = keras.models.load_model(path)
    loaded.compile(keras.optimizers.SGD(), loss=Softmax())
    assert loaded.evaluate(x, y, return_dict=True, verbose=0)["ndcg@10"] == pytest.approx(max(logs["val_ndcg@10"]))
    assert float(loaded.student_loss_weight) == pytest.approx(0.4)
    assert float(loaded.distillation_loss_weights[0]) == pytest.approx(0.7)
    distiller.save(tmp_path / "last.keras")
    loaded = keras.models.load_model(tmp_path / "last.keras")
    assert np.allclose(loaded.predict(x, verbose=0), distiller.predict(x, verbose=0))


def test_errors_name_what_is_wrong():
    with pytest.raises(TrainingError, match=r"student_loss_weight must lie in \[0, 1\], not 1.5"):
        Distiller(None, a_student(), SoftenedKl(), student_loss_weight=1.5)
    with pytest.raises(TrainingError, match=r"one value a loss \(1\), not 2"):
        Distiller(None, a_student(), SoftenedKl(), [1.0, 2.0])
    with pytest.raises(TrainingError, match=r"student_loss_weight must lie in \[0, 1\], not linear:0:2"):
        Distiller(None, a_student(), SoftenedKl(), student_loss_weight="linear:0:2", total_steps=10)
    for name, value in (("student_loss_weight", "linear:0:1"), ("teacher_weights", ["linear:0:1"])):
        with pytest.raises(TrainingError, match=f"{name} linear:0.0:1.0 is a schedule and needs total_steps"):
            Distiller(None, a_student(), SoftenedKl(), **{name: value})
    with pytest.raises(TrainingError, match="total_steps must be at least 1, not 0"):
        Distiller(None, a_student(), SoftenedKl(), total_steps=0)
    with pytest.raises(TrainingError, match="query_layer 'hint' is not a layer of the student; its layers are history"):
        Distiller(None, a_student(), FeatureMatching(), query_layer="hint")
    with pytest.raises(TrainingError, match="student must be a Keras 2 model"):
        Distiller(None, lambda x: x, SoftenedKl())
    with pytest.raises(TrainingError, match="temperature must be positive, not 0"):
        SoftenedKl(temperature=0)
    x, y = batch()
    stored = {**x, "teacher_scores": np.zeros((ROWS, ITEMS), np.float32)}
    with pytest.raises(TrainingError, match="FeatureMatching needs the teacher's user_embedding, but it gives scores"):
        compiled(Distiller(None, a_student(), FeatureMatching())).fit(stored, y, verbose=0)

"""Training that is cut and goes on ends with the same weights; a NaN loss keeps the last good ones."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras

from kdrec.errors import TrainingError
from kdrec.training import TrainingState, fit

STEPS, EPOCHS = 5, 4


def model(seed=0):
    layers = [keras.layers.Dense(1, kernel_initializer=keras.initializers.GlorotUniform(seed=seed))]
    made = keras.Sequential([keras.Input((3,)), *layers])
    made.compile(keras.optimizers.Adam(0.05), "mse", metrics=["mae"])
    return made


def batches(first_epoch, spoil=None):
    def make():
        epoch = first_epoch
        while True:
            rng = np.random.default_rng([7, epoch])
            for step in range(STEPS):
                x = rng.normal(size=(4, 3)).astype(np.float32)
                yield x, np.full((4, 1), np.nan if spoil == (epoch, step) else 1.0, np.float32)
            epoch += 1

    spec = (tf.TensorSpec((None, 3), tf.float32), tf.TensorSpec((None, 1), tf.float32))
    return tf.data.Dataset.from_generator(make, output_signature=spec)


class Cut(keras.callbacks.Callback):
    def __init__(self, epoch, step):
        super().__init__()
        self.at, self.epoch = (epoch, step), 0

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self.epoch, batch) == self.at:
            raise KeyboardInterrupt


def train(folder, made, callbacks=(), make=batches, **state):
    return fit(
        made, make, TrainingState(folder, "student", **state), epochs=EPOCHS, steps_per_epoch=STEPS,
        callbacks=list(callbacks),
    )  # fmt: skip


def test_cut_training_ends_with_the_same_weights(tmp_path):
    whole = model()
    logs = train(tmp_path / "whole", whole)
    cut = model()
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "cut", cut, [Cut(epoch=2, step=3)])
    resumed = model(seed=5)
    again = train(tmp_path / "cut", resumed)
    assert [epoch["loss"] for epoch in again] == pytest.approx([epoch["loss"] for epoch in logs])
    assert len(logs) == EPOCHS
    for expected, found in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        assert np.array_equal(expected, found)
    again = model(seed=6)
    train(tmp_path / "cut", again)  # finished: nothing is trained, the weights are there
    assert np.array_equal(again.get_weights()[0], whole.get_weights()[0])


def test_best_epoch_is_kept_and_patience_stops(tmp_path):
    class Score(keras.callbacks.Callback):
        kept = None

        def on_epoch_begin(self, epoch, logs=None):
            self.epoch = epoch

        def on_test_end(self, logs=None):
            if self.epoch == 1:
                self.kept = self.model.get_weights()[0].copy()

    score, made = Score(), model()

    class Metric(keras.metrics.Metric):  # rises until epoch 1, then falls
        def __init__(self):
            super().__init__(name="quality")
            self.calls = 0

        def update_state(self, y, y_pred, sample_weight=None):
            return

        def result(self):
            return -abs(float(score.epoch) - 1.0)

        def reset_state(self):
            return

    made.compile(keras.optimizers.Adam(0.05), "mse", metrics=[Metric()], run_eagerly=True)
    state = TrainingState(tmp_path, "student", "val_quality", patience=1)
    logs = fit(
        made, batches, state, epochs=EPOCHS, steps_per_epoch=STEPS, validation=batches(0).take(1), callbacks=[score]
    )
    assert len(logs) == 3  # the third epoch is not better than the second, and patience is one
    assert np.array_equal(made.get_weights()[0], score.kept)


def test_nan_loss_names_stage_epoch_and_step_and_keeps_the_last_good_weights(tmp_path):
    good = model()
    fit(good, batches, TrainingState(None, "student"), epochs=2, steps_per_epoch=STEPS)
    made = model()
    with pytest.raises(TrainingError, match=r"student: the loss became nan in epoch 3, step 4; .* lower learning_rate"):
        train(tmp_path, made, make=lambda first: batches(first, spoil=(2, 3)))
    assert np.array_equal(made.get_weights()[0], good.get_weights()[0])


def test_monitor_must_be_logged(tmp_path):
    with pytest.raises(TrainingError, match="monitor 'val_ndcg@10' is not logged; logged are loss, mae"):
        train(tmp_path, model(), monitor="val_ndcg@10")

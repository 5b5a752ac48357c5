"""What is kept at the end of an epoch: what the other callbacks left, and nothing that is not finite."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras

from kdrec.errors import TrainingError
from kdrec.training import TrainingState, fit


def model(learning_rate: float) -> keras.Model:
    """y = w x, with w = 1."""
    made = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")])
    made.compile(keras.optimizers.SGD(learning_rate), "mse")
    return made


def nine(first_epoch: int) -> tf.data.Dataset:
    """x = 1, y = 9: the gradient of (w − 9)² at w = 1 is −16."""
    return tf.data.Dataset.from_tensors((np.ones((1, 1), np.float32), np.full((1, 1), 9.0, np.float32))).repeat()


def test_weights_that_are_not_finite_stop_the_training() -> None:
    """The loss of the last step was still good: only what the step left is not."""
    spoiled = model(1e38)
    with pytest.raises(TrainingError, match="pruned: dense.*kernel:0 became inf at the end of epoch 1; the weights of"):
        fit(spoiled, nine, TrainingState(None, "pruned"), epochs=1, steps_per_epoch=1)
    assert spoiled.get_weights()[0] == 1.0


def test_a_validation_loss_that_is_not_finite_stops_the_training() -> None:
    trained = model(0.25)
    unanswerable = tf.data.Dataset.from_tensors((np.ones((1, 1)), np.full((1, 1), np.nan)))
    with pytest.raises(TrainingError, match="student: val_loss became nan at the end of epoch 1; the weights of the"):
        fit(trained, nine, TrainingState(None, "student"), epochs=1, steps_per_epoch=1, validation=unanswerable)
    assert trained.get_weights()[0] == 1.0


def test_what_callbacks_leave_is_kept_and_reported_after() -> None:
    class Mask(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
            self.model.set_weights([np.zeros((1, 1))])

    masked, kept = model(0.25), []
    state = TrainingState(None, "pruned")
    fit(
        masked, nine, state, epochs=2, steps_per_epoch=1, callbacks=[Mask()],
        report=lambda epoch, logs: kept.append((epoch, len(state.epochs), logs["loss"])),
    )  # fmt: skip
    assert masked.get_weights()[0] == 0.0
    assert kept == [(0, 1, 64.0), (1, 2, 81.0)]  # (1 − 9)², then (0 − 9)²

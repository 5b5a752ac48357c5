"""Training that survives: a checkpoint each epoch, the best weights kept, a NaN loss named."""

import errno
import json
import math
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras as keras

from kdrec.errors import TrainingError
from kdrec.files import atomic_write


class TrainingState(keras.callbacks.Callback):
    """Writes what a killed training needs to go on, and stops when the monitored metric no longer rises.

    Args:
        folder: where the checkpoints go; None keeps the best weights in memory only.
        stage: named in errors, for example "student".
        monitor: a metric that is better when larger, for example "val_ndcg@10"; None keeps the last weights.
        patience: epochs without a rise before training stops; None never stops.
    """

    def __init__(self, folder: str | Path | None, stage: str, monitor: str | None = None, patience: int | None = None):
        super().__init__()
        self.folder, self.stage = None if folder is None else Path(folder), stage
        self.monitor, self.patience = monitor, patience
        self.epochs: list[dict[str, float]] = []
        self._best: list[np.ndarray] | None = None
        self._good: list[np.ndarray] | None = None

    @property
    def best_epoch(self) -> int:
        """The epoch (from 0) whose weights are kept."""
        if self.monitor is None:
            return len(self.epochs) - 1
        return int(np.argmax([logs[self.monitor] for logs in self.epochs]))

    @property
    def finished_early(self) -> bool:
        if self.patience is None or not self.epochs:
            return False
        return len(self.epochs) - 1 - self.best_epoch >= self.patience

    def resume(self, model: keras.Model) -> int:
        """Load the last complete epoch into a compiled model, if there is one, and return the epoch to go on with."""
        self._good = model.get_weights()
        if self.folder is None or not (self.folder / "state.json").exists():
            return 0
        self.epochs = json.loads((self.folder / "state.json").read_text())["epochs"]
        tf.train.Checkpoint(model=model).restore(str(self._checkpoint(len(self.epochs) - 1) / "all"))
        if (self.folder / "best.npz").exists():
            with np.load(self.folder / "best.npz", allow_pickle=False) as stored:
                self._best = [stored[f"w{i}"] for i in range(len(stored.files))]
        return len(self.epochs)

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        loss = (logs or {}).get("total_loss", (logs or {}).get("loss", 0.0))
        if not math.isfinite(loss):
            self._diverged("the loss", loss, f"in epoch {len(self.epochs) + 1}, step {batch + 1}")

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        logs = {name: float(value) for name, value in (logs or {}).items()}
        self._check_finite(logs)
        if self.monitor is not None and self.monitor not in logs:
            raise TrainingError(f"monitor {self.monitor!r} is not logged; logged are {', '.join(sorted(logs))}")
        self.epochs.append(logs)
        self._good = self.model.get_weights()
        if self.best_epoch == len(self.epochs) - 1:
            self._best = self._good
        if self.folder is not None:
            self._write()
        if self.finished_early:
            self.model.stop_training = True

    def keep_best(self) -> None:
        """Put the kept epoch's weights into the model."""
        if self._best is not None:
            self.model.set_weights(self._best)

    def _check_finite(self, logs: dict[str, float]) -> None:
        """The last step may have spoiled the weights after its own loss was still good."""
        found = {name: np.array(value) for name, value in logs.items() if name.endswith("loss")}
        found |= {weight.name: weight.numpy() for weight in self.model.trainable_weights}
        for name, values in found.items():
            wrong = values[~np.isfinite(values)]
            if wrong.size:
                self._diverged(name, wrong[0], f"at the end of epoch {len(self.epochs) + 1}")

    def _diverged(self, what: str, value: float, where: str) -> None:
        self.model.set_weights(self._good)
        raise TrainingError(
            f"{self.stage}: {what} became {value} {where}; the weights of the last good epoch are kept: lower "
            f"learning_rate, or raise temperature"
        )

    def _checkpoint(self, epoch: int) -> Path:
        assert self.folder is not None
        return self.folder / f"epoch-{epoch:04d}"

    def _write(self) -> None:
        assert self.folder is not None
        epoch = len(self.epochs) - 1
        try:
            tf.train.Checkpoint(model=self.model).write(str(self._checkpoint(epoch) / "all"))
        except tf.errors.ResourceExhaustedError as error:  # what TensorFlow makes of a full disk
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.folder)) from error
        if self._best is self._good:
            temporary = self.folder / ".best.npz"
            np.savez(temporary, allow_pickle=False, **{f"w{i}": weight for i, weight in enumerate(self._best or [])})
            temporary.replace(self.folder / "best.npz")
        atomic_write(self.folder / "state.json", json.dumps({"epochs": self.epochs}))  # the epoch counts from here on
        for folder in self.folder.glob("epoch-*"):
            if folder != self._checkpoint(epoch):
                shutil.rmtree(folder)


def fit(
    model: keras.Model,
    batches: Callable[[int], tf.data.Dataset],
    state: TrainingState,
    *,
    epochs: int,
    steps_per_epoch: int,
    validation: tf.data.Dataset | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    report: Callable[[int, dict[str, float]], None] | None = None,
) -> list[dict[str, float]]:
    """`model.fit` that goes on where a killed one stopped and ends with the same weights.

    Args:
        model: compiled; its step must draw no random numbers of its own.
        batches: first epoch -> a data set that holds the batches of that epoch and all later ones, in order.
        state: where the epochs are kept.
        epochs: of the whole training.
        steps_per_epoch: batches of an epoch.
        validation: batches to judge each epoch on.
        callbacks: more Keras callbacks; what they leave at the end of an epoch, for example pruned weights, is kept.
        report: called with (epoch from 0, logs) once an epoch is kept.

    Returns:
        The logs of every epoch, the resumed ones too.

    Raises:
        TrainingError: the loss became NaN or infinite.
    """
    first = state.resume(model)
    if first < epochs and not state.finished_early:
        told = [] if report is None else [keras.callbacks.LambdaCallback(on_epoch_end=report)]
        model.fit(
            batches(first), epochs=epochs, initial_epoch=first, steps_per_epoch=steps_per_epoch,
            validation_data=validation, callbacks=[*callbacks, state, *told], verbose=0,
        )  # fmt: skip
    else:
        state.set_model(model)
    state.keep_best()
    return state.epochs

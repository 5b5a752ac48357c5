"""The training of the teachers that learn by epochs: watched, kept, and continued where it was cut."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from kdrec.data.splits import Split
from kdrec.errors import TrainingError
from kdrec.files import atomic_write, canonical_json, sha256_of
from kdrec.models.teachers.base.batches import Batches
from kdrec.models.teachers.base.teacher import Progress

if TYPE_CHECKING:
    import tf_keras as keras


class Watch(NamedTuple):
    """Who follows a training.

    Args:
        validation: a split whose `valid` part chooses the epoch, by NDCG@10; None keeps the last epoch.
        patience: epochs without a better NDCG@10 before training stops.
        checkpoint_folder: keeps each epoch; a training that was cut goes on from there, with the same result.
        progress: called with (epoch, epochs, logs) after each epoch.
    """

    validation: Split | None
    patience: int
    checkpoint_folder: str | Path | None
    progress: Progress | None


def fit(
    model: Any,
    batches: Batches,
    watch: Watch,
    rows: dict[str, np.ndarray] | None,
    told: Mapping[str, Any],
    *,
    epochs: int,
    learning_rate: float,
    callbacks: Sequence["keras.callbacks.Callback"] = (),
) -> int:
    """Train a Keras 2 model in place, by Adam with warm-up and cosine decay.

    Args:
        model: its test step gives "ndcg@10".
        batches: what it learns from.
        watch: who follows.
        rows: what it reads of `watch.validation`; None keeps the last epoch.
        told: options of the model. With those of the batches they say which training a checkpoint is of.
        epochs, learning_rate: of the training.
        callbacks: of Keras.

    Returns:
        The epoch, from 0, whose weights the model has.

    Raises:
        TrainingError: the folder keeps another training, or the loss became NaN (the last good epoch is kept).
    """
    import tensorflow as tf
    import tf_keras as keras

    from kdrec import training

    if watch.checkpoint_folder is not None:
        _claim(Path(watch.checkpoint_folder), batches, watch, [dict(told), epochs, learning_rate])
    steps = epochs * batches.steps_per_epoch
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, decay_steps=steps, warmup_target=learning_rate, warmup_steps=min(20, steps - 1)
    )
    model.compile(keras.optimizers.Adam(rate, beta_2=0.99))
    model.optimizer.build(model.trainable_variables)  # now, or the first step is traced twice
    monitor, patience = (None, None) if rows is None else ("val_ndcg@10", watch.patience)
    state = training.TrainingState(watch.checkpoint_folder, "teacher", monitor, patience)

    def report(epoch: int, logs: dict[str, float]) -> None:
        if watch.progress is not None:
            watch.progress(epoch + 1, epochs, dict(logs))

    training.fit(
        model,
        batches,
        state,
        epochs=epochs,
        steps_per_epoch=batches.steps_per_epoch,
        validation=None if rows is None else tf.data.Dataset.from_tensor_slices(rows).batch(512),
        callbacks=callbacks,
        report=report,
    )
    return state.best_epoch


def _claim(folder: Path, batches: Any, watch: Watch, told: list[Any]) -> None:
    """Note in the folder which training its checkpoints are of, so that no other one goes on from them."""
    watched = None if watch.validation is None else [watch.validation.valid.fingerprint(), watch.patience]
    drawn = {field.name: getattr(batches, field.name) for field in fields(batches) if field.name != "train"}
    training = canonical_json([batches.train.fingerprint(), drawn, watched, told])
    note, key = folder / "training.json", sha256_of(training.encode())
    if not note.exists():
        atomic_write(note, canonical_json({"training": key}))
    elif json.loads(note.read_text())["training"] != key:
        raise TrainingError(
            f"checkpoint_folder {folder} holds the epochs of a training with other data or options; name another "
            f"folder, or delete it"
        )

"""One training of a student: rows, batches, Distiller, validation, checkpoints, in the order they happen."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tf_keras as keras

from kdrec.data.interactions import Interactions
from kdrec.data.splits import Split
from kdrec.distill.batches import TrainingBatches, validation_batches
from kdrec.distill.distiller import Distiller
from kdrec.distill.rows import rows_of
from kdrec.losses.base import DistillationLoss
from kdrec.losses.softmax import Softmax
from kdrec.schedules import Number
from kdrec.training import TrainingState, fit


def train(
    student: keras.Model,
    split: Split,
    *,
    cache: Any = None,
    losses: Sequence[DistillationLoss] = (),
    loss_weights: Sequence[Number] | None = None,
    student_loss_weight: Number = 1.0,
    student_loss: keras.losses.Loss | None = None,
    teacher_weights: Sequence[Number] | None = None,
    tables: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
    weighting: str = "fixed",
    epochs: int = 20,
    batch_size: int = 512,
    learning_rate: float = 0.005,
    patience: int | None = 3,
    monitor: str | None = "val_ndcg@10",
    validate: bool = True,
    cuts_per_user: int | None = 50,
    sampled: Interactions | None = None,
    sampled_a_row: float | None = None,
    hidden_share: tuple[float, float] = (0.0, 0.5),
    whole_share: float = 0.0,
    jit_compile: bool = False,
    seed: int = 0,
    stage: str = "student",
    folder: Path | None = None,
    progress: Callable[[str, int, int, str], None] | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> list[dict[str, float]]:
    """Train a student in place, with the teacher's stored answers if there are any, and keep its best epoch.

    Adam with a short warm-up and a cosine decay; schedules of weights and temperatures follow the whole training.

    Args:
        student: a functional model from `history` (and context) to scores (rows, n_items).
        split: trained on `train`, watched on `valid`.
        cache: the TeacherCache of this split's training rows, a list of them for several teachers, or None.
        losses, loss_weights, student_loss_weight: as of `Distiller`; without losses this is plain training.
        student_loss: the hard loss, on signed labels; None is the softmax over unseen items.
        teacher_weights, weighting: as of `Distiller`.
        tables: as of `Distiller`; None takes those that the caches hold.
        epochs, batch_size, learning_rate: of the training.
        patience: epochs without a better `monitor` before it stops; None never stops.
        monitor: which metric chooses the epoch; None keeps the last one.
        validate: whether each epoch is judged on validation; without, the last one is kept.
        cuts_per_user: at most so many training rows a user (ordered histories).
        sampled: users whom only the teacher labels, trained on beside those of `train`; the cache answers them, too.
        sampled_a_row: so many of them for each other row, drawn anew each epoch; None takes all.
        hidden_share, whole_share: as of `TrainingBatches`.
        jit_compile: compile the step with XLA: some seconds at the start, and less than half of the time a step where
            the catalogue has tens of thousands of items.
        seed: of order and hidden items.
        stage: named in errors and progress.
        folder: for checkpoints; with one, a killed training goes on where it was.
        progress: called with (stage, epochs done, epochs, note).
        callbacks: more Keras callbacks.

    Returns:
        The logs of each epoch.

    Raises:
        TrainingError: the loss became NaN, or a loss needs what the cache does not hold.
    """
    rows = rows_of(split, cuts_per_user, sampled)
    length = student.get_layer("history").input_shape[0][1]
    batches = TrainingBatches(
        rows.interactions, rows.users, rows.cuts, length, split.ordered, batch_size=batch_size, seed=seed, cache=cache,
        hidden_share=hidden_share, whole_share=whole_share, unlabelled=rows.unlabelled, unlabelled_a_row=sampled_a_row,
    )  # fmt: skip
    steps = batches.steps_per_epoch
    stored = None if batches.cache is None else batches.cache.tables
    distiller = Distiller(
        None, student, list(losses), loss_weights, student_loss_weight, teacher_weights=teacher_weights,
        tables=stored if tables is None else tables, total_steps=epochs * steps,
        weighting=weighting,
    )  # fmt: skip
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, decay_steps=epochs * steps, warmup_target=learning_rate, warmup_steps=min(20, epochs * steps - 1)
    )
    distiller.compile(keras.optimizers.Adam(rate, beta_2=0.99), loss=student_loss or Softmax(), jit_compile=jit_compile)
    distiller.build_losses(*batches.batch(np.arange(1), np.random.default_rng(seed)))
    distiller.optimizer.build(distiller.trainable_variables)  # now, or the first step is traced twice
    validate = validate and len(split.valid) > 0
    monitor = monitor if validate else None
    state = TrainingState(folder, stage, monitor, patience)

    def report(epoch: int, logs: dict[str, float]) -> None:
        if progress is not None:
            progress(stage, epoch + 1, epochs, f"{monitor or 'loss'} {logs[monitor or 'total_loss']:.4f}")

    return fit(
        distiller,
        batches,
        state,
        epochs=epochs,
        steps_per_epoch=steps,
        validation=validation_batches(split, length, seed=seed) if validate else None,
        callbacks=callbacks,
        report=report,
    )

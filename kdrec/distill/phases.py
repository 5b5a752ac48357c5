"""A training of several phases, one after another: for example pretrain, distill, fine-tune."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tf_keras as keras

from kdrec.data.splits import Split
from kdrec.distill.train import train
from kdrec.errors import TrainingError
from kdrec.schedules import Number

OF_THE_TEACHER = (
    *("cache", "losses", "loss_weights", "teacher_weights", "tables", "weighting", "sampled", "hidden_share"),
)


@dataclass(frozen=True)
class Phase:
    """A part of a training, with an optimizer and a learning rate that rises and falls of its own.

    Args:
        epochs: at least 1.
        student_loss_weight: α of the `Distiller`; 1 is the hard loss alone, and such a phase reads no teacher.
        learning_rate: its highest.
    """

    epochs: int
    student_loss_weight: Number
    learning_rate: float

    def __post_init__(self) -> None:
        if self.epochs < 1:
            raise TrainingError(f"epochs of a phase must be at least 1, not {self.epochs}; leave the phase out")


def phases(
    student: keras.Model,
    split: Split,
    of: Sequence[Phase],
    *,
    folder: Path | None = None,
    stage: str = "student",
    progress: Any = None,
    seed: int = 0,
    follow: Callable[[int], Sequence[keras.callbacks.Callback]] = lambda before: (),
    callbacks: Sequence[keras.callbacks.Callback] = (),
    **options: Any,
) -> list[dict[str, float]]:
    """Train a student in place, each phase from the best epoch of the one before.

    Args:
        student, split: as of `train`.
        of: the phases, in their order.
        folder: for checkpoints, in `phase-1/`, `phase-2/`, … if there are several; a killed training goes on where it
            was.
        stage, progress: as of `train`; epochs are counted over all phases.
        seed: as of `train`; several phases each set Keras's seeds to it, so that one that goes on repeats itself.
        follow: gives more callbacks to a phase, told of the epochs of those before it.
        callbacks: of every phase.
        **options: of `train`, the same for every phase; layers of losses (projections) begin anew in each.

    Returns:
        The logs of each epoch of all phases.

    Raises:
        TrainingError: no phase, or as of `train`.
    """
    if not of:
        raise TrainingError("phases must be at least one, not none; give Phase(epochs, student_loss_weight, rate)")
    curve: list[dict[str, float]] = []
    total = sum(phase.epochs for phase in of)
    for number, phase in enumerate(of):
        before = sum(earlier.epochs for earlier in of[:number])

        def report(name: str, done: int, _: int, note: str, before: int = before) -> None:
            if progress is not None:
                progress(name, before + done, total, note)

        told = dict(options)
        if phase.student_loss_weight == 1:
            told = {name: value for name, value in options.items() if name not in OF_THE_TEACHER}
        place = folder
        if len(of) > 1:
            keras.utils.set_random_seed(seed)
            told |= {"losses": [loss.for_another_teacher() for loss in told.get("losses", ())]}
            place = None if folder is None else folder / f"phase-{number + 1}"
        curve += train(
            student, split, student_loss_weight=phase.student_loss_weight, epochs=phase.epochs,
            learning_rate=phase.learning_rate, seed=seed, stage=stage, progress=report, folder=place,
            callbacks=[*callbacks, *follow(len(curve))], **told,
        )  # fmt: skip
    return curve

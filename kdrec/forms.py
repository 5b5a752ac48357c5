"""The student's forms while it is trained: built from a configuration, trained, pruned, kept as plain arrays."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tf_keras as keras

from kdrec import losses
from kdrec.compress.prune import prunable, pruning_step, strip
from kdrec.config import Config
from kdrec.data.histories import history_length
from kdrec.data.splits import Split
from kdrec.distill.batches import training_rows
from kdrec.distill.train import train
from kdrec.errors import UnknownNameError
from kdrec.losses.base import DistillationLoss, TemperedLoss
from kdrec.models import students
from kdrec.stages import Progress

LONGEST_HISTORY = 50  # by default a device keeps no more of a user than this

STUDENT_OPTIONS = ("student", "embedding_dim", "history_length", "encoder", "hidden", "tied", "seed")
TRAINING_OPTIONS = ("epochs", "batch_size", "learning_rate", "patience", "cuts_per_user")
DISTILLATION_OPTIONS = ("losses", "loss_weights", "temperature", "student_loss_weight")


def build_student(config: Config, split: Split) -> keras.Model:
    """An untrained student for the split's catalogue and context."""
    length = config.history_length or min(LONGEST_HISTORY, history_length(split.train))
    return students.get(config.student)(
        split.train.n_items, embedding_dim=config.embedding_dim, history_length=length, encoder=config.encoder,
        hidden=config.hidden, tied=config.tied, ordered=split.ordered, seed=config.seed,
        context={name: len(column.vocabulary) for name, column in split.train.context.items()},
    )  # fmt: skip


def soft_losses(config: Config) -> list[DistillationLoss]:
    """The configuration's distillation losses, those with a temperature at its temperature.

    Raises:
        UnknownNameError: no loss of that name, or one that compares with labels and not with a teacher.
    """
    found = [losses.get(name) for name in config.losses]
    for name, loss in zip(config.losses, found, strict=True):
        if not issubclass(loss, DistillationLoss):
            raise UnknownNameError(
                f"loss {name!r} compares with what users did, not with a teacher; it is the part that "
                f"student_loss_weight weighs: choose another distillation loss"
            )
    return [loss(temperature=config.temperature) if issubclass(loss, TemperedLoss) else loss() for loss in found]


def train_form(
    name: str, student: keras.Model, split: Split, config: Config, folder: Path, progress: Progress, **options: Any
) -> None:
    """Train a student in a stage's folder and leave its weights and curve there."""
    monitor = "val_ndcg@10" if len(split.valid) else None  # without validation items the last epoch is kept
    settings = {**config.only(*TRAINING_OPTIONS), "seed": config.seed, "monitor": monitor, **options}
    curve = train(student, split, stage=name, folder=folder / "checkpoint", progress=progress, **settings)
    _save(folder, student, curve)


def prune_form(
    student: keras.Model, split: Split, config: Config, folder: Path, progress: Progress, **options: Any
) -> None:
    """Prune a distilled student while the teacher still speaks; leave weights and curve in the folder."""
    rows = len(training_rows(split.train, split.ordered, config.cuts_per_user)[0])
    steps = config.prune_epochs * -(-rows // config.batch_size)
    end = max(1, steps * 2 // 3)  # the last third lets the rest of the weights settle
    pruned = prunable(student, config.sparsity, begin_step=0, end_step=end, frequency=max(1, end // 20))
    settings = {**config.only(*TRAINING_OPTIONS), "epochs": config.prune_epochs, "seed": config.seed + 1}
    settings |= {"patience": None, "monitor": None, **options}  # the last epoch is the one that is pruned
    curve = train(
        pruned, split, stage="pruned", folder=folder / "checkpoint", progress=progress,
        callbacks=[pruning_step()], **settings,
    )  # fmt: skip
    _save(folder, strip(pruned), curve)


def load_weights(student: keras.Model, folder: Path) -> keras.Model:
    """Put the weights that a stage left into a student."""
    with np.load(folder / "weights.npz", allow_pickle=False) as stored:
        student.set_weights([stored[f"w{i}"] for i in range(len(stored.files))])
    return student


def curve_of(folder: Path) -> list[dict[str, float]]:
    """The logs of each epoch that a stage left; none when it left none."""
    path = folder / "curve.json"
    return json.loads(path.read_text()) if path.exists() else []


def _save(folder: Path, student: keras.Model, curve: Sequence[dict[str, float]]) -> None:
    np.savez(
        folder / "weights.npz",
        allow_pickle=False,
        **{f"w{i}": weight for i, weight in enumerate(student.get_weights())},
    )
    (folder / "curve.json").write_text(json.dumps(list(curve)))

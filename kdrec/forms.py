"""The student's forms while it is trained: built from a configuration, trained, pruned, kept as plain arrays."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tf_keras as keras

from kdrec import objectives
from kdrec.compress import quantize_aware, recipes
from kdrec.compress.prune import prunable, pruning_step, strip
from kdrec.config import Config
from kdrec.data.histories import history_length
from kdrec.data.interactions import Interactions
from kdrec.data.splits import Split
from kdrec.distill.phases import Phase, phases
from kdrec.distill.rows import rows_of
from kdrec.distill.train import train
from kdrec.models import students
from kdrec.stages import Progress, Stage

LONGEST_HISTORY = 50  # by default a device keeps no more of a user than this
FINE_TUNE_RATE, QUANTIZE_RATE = 0.1, 0.5  # of the learning rate

STUDENT_OPTIONS = ("student", "embedding_dim", "history_length", "encoder", "hidden", "tied", "seed")
TRAINING_OPTIONS = ("batch_size", "patience", "cuts_per_user", "jit_compile")
RATE_OPTIONS = ("epochs", "learning_rate")
DISTILLATION_OPTIONS = (
    *("losses", "loss_weights", "loss_options", "temperature", "student_loss_weight", "weighting", "initialise"),
    *("teacher_weights", "whole_histories", "pretrain_epochs", "fine_tune_epochs"),
)
# What makes a student smaller -> what it is built by.
SHRUNK = {"shrink_dim": "embedding_dim", "shrink_hidden": "hidden", "shrink_history": "history_length"}


class Form(NamedTuple):
    """A student that a stage trained, and the configuration that it is built from."""

    stage: Stage
    config: Config


def build_student(config: Config, split: Split) -> keras.Model:
    """An untrained student for the split's catalogue and context."""
    return students.get(config.student)(
        split.train.n_items, embedding_dim=config.embedding_dim, history_length=length_of(config, split),
        encoder=config.encoder, hidden=config.hidden, tied=config.tied, ordered=split.ordered, seed=config.seed,
        context={name: len(column.vocabulary) for name, column in split.train.context.items()},
    )  # fmt: skip


def length_of(config: Config, split: Split) -> int:
    """How many items of history a student reads."""
    return config.history_length or min(LONGEST_HISTORY, history_length(split.train))


def key_of(config: Config, distilled: bool) -> dict[str, Any]:
    """What a trained student depends on, beside what it reads of earlier stages."""
    key = config.only(*STUDENT_OPTIONS, *TRAINING_OPTIONS, *RATE_OPTIONS, "student_loss")
    hard = {"student_loss_options": objectives.options_of(config, config.student_loss)}
    return {**key, **hard, **(config.only(*DISTILLATION_OPTIONS) if distilled else {})}


def distillation_phases(config: Config) -> list[Phase]:
    """Pretrain on the hard loss, distill, fine-tune on the hard loss; without what has no epochs."""
    rate = config.learning_rate
    wanted = [
        (config.pretrain_epochs, 1.0, rate),
        (config.epochs, config.student_loss_weight, rate),
        (config.fine_tune_epochs, 1.0, FINE_TUNE_RATE * rate),
    ]
    return [Phase(*phase) for phase in wanted if phase[0] > 0]


def train_form(
    name: str,
    student: keras.Model,
    split: Split,
    config: Config,
    of: Sequence[Phase],
    folder: Path,
    progress: Progress,
    **told: Any,
) -> None:
    """Train a student in a stage's folder and leave its weights and curve there.

    Args:
        name: of the stage.
        student: untrained.
        split, config: of the run.
        of: the phases of the training.
        folder, progress: of the stage.
        **told: what `train` is told of the teacher; nothing for a student that has none.
    """
    curve = phases(
        student, split, of, stage=name, folder=folder / "checkpoint", progress=progress,
        monitor="val_ndcg@10" if len(split.valid) else None,  # without validation items the last epoch is kept
        **_settings(config, split), **told,
    )  # fmt: skip
    _save(folder, student, curve)


def shrinks(config: Config) -> bool:
    """Whether the student is made smaller after its training."""
    return any(size is not None for size in config.only(*SHRUNK).values())


def smaller(config: Config) -> Config:
    """The configuration by which the student is built that `shrink_form` leaves.

    >>> smaller(Config(embedding_dim=64, shrink_dim=32)).embedding_dim
    32
    """
    sizes = {SHRUNK[option]: size for option, size in config.only(*SHRUNK).items() if size is not None}
    return replace(config, **sizes)


def shrink_form(
    narrower: keras.Model, split: Split, config: Config, folder: Path, progress: Progress, **told: Any
) -> None:
    """Train a student on that was just made narrower, from the weights that it was left; leave weights and curve."""
    alone = [Phase(config.shrink_epochs, config.student_loss_weight, config.learning_rate)]
    train_form("shrunk", narrower, split, replace(config, seed=config.seed + 3), alone, folder, progress, **told)


def prune_form(
    student: keras.Model,
    split: Split,
    config: Config,
    folder: Path,
    progress: Progress,
    sampled: Interactions | None = None,
    **told: Any,
) -> None:
    """Prune a distilled student while the teacher still speaks; leave weights and curve in the folder."""
    rows = len(rows_of(split, config.cuts_per_user, sampled).users)
    steps = config.prune_epochs * -(-rows // config.batch_size)
    end = max(1, steps * 2 // 3)  # the last third lets the rest of the weights settle
    pruned = prunable(student, config.sparsity, begin_step=0, end_step=end, frequency=max(1, end // 20))
    settings = {**_settings(config, split), "patience": None}  # the last epoch is the one that is pruned
    curve = train(
        pruned, split, stage="pruned", folder=folder / "checkpoint", progress=progress, monitor=None,
        callbacks=[pruning_step()], student_loss_weight=config.student_loss_weight, epochs=config.prune_epochs,
        learning_rate=config.learning_rate, sampled=sampled, **{**settings, "seed": config.seed + 1}, **told,
    )  # fmt: skip
    _save(folder, strip(pruned), curve)


def quantize_form(
    student: keras.Model, split: Split, config: Config, folder: Path, progress: Progress, **told: Any
) -> None:
    """Train a student on under the rounding of its recipe, what is pruned staying zero; leave weights and curve."""
    rounded = quantize_aware.quantizable(student, recipes.get(config.recipe), keep_zeros=config.sparsity > 0)
    settings = {**_settings(config, split), "patience": None}  # no epoch before the last has settled
    curve = train(
        rounded, split, stage="quantized", folder=folder / "checkpoint", progress=progress, monitor=None,
        student_loss_weight=config.student_loss_weight, epochs=config.quantize_epochs,
        learning_rate=QUANTIZE_RATE * config.learning_rate, **{**settings, "seed": config.seed + 2}, **told,
    )  # fmt: skip
    _save(folder, quantize_aware.strip(rounded), curve)


def _settings(config: Config, split: Split) -> dict[str, Any]:
    hard = objectives.hard_loss(config, split.train.item_counts())
    return {**config.only(*TRAINING_OPTIONS), "seed": config.seed, "student_loss": hard}


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

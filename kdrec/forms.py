"""The student's forms while it is trained: built from a configuration, trained, kept as plain arrays."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tf_keras as keras

from kdrec import objectives
from kdrec.config import Config
from kdrec.data.histories import history_length
from kdrec.data.kept_items import KeptItems
from kdrec.data.splits import Split
from kdrec.distill.phases import Phase, phases
from kdrec.models import students
from kdrec.stages import Stage, Watch

LONGEST_HISTORY = 50  # by default a device keeps no more of a user than this
FINE_TUNE_RATE = 0.1  # of the learning rate

STUDENT_OPTIONS = (
    *(
        "student",
        "embedding_dim",
        "history_length",
        "encoder",
        "hidden",
        "tied",
        "table",
        "table_options",
        "unit_rows",
        "seed",
    ),
)
TRAINING_OPTIONS = ("batch_size", "patience", "cuts_per_user", "jit_compile")
RATE_OPTIONS = ("epochs", "learning_rate")
DISTILLATION_OPTIONS = (
    *("losses", "loss_weights", "loss_options", "temperature", "student_loss_weight", "weighting", "initialise"),
    *("teacher_weights", "whole_histories", "pretrain_epochs", "fine_tune_epochs"),
)


class Form(NamedTuple):
    """A student that a stage trained, the configuration that it is built from, and the items it knows, if not all."""

    stage: Stage
    config: Config
    kept: KeptItems | None = None


def build_student(config: Config, split: Split, kept: KeptItems | None = None) -> keras.Model:
    """An untrained student for the split's catalogue and context; rare items share a row where some are kept."""
    return _built(config, split, split.train.n_items, kept=kept)


def student_of_file(student: keras.Model, config: Config, split: Split, kept: KeptItems) -> keras.Model:
    """The part of a cut student that its file holds: it reads and scores the items that are kept, and no others."""
    small = _built(config, split, kept.n_kept, unranked=int(kept.bucket))
    for layer in small.layers:  # rows of items that are kept come first in a table
        weights = student.get_layer(layer.name).get_weights()
        layer.set_weights([weight[: len(own)] for weight, own in zip(weights, layer.get_weights(), strict=True)])
    return small


def _built(config: Config, split: Split, n_items: int, **rows: Any) -> keras.Model:
    config = as_built(config)
    return students.get(config.student)(
        n_items, embedding_dim=config.embedding_dim, history_length=length_of(config, split), encoder=config.encoder,
        hidden=config.hidden, tied=config.tied, table=config.table, table_options=config.table_options,
        unit_rows=config.unit_rows,
        item_counts=split.train.item_counts(), ordered=split.ordered, seed=config.seed,
        context={name: len(column.vocabulary) for name, column in split.train.context.items()},
        **rows,
    )  # fmt: skip


def length_of(config: Config, split: Split) -> int:
    """How many items of history a student reads."""
    return config.history_length or min(LONGEST_HISTORY, history_length(split.train))


def as_built(config: Config) -> Config:
    """The configuration of a student whose table is still to be replaced: it has a full one."""
    return replace(config, table="full", table_options={}) if config.table_epochs else config


def key_of(config: Config, distilled: bool) -> dict[str, Any]:
    """What a trained student depends on, beside what it reads of earlier stages."""
    config = as_built(config)
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
    progress: Watch,
    finish: Callable[[keras.Model], keras.Model] = lambda student: student,
    **told: Any,
) -> None:
    """Train a student in a stage's folder and leave its weights and curve there.

    Args:
        name: of the stage.
        student: untrained.
        split, config: of the run.
        of: the phases of the training.
        folder, progress: of the stage.
        finish: makes of the trained student what is left there.
        **told: what `train` is told of the teacher; nothing for a student that has none.
    """
    curve = phases(
        student, split, of, stage=name, folder=folder / "checkpoint", progress=progress,
        monitor="val_ndcg@10" if len(split.valid) else None,  # without validation items the last epoch is kept
        follow=partial(progress.callbacks, folder.name), **settings(config, split), **told,
    )  # fmt: skip
    save(folder, finish(student), curve)


def settings(config: Config, split: Split) -> dict[str, Any]:
    """What every training of a student is told."""
    hard = objectives.hard_loss(config, split.train.item_counts())
    return {**config.only(*TRAINING_OPTIONS), "seed": config.seed, "student_loss": hard}


def load_weights(student: keras.Model, folder: Path) -> keras.Model:
    """Put the weights that a stage left into a student."""
    with np.load(folder / "weights.npz", allow_pickle=False) as stored:
        student.set_weights([stored[f"w{i}"] for i in range(len(stored.files))])
    return student


def save(folder: Path, student: keras.Model, curve: Sequence[dict[str, float]]) -> None:
    """Leave a student's weights and its training's logs in a stage's folder."""
    np.savez(
        folder / "weights.npz",
        allow_pickle=False,
        **{f"w{i}": weight for i, weight in enumerate(student.get_weights())},
    )
    (folder / "curve.json").write_text(json.dumps(list(curve)))

"""The work of the steps that make a student smaller: each trains on while the teacher still speaks."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import tf_keras as keras

from kdrec import forms, objectives, pack, vocabulary
from kdrec.compress import quantize_aware, recipes
from kdrec.compress.cluster import cluster_weights, strip_clustering
from kdrec.compress.prune import keeping_zeros, prunable, pruning_step, schedule, strip
from kdrec.compress.shared_rows import share_rows
from kdrec.compress.shrink import shrink
from kdrec.config import Config
from kdrec.data.splits import Split
from kdrec.distill.rows import rows_of
from kdrec.distill.train import train
from kdrec.forms import Form
from kdrec.models.initialisers.base import item_rows
from kdrec.stages import Watch
from kdrec.steps import Sources, answers, listening, sampled, student_of

MEASURED_ROWS = 4_096  # histories by which a student is made narrower
CLUSTER_RATE, QUANTIZE_RATE = 0.1, 0.5  # of the learning rate
# What makes a student narrower -> what it is built by.
SHRUNK = {"shrink_dim": "embedding_dim", "shrink_hidden": "hidden", "shrink_history": "history_length"}


def shrinks(config: Config) -> bool:
    """Whether the student is made narrower after its training."""
    return any(size is not None for size in config.only(*SHRUNK).values())


def narrower(config: Config) -> Config:
    """The configuration by which the student is built that `shrunk` leaves.

    >>> narrower(Config(embedding_dim=64, shrink_dim=32)).embedding_dim
    32
    """
    sizes = {SHRUNK[option]: size for option, size in config.only(*SHRUNK).items() if size is not None}
    return replace(config, **sizes)


def distilled(split: Split, sources: Sources, last: Form, said: Watch, folder: Path) -> None:
    """Distill a student that steps have made smaller before, its zeros staying."""
    model, told = keeping_zeros(student_of(last, split)), listening(sources, split, last.config)
    forms.train_form(
        "distilled_later", model, split, last.config, forms.distillation_phases(last.config), folder, said, strip,
        callbacks=[pruning_step()], **told,
    )  # fmt: skip


def shrunk(split: Split, sources: Sources, last: Form, said: Watch, folder: Path) -> None:
    """Make a student narrower, and train it on."""
    config = objectives.at_the_end(last.config)
    student, smaller = student_of(last, split), forms.build_student(narrower(config), split)
    shrink(student, smaller, pack.representative(split, smaller, config.seed, MEASURED_ROWS))
    told = listening(sources, split, config)
    curve = _trained("shrunk", smaller, split, config, config.shrink_epochs, folder, said, told, seed=3, best=True)
    forms.save(folder, smaller, curve)


def small_table(split: Split, sources: Sources, last: Form, said: Watch, folder: Path) -> None:
    """Give a student a table of fewer bytes that is fitted to its own, and train it on."""
    config, full = objectives.at_the_end(last.config), student_of(last, split)
    student, told = forms.build_student(replace(config, table_epochs=0), split), listening(sources, split, config)
    for layer in student.layers:
        if layer.name == "item_table":
            layer.fit(item_rows(full))
        else:
            layer.set_weights(full.get_layer(layer.name).get_weights())
    curve = _trained("small_table", student, split, config, config.table_epochs, folder, said, told, seed=3, best=True)
    forms.save(folder, student, curve)


def cut(split: Split, sources: Sources, last: Form, said: Watch, folder: Path) -> None:
    """Train a student on with table rows for some items only, the teacher still speaking of all."""
    config = objectives.at_the_end(last.config)
    told = listening(sources, split, config)
    kept = vocabulary.kept_items(split, answers(sources), sampled(sources.extra, split), config)
    kept.save(folder)
    smaller = forms.build_student(config, split, kept)
    share_rows(student_of(last, split), smaller, kept.positions, split.train.item_counts())
    curve = _trained("cut", smaller, split, config, config.vocabulary_epochs, folder, said, told, seed=3, best=True)
    forms.save(folder, smaller, curve)


def pruned(split: Split, sources: Sources, last: Form, said: Watch, folder: Path) -> None:
    """Prune a student, with schedules where the training left them."""
    config = objectives.at_the_end(last.config)
    told = listening(sources, split, config)
    rows = len(rows_of(split, config.cuts_per_user, told["sampled"]).users)
    end = max(1, config.prune_epochs * -(-rows // config.batch_size) * 2 // 3)  # what is left settles in the last third
    share = schedule(config.pruning_schedule, config.sparsity, 0, end, config.pruning_frequency or max(1, end // 20))
    model = prunable(student_of(last, split), share, sparsity_m_by_n=config.m_by_n)
    more = [pruning_step()]
    curve = _trained("pruned", model, split, config, config.prune_epochs, folder, said, told, seed=1, callbacks=more)
    forms.save(folder, strip(model), curve)


def clustered(split: Split, sources: Sources, last: Form, said: Watch, folder: Path) -> None:
    """Give a student's matrices few values."""
    config = objectives.at_the_end(last.config)
    model, told = cluster_weights(student_of(last, split), config.clusters or 0), listening(sources, split, config)
    rate, epochs = CLUSTER_RATE, config.cluster_epochs
    curve = _trained("clustered", model, split, config, epochs, folder, said, told, seed=3, rate=rate)
    forms.save(folder, strip_clustering(model), curve)


def quantized(split: Split, sources: Sources, last: Form, said: Watch, folder: Path) -> None:
    """Train a student on under the rounding that its files will have, zeros and clusters staying."""
    config = objectives.at_the_end(last.config)
    is_clustered = config.clusters is not None and config.steps.index("cluster") < config.steps.index("quantize")
    model = quantize_aware.quantizable(
        student_of(last, split), recipes.get(config.recipe), config.sparsity > 0,
        config.clusters if is_clustered else None,
    )  # fmt: skip
    rate, epochs, told = QUANTIZE_RATE, config.quantize_epochs, listening(sources, split, config)
    curve = _trained("quantized", model, split, config, epochs, folder, said, told, seed=2, rate=rate)
    forms.save(folder, quantize_aware.strip(model), curve)


def _trained(
    stage: str,
    student: keras.Model,
    split: Split,
    config: Config,
    epochs: int,
    folder: Path,
    said: Watch,
    told: dict[str, Any],
    *,
    seed: int,
    rate: float = 1.0,
    best: bool = False,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> list[dict[str, float]]:
    """Train on, and give the logs.

    Args:
        stage, student, split, config, folder, said: of the step.
        epochs: of this training.
        told: of the teacher.
        seed: added to the run's, so that no step draws the numbers of another.
        rate: share of the run's learning rate.
        best: keep the best epoch on validation; else the last, when all is zero, clustered or settled.
        callbacks: beside those of the loggers.
    """
    settings = {**forms.settings(config, split), "seed": config.seed + seed}
    if not best:
        settings["patience"] = None
    return train(
        student, split, stage=stage, folder=folder / "checkpoint", progress=said, epochs=epochs,
        monitor="val_ndcg@10" if best and len(split.valid) else None,
        callbacks=[*callbacks, *said.callbacks(folder.name)], student_loss_weight=config.student_loss_weight,
        learning_rate=rate * config.learning_rate, **settings, **told,
    )  # fmt: skip

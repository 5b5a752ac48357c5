"""The work of each stage of a run: read what earlier stages left, leave files in the stage's folder."""

import json
import os
from pathlib import Path
from typing import Any

from kdrec import describe, forms, pack, samples
from kdrec.compress.prune import zero_share
from kdrec.config import Config
from kdrec.data.splits import Split
from kdrec.distill.teacher_cache import TeacherCache
from kdrec.evaluation.baselines import popularity, random
from kdrec.judge import Judge, folder_sizes, keras_scorer, weight_sizes, with_keep
from kdrec.load import load
from kdrec.stages import Progress, Stage
from kdrec.teaching import teacher_of


def make_deterministic(seed: int) -> None:
    """Equal configurations give equal weights: seeds for every generator, and TensorFlow's deterministic kernels."""
    import tensorflow as tf
    import tf_keras as keras

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


def data(config: Config, folder: Path) -> None:
    """Read, filter, split."""
    split, counts = load(config)
    split.save(folder / "split")
    (folder / "filters.json").write_text(json.dumps([describe.counts(each) for each in counts]))


def plain(split: Split, config: Config, said: Progress, folder: Path) -> None:
    """Train the student that has no teacher: what distillation is compared with."""
    forms.train_form("student", forms.build_student(config, split), split, config, folder, said)


def distilled(split: Split, cached: Stage, config: Config, said: Progress, folder: Path) -> None:
    """Train the student that listens to the teacher."""
    student = forms.build_student(config, split)
    forms.train_form("student_distilled", student, split, config, folder, said, **_listening(cached, config))


def pruned(split: Split, cached: Stage, distilled: Stage, config: Config, said: Progress, folder: Path) -> None:
    """Prune the distilled student while it goes on listening."""
    student = forms.load_weights(forms.build_student(config, split), distilled.folder)
    forms.prune_form(student, split, config, folder, said, **_listening(cached, config))


def _listening(cached: Stage, config: Config) -> dict[str, Any]:
    return {
        "cache": TeacherCache.open(cached.folder / "cache"),
        "losses": forms.soft_losses(config),
        "loss_weights": config.loss_weights,
        "student_loss_weight": config.student_loss_weight,
    }


def export(name: str, split: Split, last: Stage, config: Config, folder: Path) -> None:
    """Write a bundle for each target."""
    student = forms.load_weights(forms.build_student(config, split), last.folder)
    pack.export_bundles(student, split, config, name, folder)


def judge(
    split: Split, trained: dict[str, Stage], exported: Stage, config: Config, said: Progress, folder: Path
) -> None:
    """Evaluate every form on the test part, the files as they were written."""
    teacher = teacher_of(trained["teacher"].folder, split)
    students = {
        name: forms.load_weights(forms.build_student(config, split), stage.folder)
        for name, stage in trained.items()
        if name != "teacher"
    }
    total = 3 + len(students) + len(config.targets)
    judged = Judge(split, config.k)
    rows: list[dict[str, Any]] = []

    def add(row: dict[str, Any]) -> None:
        rows.append(row)
        said("evaluate", len(rows), total, row["name"])

    add(judged.row("random", "baseline", random(split.train.n_items, config.seed)))
    add(judged.row("popularity", "baseline", popularity(split.train)))
    add(judged.row("teacher", "keras", teacher, **folder_sizes(trained["teacher"].folder / "teacher")))
    for name, student in students.items():
        length = student.get_layer("history").input_shape[0][1]
        known = {**weight_sizes(student), "sparsity": zero_share(student)}
        add(judged.row(name, "keras", keras_scorer(student), length, **known))
    shipped = {target: pack.shipped(exported.folder / target) for target in config.targets}
    for target, form in shipped.items():
        form.known["sparsity"] = zero_share(students["pruned" if "pruned" in students else "student_distilled"])
        add(judged.row(f"{config.recipe}_{target}", "file", form.scorer, form.history_length, **form.known))
    (folder / "rows.json").write_text(json.dumps(with_keep(rows, config.k)))
    shown = samples.shown_target(config.targets)
    listed = samples.side_by_side(split, teacher, shipped[shown], shown, config.k)
    (folder / "samples.json").write_text(json.dumps(listed))

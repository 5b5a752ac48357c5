"""The work of each stage of a run: read what earlier stages left, leave files in the stage's folder."""

import inspect
import json
import os
from functools import partial
from pathlib import Path
from typing import Any

from kdrec import describe, forms, pack, samples
from kdrec.compress.prune import zero_share
from kdrec.config import Config
from kdrec.data.splits import Split
from kdrec.distill.batches import training_rows
from kdrec.distill.calibrate import calibrated_scale
from kdrec.distill.teacher_cache import TeacherCache
from kdrec.errors import DataError
from kdrec.evaluation.baselines import popularity, random
from kdrec.evaluation.ranking import evaluate
from kdrec.files import sha256_of
from kdrec.judge import Judge, keras_scorer, weight_sizes
from kdrec.load import load
from kdrec.models import teachers
from kdrec.models.teachers.base import load as load_teacher
from kdrec.models.teachers.external import as_teacher
from kdrec.stages import Progress, Stage, Stages


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


def best_teacher(stages: Stages, data: Stage, split: Split, config: Config) -> Stage:
    """The teacher's stage; of several named ones the best by NDCG on the validation part."""
    found = [_teacher(stages, data, split, name.strip(), config) for name in config.teacher.split(",")]
    if len(found) == 1:
        return found[0]
    return max(found, key=lambda stage: json.loads((stage.folder / "valid.json").read_text())["ndcg"])


def _teacher(stages: Stages, data: Stage, split: Split, name: str, config: Config) -> Stage:
    options: dict[str, Any] = {"teacher": name, "options": config.teacher_options, "seed": config.seed, "k": config.k}
    if name not in teachers.names():
        path = Path(name)
        if not path.exists():
            known = ", ".join(teachers.names())
            raise DataError(f"teacher must be one of {known}, or a saved model or file of scores; {name!r} is none")
        files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())
        options["files"] = {str(file): sha256_of(file) for file in files}
    label = "teacher" if name == config.teacher else f"teacher_{name}"
    return stages.run(label, options, partial(_train_teacher, label, name, split, config, stages.progress), (data,))


def _train_teacher(label: str, name: str, split: Split, config: Config, said: Progress, folder: Path) -> None:
    if name in teachers.names():
        curve: list[dict[str, float]] = []

        def progress(done: int, total: int, logs: dict[str, float]) -> None:
            curve.append(dict(logs))
            said(label, done, total, ", ".join(f"{key} {value:.4f}" for key, value in logs.items()))

        build = teachers.get(name)
        taken = inspect.signature(build).parameters
        long = {"validation": split, "checkpoint_folder": folder / "checkpoint"}  # of a teacher that trains by epochs
        options = {key: value for key, value in long.items() if key in taken} | config.teacher_options
        build(split.train, seed=config.seed, ordered=split.ordered, progress=progress, **options).save(
            folder / "teacher"
        )
        (folder / "curve.json").write_text(json.dumps([logs for logs in curve if logs]))
    else:
        (folder / "external.json").write_text(json.dumps({"path": name}))
    result = evaluate(teacher_of(folder, split), split, "valid", ks=(config.k,))
    (folder / "valid.json").write_text(json.dumps({"ndcg": result.metrics[f"ndcg@{config.k}"]}))


def teacher_of(folder: Path, split: Split) -> Any:
    """The teacher that a stage left: a callable from inputs to scores."""
    if (folder / "external.json").exists():
        return as_teacher(json.loads((folder / "external.json").read_text())["path"], n_items=split.train.n_items)
    return load_teacher(folder / "teacher")


def cache(split: Split, teacher: Stage, config: Config, said: Progress, folder: Path) -> None:
    """Ask the teacher about every training row."""
    users, cuts = training_rows(split.train, split.ordered, config.cuts_per_user)
    asked = teacher_of(teacher.folder, split)
    TeacherCache.write(
        folder / "cache", asked, split.train, users, cuts, scale=calibrated_scale(asked, split, config.seed),
        progress=lambda done, total: said("teacher_cache", done, total, ""),
    )  # fmt: skip


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
        if name != "teacher" and (name != "pruned" or config.sparsity > 0)
    }
    total = 3 + len(students) + len(config.targets)
    judged = Judge(split, config.k)
    rows: list[dict[str, Any]] = []

    def add(row: dict[str, Any]) -> None:
        rows.append(row)
        said("evaluate", len(rows), total, row["name"])

    add(judged.row("teacher", "keras", teacher, bytes=folder_bytes(trained["teacher"].folder / "teacher")))
    add(judged.row("random", "baseline", random(split.train.n_items, config.seed)))
    add(judged.row("popularity", "baseline", popularity(split.train)))
    for name, student in students.items():
        length = student.get_layer("history").input_shape[0][1]
        known = {**weight_sizes(student), "sparsity": zero_share(student)}
        add(judged.row(name, "keras", keras_scorer(student), length, **known))
    shipped = {target: pack.shipped(exported.folder / target) for target in config.targets}
    for target, form in shipped.items():
        form.known["sparsity"] = zero_share(students["pruned" if "pruned" in students else "student_distilled"])
        add(judged.row(f"{config.recipe}_{target}", "file", form.scorer, form.history_length, **form.known))
    (folder / "rows.json").write_text(json.dumps(rows))
    file_scorer = next(iter(shipped.values()))
    (folder / "samples.json").write_text(json.dumps(samples.side_by_side(split, teacher, file_scorer, config.k)))


def folder_bytes(folder: Path) -> int | None:
    """Bytes of all files in a folder; None when there is none."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) or None

"""The work of each stage of a run: read what earlier stages left, leave files in the stage's folder."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import tf_keras as keras

from kdrec import describe, extra_histories, forms, objectives, pack, samples, teaching
from kdrec.compress.prune import zero_share
from kdrec.config import Config
from kdrec.data.kept_items import KeptItems
from kdrec.data.splits import Split
from kdrec.distill.chain import StudentTeacher
from kdrec.distill.phases import Phase
from kdrec.distill.rows import rows_of
from kdrec.distill.teacher_cache import TeacherCache
from kdrec.evaluation.baselines import popularity, random
from kdrec.forms import Form
from kdrec.initialising import initialise
from kdrec.judge import Judge, folder_sizes, keras_scorer, weight_sizes, with_keep
from kdrec.load import load
from kdrec.stages import Progress, Stage, Watch


class Sources(NamedTuple):
    """What a student listens to: the caches of its teachers, and the histories that only they label, if any."""

    caches: tuple[Stage, ...]
    extra: Stage | None

    def stages(self) -> tuple[Stage, ...]:
        return self.caches if self.extra is None else (*self.caches, self.extra)


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


def plain(split: Split, config: Config, said: Watch, folder: Path) -> None:
    """Train the student that has no teacher: what distillation is compared with."""
    alone = [Phase(config.epochs, 1.0, config.learning_rate)]
    forms.train_form("student", forms.build_student(config, split), split, config, alone, folder, said)


def distilled(name: str, split: Split, sources: Sources, config: Config, said: Watch, folder: Path) -> None:
    """Train a student that listens to teachers, or to the student before it in a chain."""
    student, told = forms.build_student(config, split), listening(sources, split, config)
    first = TeacherCache.open(sources.caches[0].folder / "cache")
    initialise(student, first, rows_of(split, config.cuts_per_user, told["sampled"]), config)
    forms.train_form(name, student, split, config, forms.distillation_phases(config), folder, said, **told)


def listening(sources: Sources, split: Split, config: Config) -> dict[str, Any]:
    """What a training is told of the teachers; nothing where the hard loss is alone."""
    if config.student_loss_weight == 1:
        return {"sampled": None}
    told: dict[str, Any] = {
        "cache": answers(sources),
        "losses": objectives.soft_losses(config),
        "loss_weights": config.loss_weights,
        "teacher_weights": config.teacher_weights if len(sources.caches) > 1 else None,
        "weighting": config.weighting,
        "sampled": sampled(sources.extra, split),
    }
    return {**told, "hidden_share": (0.0, 0.0)} if config.whole_histories else told


def answers(sources: Sources) -> Any:
    """The cache of the teacher, or the caches of several."""
    caches = [TeacherCache.open(stage.folder / "cache") for stage in sources.caches]
    return caches[0] if len(caches) == 1 else caches


def sampled(extra: Stage | None, split: Split) -> Any:
    """The histories that only the teacher labels; None when there are none."""
    return None if extra is None else extra_histories.read(extra.folder, split.train, split.ordered)


def cache(
    name: str, split: Split, teacher: Stage, extra: Stage | None, config: Config, said: Progress, folder: Path
) -> None:
    """Ask a teacher."""
    asked = teaching.teacher_of(teacher.folder, split)
    teaching.cache(name, split, asked, config, sampled(extra, split), said, folder)


def assistant_cache(
    name: str, split: Split, assistant: Form, extra: Stage | None, config: Config, said: Progress, folder: Path
) -> None:
    """Ask a student that stands between the teacher and the next one."""
    asked = StudentTeacher(student_of(assistant, split), split.ordered)
    teaching.cache(name, split, asked, config, sampled(extra, split), said, folder)


def student_of(form: Form, split: Split) -> keras.Model:
    """The student that a stage trained."""
    return forms.load_weights(forms.build_student(form.config, split, form.kept), form.stage.folder)


def kept_in(students: Mapping[str, Form]) -> KeptItems | None:
    """The items that the last student knows; None where it knows them all."""
    return list(students.values())[-1].kept


def export(name: str, split: Split, last: Form, config: Config, folder: Path) -> None:
    """Write a bundle for each target."""
    student = student_of(last, split)
    if last.kept is not None:
        student = forms.student_of_file(student, last.config, split, last.kept)
    pack.export_bundles(student, split, config, name, folder, last.kept)


def judge(
    split: Split,
    teacher: Stage,
    students: Mapping[str, Form],
    exported: Stage | None,
    config: Config,
    said: Progress,
    folder: Path,
) -> None:
    """Evaluate every form on the test part, the files as they were written.

    Args:
        split: of the run.
        teacher: with which the others are compared.
        students: trained, by name.
        exported: the stage of the bundles; None for a run without files.
        config, said, folder: of the run and of the stage.
    """
    kept = kept_in(students)
    judged = Judge(split, config.k, None if kept is None else kept.is_kept)
    taught = teaching.teacher_of(teacher.folder, split)
    models: dict[str, keras.Model] = {name: student_of(form, split) for name, form in students.items()}
    targets = config.targets if exported is not None else ()
    total = 3 + len(models) + config.fusion + len(targets)
    rows: list[dict[str, Any]] = []

    def add(row: dict[str, Any]) -> None:
        rows.append(row)
        said("evaluate", len(rows), total, row["name"])

    add(judged.row("random", "baseline", random(split.train.n_items, config.seed)))
    add(judged.row("popularity", "baseline", popularity(split.train)))
    of_teacher = folder_sizes(teacher.folder / "teacher")
    add(judged.row("teacher", "keras", taught, **of_teacher))
    for name, model in models.items():
        length = model.get_layer("history").input_shape[0][1]
        known = {**weight_sizes(model), "sparsity": zero_share(model)}
        add(judged.row(name, "keras", keras_scorer(model), length, **known))
    if config.fusion:
        model = models["student_distilled"]
        sizes: list[dict[str, Any]] = [of_teacher, weight_sizes(model)]
        add(judged.fusion(taught, StudentTeacher(model, split.ordered), sizes))
    shipped = {target: pack.shipped(exported.folder / target, split) for target in targets if exported is not None}
    for target, form in shipped.items():
        form.known["sparsity"] = zero_share(next(reversed(models.values())))
        add(judged.row(f"{config.recipe}_{target}", "file", form.scorer, form.history_length, **form.known))
    (folder / "rows.json").write_text(json.dumps(with_keep(rows, config.k)))
    if shipped:
        shown = samples.shown_target(targets)
        listed = samples.side_by_side(split, taught, shipped[shown], shown, config.k)
        (folder / "samples.json").write_text(json.dumps(listed))

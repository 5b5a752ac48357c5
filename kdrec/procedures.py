"""From data to distilled students: the stages that `kdrec run` and `kdrec distill` share, in their order."""

import json
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from kdrec import __version__, describe, extra_histories, forms, libraries, steps, teaching
from kdrec.config import Config
from kdrec.data.splits import Split
from kdrec.forms import Form
from kdrec.load import DATA_OPTIONS, checksums, source_of
from kdrec.preflight import check_split
from kdrec.stages import Stage, Stages, curve_of
from kdrec.steps import Sources


@dataclass(frozen=True)
class Trained:
    """What the shared stages left.

    Args:
        teacher: what the students are compared with.
        sources: what the last student listened to.
        students: every student that was trained, by name, in that order.
    """

    teacher: Stage
    sources: Sources
    students: dict[str, Form]

    @property
    def distilled(self) -> Stage:
        return self.students["student_distilled"].stage


def read(stages: Stages, config: Config) -> tuple[Stage, Split]:
    """Read, filter and split the data, and refuse what cannot be trained or judged on them."""
    inputs = {**config.only(*DATA_OPTIONS), "files": source_of(config)}
    data = stages.run("data", inputs, partial(steps.data, config))
    split = Split.load(data.folder / "split")
    check_split(split, config)
    return replace(data, key=split.fingerprint()), split  # what follows depends on what was read, not on where it was


def train(stages: Stages, data: Stage, split: Split, config: Config, plain: bool = True) -> Trained:
    """More histories, teachers, their answers, the student without a teacher, the assistants, the distilled student.

    Args:
        stages, data, split, config: of the run.
        plain: whether the student without a teacher is trained at all.
    """
    said = stages.progress
    extra = extra_stage(stages, data, split, config)
    teachers = teaching.trained_teachers(stages, data, split, config)
    after = (data,) if extra is None else (data, extra)
    caches = []
    for teacher in teachers.all:
        name = "teacher_cache" if len(teachers.all) == 1 else f"{teacher.name}_cache"
        work = partial(steps.cache, name, split, teacher, extra, config, said)
        caches.append(stages.run(name, teaching.cache_key(config), work, (*after, teacher)))
    sources = Sources(tuple(caches), extra)

    alone = forms.key_of(config, distilled=False)
    students = {}
    if plain:
        student = stages.run("student", alone, partial(steps.plain, split, config, said), (data,))
        students["student"] = Form(student, config)
    for width in config.assistants:
        name, narrower = f"assistant_{width}", replace(config, embedding_dim=width)
        students[name] = assistant = distilled(stages, name, data, split, sources, narrower)
        work = partial(steps.assistant_cache, f"{name}_cache", split, assistant, extra, config, said)
        cached = stages.run(f"{name}_cache", teaching.cache_key(config), work, (*after, assistant.stage))
        sources = Sources((cached,), extra)
    students["student_distilled"] = distilled(stages, "student_distilled", data, split, sources, config)
    return Trained(teachers.best, sources, students)


def extra_stage(stages: Stages, data: Stage, split: Split, config: Config) -> Stage | None:
    """The histories that only the teacher labels, if there are any."""
    if not extra_histories.are_asked_for(config):
        return None
    options = config.only("unlabelled", "sampled_histories", "cuts_per_user", "seed")
    files = {} if config.unlabelled is None else checksums([Path(config.unlabelled)])
    work = partial(extra_histories.write, split, config, stages.progress)
    return stages.run("histories", {**options, "files": files}, work, (data,))


def distilled(stages: Stages, name: str, data: Stage, split: Split, sources: Sources, config: Config) -> Form:
    """A student that listens."""
    work = partial(steps.distilled, name, split, sources, config, stages.progress)
    return Form(stages.run(name, forms.key_of(config, distilled=True), work, (data, *sources.stages())), config)


def report(
    stages: Stages,
    name: str,
    data: Stage,
    split: Split,
    trained: Trained,
    config: Config,
    rows: list[dict[str, Any]],
    samples: list[dict[str, Any]],
) -> dict[str, Any]:
    """The content of report.json."""
    left_out = json.loads((data.folder / "filters.json").read_text())
    if trained.sources.extra is not None:
        left_out += extra_histories.filters(trained.sources.extra.folder)
    folders = {"teacher": trained.teacher.folder} | {key: form.stage.folder for key, form in trained.students.items()}
    kept = steps.kept_in(trained.students)
    return {
        "schema": 1, "kdrec": __version__, "libraries": libraries.installed(), "seed": config.seed, "k": config.k,
        "config": json.loads(config.to_json()),
        "data": describe.data(name, split, left_out),
        "split": describe.split(split),
        "stages": [describe.stage(stage) for stage in stages.finished],
        "teacher": teaching.chosen_teacher(stages, config),
        "rows": rows,
        "curves": {form: curve_of(folder) for form, folder in folders.items()},
        "samples": samples,
        **({} if kept is None else {"vocabulary": describe.vocabulary(split, kept)}),
    }  # fmt: skip

"""The teachers' stages: which ones they are, their training, and their answers to every training row."""

import inspect
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from kdrec import objectives
from kdrec.config import Config
from kdrec.data.interactions import Interactions
from kdrec.data.splits import Split
from kdrec.distill.asking import ask_teacher
from kdrec.errors import DataError, UnknownNameError
from kdrec.evaluation.ranking import evaluate
from kdrec.load import checksums
from kdrec.models import teachers
from kdrec.models.teachers.base import load
from kdrec.models.teachers.external import as_teacher
from kdrec.stages import Progress, Stage, Stages


def teacher_names(config: Config) -> list[str]:
    """The teachers that a configuration names: of `kdrec.models.teachers`, or paths.

    Raises:
        UnknownNameError: a teacher that does not exist, or an option that none of them has.
    """
    for name in config.teachers:
        if name not in teachers.names() and not (name and Path(name).exists()):
            known = ", ".join(teachers.names())
            raise UnknownNameError(
                f"teacher must be one of {known}, or a saved model or file of scores; {name!r} is none"
            )
    known_options = sorted(set().union(*map(teacher_options, config.teachers)))
    for option in config.teacher_options:
        if option not in known_options:
            raise UnknownNameError(
                f"teacher_options of {config.teacher!r} has no {option!r}; it has {', '.join(known_options) or 'none'}"
            )
    return list(config.teachers)


def teacher_options(name: str) -> set[str]:
    """The options of a teacher; none of one that is read from a path."""
    if name not in teachers.names():
        return set()
    given = {"train", "seed", "progress", "ordered", "validation", "checkpoint_folder"}
    return set(inspect.signature(teachers.get(name)).parameters) - given


class Heard(NamedTuple):
    """The teachers of a run.

    Args:
        best: what students are compared with: the best on validation, the first one without validation items.
        all: whom they listen to: with `teacher_weights` every teacher that is named, else the best.
    """

    best: Stage
    all: tuple[Stage, ...]


def trained_teachers(stages: Stages, data: Stage, split: Split, config: Config) -> Heard:
    """The teachers' stages; of several named ones the best is known by NDCG@10 on the validation part.

    Raises:
        DataError: several teachers without weights, and no validation item to compare them by.
    """
    names = teacher_names(config)
    if len(names) > 1 and len(split.valid) == 0 and config.teacher_weights is None:
        raise DataError(
            f"teacher must be one name when no validation pair is held out, not {config.teacher!r}; or listen to all, "
            f"by teacher_weights"
        )
    found = {name: _teacher(stages, data, split, name, len(names) == 1, config) for name in names}
    best = found[names[0]]
    if len(found) > 1 and len(split.valid):
        choice = stages.run("teacher_choice", {}, partial(_compare, split, found), tuple(found.values()))
        best = found[_best(_reached(choice))]
    return Heard(best, (best,) if config.teacher_weights is None else tuple(found.values()))


def chosen_teacher(stages: Stages, config: Config) -> dict[str, Any]:
    """Which teacher the run's forms are compared with, once `trained_teachers` has chosen: `teacher` of report.json.

    Returns:
        Its name as the configuration has it, and the NDCG@10 on the validation part of each that was compared; none
        when only one was named.
    """
    reached = next((_reached(stage) for stage in stages.finished if stage.name == "teacher_choice"), {})
    return {"name": _best(reached) if reached else teacher_names(config)[0], "validation_ndcg": reached}


def _reached(choice: Stage) -> dict[str, float]:
    return json.loads((choice.folder / "valid.json").read_text())


def _best(reached: dict[str, float]) -> str:
    return max(reached, key=lambda name: reached[name])


def _teacher(stages: Stages, data: Stage, split: Split, name: str, alone: bool, config: Config) -> Stage:
    options = {key: value for key, value in config.teacher_options.items() if key in teacher_options(name)}
    paths = [Path(place) for place in (name, *texts(options)) if place not in teachers.names()]
    files = checksums(file for path in paths for file in (path, *path.rglob("*")))
    label = "teacher" if alone else f"teacher_{Path(name).stem}"
    return stages.run(
        label, {"teacher": name, "options": options, "seed": config.seed, "files": files},
        partial(_train_teacher, label, name, options, split, config.seed, stages.progress), (data,),
    )  # fmt: skip


def texts(value: Any) -> Iterator[str]:
    """Every text in the value of an option, and what stands between its commas: what may be a path.

    >>> list(texts({"members": "als, scores.npy", "weights": [1, 2]}))
    ['als, scores.npy', 'als', 'scores.npy']
    """
    if isinstance(value, str):
        yield from dict.fromkeys(text for text in (value, *map(str.strip, value.split(","))) if text)
    elif isinstance(value, dict | list | tuple):
        for each in value.values() if isinstance(value, dict) else value:
            yield from texts(each)


def _train_teacher(
    label: str, name: str, options: dict[str, Any], split: Split, seed: int, said: Progress, folder: Path
) -> None:
    if name not in teachers.names():
        as_teacher(name, n_items=split.train.n_items, n_users=split.train.n_users)
        (folder / "external.json").write_text(json.dumps({"path": str(Path(name).resolve())}))
        return

    def progress(done: int, total: int, logs: dict[str, float]) -> None:
        said(label, done, total, ", ".join(f"{key} {value:.4f}" for key, value in logs.items()))

    build = teachers.get(name)
    long = {"validation": split if len(split.valid) else None, "checkpoint_folder": folder / "checkpoint"}
    by_epochs = {key: value for key, value in long.items() if key in inspect.signature(build).parameters}
    teacher = build(split.train, seed=seed, ordered=split.ordered, progress=progress, **by_epochs, **options)
    teacher.save(folder / "teacher")
    state = folder / "checkpoint" / "state.json"  # holds the epochs before an interruption, too
    epochs = json.loads(state.read_text())["epochs"] if state.exists() else []
    (folder / "curve.json").write_text(json.dumps(epochs))


def _compare(split: Split, found: dict[str, Stage], folder: Path) -> None:
    k = min(10, split.train.n_items)
    judged = {name: evaluate(teacher_of(stage.folder, split), split, "valid", ks=(k,)) for name, stage in found.items()}
    (folder / "valid.json").write_text(
        json.dumps({name: result.metrics[f"ndcg@{k}"] for name, result in judged.items()})
    )


def teacher_of(folder: Path, split: Split) -> Any:
    """The teacher that a stage left: a callable from inputs to scores."""
    if (folder / "external.json").exists():
        return as_teacher(
            json.loads((folder / "external.json").read_text())["path"],
            n_items=split.train.n_items,
            n_users=split.train.n_users,
        )
    return load(folder / "teacher")


def cache(
    label: str,
    split: Split,
    asked: Any,
    config: Config,
    sampled: Interactions | None,
    said: Progress,
    folder: Path,
) -> None:
    """Ask a teacher about every training row, and keep what the losses need of its answers.

    Args:
        label: of the stage.
        split, config: of the run.
        asked: the teacher.
        sampled: users whom only the teacher labels; None: nobody.
        said, folder: of the stage.
    """
    ask_teacher(
        folder / "cache", asked, split, objectives.soft_losses(config), weighting=config.weighting,
        more_needs=objectives.needs(config), cuts_per_user=config.cuts_per_user, sampled=sampled, seed=config.seed,
        progress=lambda done, total: said(label, done, total, ""),
    )  # fmt: skip


def cache_key(config: Config) -> dict[str, Any]:
    """What a cache depends on, beside the teacher and the histories."""
    needs = sorted(objectives.needs(config))
    return {**config.only("cuts_per_user", "seed"), "needs": needs, "top": objectives.stored_top(config)}

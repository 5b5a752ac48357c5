"""From an interaction log to judged files: the stages of a run, in the order they happen."""

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from kdrec import device_costs, pack, procedures, steps
from kdrec.compression import before_distillation, compressed
from kdrec.config import Config
from kdrec.data.splits import Split
from kdrec.files import atomic_write
from kdrec.load import name_of
from kdrec.loggers.base import figures_of, logging_to
from kdrec.preflight import check_names, check_output, check_writable
from kdrec.report.write import write_report
from kdrec.stages import Progress, Stage, Stages
from kdrec.teaching import chosen_teacher


def distill(
    config: Config, work: Path | None = None, progress: Progress | None = None, log: Sequence[str] = ()
) -> dict[str, Any]:
    """Train a teacher, distill a student, and judge both as they are, without files for devices.

    Stages are kept as `run` keeps them: a `run` in the same folder goes on from here.

    Args:
        config: everything the result depends on; what it says of files is not read.
        work, progress, log: as of `run`.

    Returns:
        What report.json of a run holds, without rows of files.

    Raises:
        KdrecError: as of `run`, but for files.
    """
    check_names(config)
    name = name_of(config)
    work = Path(work or Path("runs", name))
    check_writable("work", work)
    with logging_to(log, work / "logs", name) as loggers:
        stages = Stages(work, progress, partial(steps.make_deterministic, config.seed), loggers)
        data, split = procedures.read(stages, config)
        trained = procedures.train(stages, data, split, config)
        models = [form.stage for form in trained.students.values()]
        judged = stages.run(
            "evaluate_models", config.only("k", "fusion"),
            partial(steps.judge, split, trained.teacher, trained.students, None, config, stages.progress),
            (data, trained.teacher, *models),
        )  # fmt: skip
        rows = json.loads((judged.folder / "rows.json").read_text())
        report = procedures.report(stages, name, data, split, trained, config, rows, [])
        for logger in loggers:
            logger.result(report["config"], figures_of(rows))
    return report


def run(
    config: Config,
    out: Path | None = None,
    work: Path | None = None,
    progress: Progress | None = None,
    log: Sequence[str] = (),
) -> dict[str, Any]:
    """Train a teacher, distill a student, prune and quantize it, write a bundle a target, judge the written files.

    Each stage is kept in `work` under a key of what it depends on. A run that was cut goes on where it stopped and
    ends with the same files; a changed option repeats only the stages that depend on it.

    Args:
        config: everything the result depends on.
        out: where bundles and report go; `tflite_models/<data>` by default.
        work: where stages and checkpoints go; `runs/<data>` by default.
        progress: called with (stage, done, total, note); total 0 says that a stage was found finished.
        log: where trainings and results are logged beside that, names in `kdrec.loggers`; changes no result.

    Returns:
        The content of report.json.

    Raises:
        KdrecError: an unknown name, bad data, a NaN loss, a converter that failed, an output folder that holds
            something else, no space left. What can be known before training is said before it.
    """
    check_names(config)
    pack.check_targets(config)
    name = name_of(config)
    out, work = Path(out or Path("tflite_models", name)), Path(work or Path("runs", name))
    check_output(out, config)
    check_writable("work", work)
    with logging_to(log, work / "logs", name) as loggers:
        stages = Stages(work, progress, partial(steps.make_deterministic, config.seed), loggers)
        data, split = procedures.read(stages, config)
        check_writable("out", out)
        trained, exported = written(stages, data, split, config)
        devices: dict[str, Any] = {}
        if device_costs.have_cores(config.targets):
            counted = stages.run(
                "devices", {"tools": device_costs.tools()},
                partial(device_costs.write, exported.folder, config.targets), (exported,),
            )  # fmt: skip
            devices = {"devices": json.loads((counted.folder / device_costs.RESULT).read_text())}
        judged = stages.run(
            "evaluate", config.only("k", "fusion"),
            partial(steps.judge, split, trained.teacher, trained.students, exported, config, stages.progress),
            (trained.teacher, *(form.stage for form in trained.students.values()), exported),
        )  # fmt: skip

        rows, samples = (json.loads((judged.folder / f"{part}.json").read_text()) for part in ("rows", "samples"))
        for target in config.targets:
            row = next(row for row in rows if row["target"] == target)
            judged_by = {key: value for key, value in row.items() if pack.is_judged(key)}
            metrics = {key: value for key, value in judged_by.items() if value is not None}
            if devices:
                metrics.update(device_costs.metrics(devices["devices"], target))
            pack.publish(exported.folder / target, out / target, metrics)
        report = {**procedures.report(stages, name, data, split, trained, config, rows, samples), **devices}
        write_report(report, out)
        atomic_write(out / "config.json", config.to_json() + "\n")
        for logger in loggers:
            logger.result(report["config"], figures_of(rows))
    return report


def students(stages: Stages, data: Stage, split: Split, config: Config, plain: bool = True) -> procedures.Trained:
    """The stages from data to students: train, make smaller.

    Args:
        stages: run them.
        data, split: what `procedures.read` gave.
        config: of the run.
        plain: whether the student without a teacher is trained, too, for comparison.

    Returns:
        What was trained; the last student is the one that ships.
    """
    later = bool(before_distillation(config))
    trained = procedures.train(stages, data, split, config, plain or later)
    first = trained.students["student" if later else "student_distilled"]
    smaller = compressed(stages, split, trained.sources, first, config)
    return replace(trained, students={**trained.students, **smaller})


def written(
    stages: Stages, data: Stage, split: Split, config: Config, plain: bool = True
) -> tuple[procedures.Trained, Stage]:
    """The stages from data to files: as `students`, and a stage that holds a bundle a target."""
    trained = students(stages, data, split, config, plain)
    last = list(trained.students.values())[-1]
    listened = config if config.teacher_weights else replace(config, teacher=chosen_teacher(stages, config)["name"])
    name = name_of(config)
    options = {"name": name, **config.only("targets", "recipe", "calibration")}
    exported = stages.run("export", options, partial(steps.export, name, split, last, listened), (data, last.stage))
    return trained, exported

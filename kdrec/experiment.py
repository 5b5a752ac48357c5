"""From an interaction log to judged files: the stages of a run, in the order they happen."""

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from kdrec import __version__, describe, forms, libraries, pack, steps, teaching
from kdrec.config import Config
from kdrec.data.splits import Split
from kdrec.files import atomic_write
from kdrec.load import DATA_OPTIONS, name_of, source_of
from kdrec.preflight import check_names, check_output, check_split, check_writable
from kdrec.report.write import write_report
from kdrec.stages import Progress, Stages


def run(
    config: Config, out: Path | None = None, work: Path | None = None, progress: Progress | None = None
) -> dict[str, Any]:
    """Train a teacher, distill a student, prune and quantize it, write a bundle a target, judge the written files.

    Each stage is kept in `work` under a key of what it depends on. A run that was cut goes on where it stopped and
    ends with the same files; a changed option repeats only the stages that depend on it.

    Args:
        config: everything the result depends on.
        out: where bundles and report go; `tflite_models/<data>` by default.
        work: where stages and checkpoints go; `runs/<data>` by default.
        progress: called with (stage, done, total, note); total 0 says that a stage was found finished.

    Returns:
        The content of report.json.

    Raises:
        KdrecError: an unknown name, bad data, a NaN loss, a converter that failed, an output folder that holds
            something else, no space left. What can be known before training is said before it.
    """
    check_names(config)
    name = name_of(config)
    out, work = Path(out or Path("tflite_models", name)), Path(work or Path("runs", name))
    check_output(out, config)
    check_writable("work", work)
    stages = Stages(work, progress, partial(steps.make_deterministic, config.seed))
    said = stages.progress

    data = stages.run("data", {**config.only(*DATA_OPTIONS), "files": source_of(config)}, partial(steps.data, config))
    split = Split.load(data.folder / "split")
    data = replace(data, key=split.fingerprint())  # what follows depends on what was read, not on where it was
    check_split(split, config)
    check_writable("out", out)

    teacher = teaching.best_teacher(stages, data, split, config)
    chosen = teaching.chosen_teacher(stages, config)
    cached = stages.run(
        "teacher_cache",
        config.only("cuts_per_user"),
        partial(teaching.cache, split, teacher, config, said),
        (data, teacher),
    )

    plain = config.only(*forms.STUDENT_OPTIONS, *forms.TRAINING_OPTIONS)
    student = stages.run("student", plain, partial(steps.plain, split, config, said), (data,))
    soft = {**plain, **config.only(*forms.DISTILLATION_OPTIONS)}
    distilled = stages.run(
        "student_distilled", soft, partial(steps.distilled, split, cached, config, said), (data, cached)
    )
    trained = {"teacher": teacher, "student": student, "student_distilled": distilled}
    last = distilled
    if config.sparsity > 0:
        options = {**soft, **config.only("sparsity", "prune_epochs")}
        work_of = partial(steps.pruned, split, cached, distilled, config, said)
        trained["pruned"] = last = stages.run("pruned", options, work_of, (cached, distilled))

    options = {"name": name, **config.only("targets", "recipe")}
    listened = replace(config, teacher=chosen["name"])
    exported = stages.run("export", options, partial(steps.export, name, split, last, listened), (data, last))
    judged = stages.run(
        "evaluate", config.only("k"), partial(steps.judge, split, trained, exported, config, said),
        (*trained.values(), exported),
    )  # fmt: skip

    rows = json.loads((judged.folder / "rows.json").read_text())
    for target in config.targets:
        row = next(row for row in rows if row["target"] == target)
        judged_by = {key: value for key, value in row.items() if "@" in key or key in ("auc", "keep", "tied_share")}
        metrics = {key: value for key, value in judged_by.items() if value is not None}
        pack.publish(exported.folder / target, out / target, metrics)
    report = {
        "schema": 1, "kdrec": __version__, "libraries": libraries.installed(), "seed": config.seed, "k": config.k,
        "config": json.loads(config.to_json()),
        "data": describe.data(name, split, json.loads((data.folder / "filters.json").read_text())),
        "split": describe.split(split),
        "stages": [describe.stage(stage) for stage in stages.finished],
        "teacher": chosen,
        "rows": rows,
        "curves": {stage_name: forms.curve_of(stage.folder) for stage_name, stage in trained.items()},
        "samples": json.loads((judged.folder / "samples.json").read_text()),
    }  # fmt: skip
    write_report(report, out)
    atomic_write(out / "config.json", config.to_json() + "\n")
    return report

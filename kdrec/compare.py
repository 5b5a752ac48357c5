"""What each step brings: distillation, pruning and rounding alone and together, on the same data and teacher."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from kdrec import converter, experiment, pack
from kdrec.bench.bundles import bench_bundle
from kdrec.bundle.read import open_bundle
from kdrec.config import Config
from kdrec.errors import DataError
from kdrec.load import name_of
from kdrec.preflight import check_names
from kdrec.report import write_report
from kdrec.report.rows import files
from kdrec.without_effect import CUTS, OF_VOCABULARY

TARGET = "android"  # takes every recipe
ALONE: dict[str, Any] = {
    "student_loss_weight": 1.0, "assistants": (), "sampled_histories": 0.0, "unlabelled": None,
    "whole_histories": False, "pretrain_epochs": 0, "fine_tune_epochs": 0, "initialise": "random",
    "losses": ("softened_kl",), "loss_weights": None, "loss_options": {}, "teacher_weights": None,
}  # fmt: skip
WHOLE: dict[str, Any] = {"sparsity": 0.0, "sparsity_pattern": None, **Config().only(*CUTS, *OF_VOCABULARY)}
FLOAT = {"recipe": "float32", "quantize_epochs": 0, **Config().only("calibration")}


def variants(config: Config) -> dict[str, Config]:
    """The configurations that are compared, by the steps that each takes; steps stand in their order.

    Args:
        config: takes every step; its sparsity is above 0, its recipe rounds.

    Raises:
        DataError: it leaves a step out.

    >>> list(variants(Config()))[:3]
    ['nothing', 'distillation', 'pruning']
    """
    if config.sparsity == 0:
        raise DataError("sparsity must be above 0 to compare with and without pruning; 0.5 is the default")
    if config.recipe == "float32":
        raise DataError(
            "recipe must round to compare with and without quantization, not 'float32'; int8 is the default"
        )
    if config.student_loss_weight == 1:
        raise DataError("student_loss_weight must be below 1 to compare with and without distillation, not 1")
    clusters = {"clusters": config.clusters}
    steps = ("distill", *(step for step in config.steps if step != "distill"))
    config = replace(config, targets=(TARGET,), fusion=False, clusters=None, steps=steps)
    plain_rounding = {"quantize_epochs": 0}
    trained = {"quantize_epochs": config.quantize_epochs or config.prune_epochs}
    four_bits = {"recipe": "int4_table"}
    others = [step for step in config.steps if step not in ("prune", "quantize")]
    rounded_first = {"steps": (*others, "quantize", "prune")}
    pruned_first = {"steps": after_pruning(config.steps)}
    changes: dict[str, dict[str, Any]] = {
        "nothing": {**ALONE, **WHOLE, **FLOAT},
        "distillation": {**WHOLE, **FLOAT},
        "pruning": {**ALONE, **FLOAT},
        "quantization": {**ALONE, **WHOLE, **plain_rounding},
        "distillation, pruning": FLOAT,
        "distillation, quantization": {**WHOLE, **plain_rounding},
        "pruning, quantization": {**ALONE, **plain_rounding},
        "distillation, pruning, quantization": plain_rounding,
        "pruning, distillation": {**FLOAT, **pruned_first},
        "pruning, distillation, quantization": {**plain_rounding, **pruned_first},
        "distillation, training under rounding": {**WHOLE, **trained},
        "distillation, pruning, training under rounding": trained,
    }
    if not config.unit_rows:  # what is pruned after rounding is normalised no more
        changes["distillation, training under rounding, pruning"] = {**trained, **rounded_first}
    if config.table == "full":  # no other has rows of four bits
        changes["distillation, four bits"] = {**WHOLE, **four_bits, **plain_rounding}
        changes["distillation, training under rounding to four bits"] = {**WHOLE, **four_bits, **trained}
    if clusters["clusters"] is not None:
        changes["distillation, clustering, quantization"] = {**WHOLE, **plain_rounding, **clusters}
        changes["distillation, pruning, clustering, quantization"] = {**plain_rounding, **clusters}
    return {name: replace(config, **changed) for name, changed in changes.items()}


def after_pruning(steps: Sequence[str]) -> tuple[str, ...]:
    """The same order, but for distillation.

    >>> after_pruning(("distill", "vocabulary", "prune", "quantize"))
    ('vocabulary', 'prune', 'distill', 'quantize')
    """
    others = (step for step in steps if step != "distill")
    return tuple(name for step in others for name in ((step, "distill") if step == "prune" else (step,)))


def compare(
    config: Config,
    *,
    out: str | Path | None = None,
    work: str | Path | None = None,
    progress: Callable[[str, int, int, str], None] | None = None,
    log: Sequence[str] = (),
) -> dict[str, Any]:
    """Run a configuration and every variant of it, and add the comparison to its report.

    Stages that variants share are trained once; the same call continues an interrupted one.

    Args:
        config, out, work, progress, log: as of `kdrec.experiment.run`. The variants' bundles stay in `work/compare`.

    Returns:
        The content of report.json, with `comparison`: a row a variant, as written for LiteRT.

    Raises:
        KdrecError: as of `run`; DataError: the configuration leaves a step out.
    """
    wanted = variants(config)
    name = name_of(config)
    out, work = Path(out or Path("tflite_models", name)), Path(work or Path("runs", name))
    for variant in wanted.values():  # before the first one is trained
        check_names(variant)
        pack.check_targets(variant)
    with converter.keep():
        report = experiment.run(config, out=out, work=work, progress=progress, log=log)
        rows = []
        for steps, variant in wanted.items():
            if progress is not None:
                progress(f"compare: {steps}", 0, 0, "")
            place = work / "compare" / steps.replace(", ", "-").replace(" ", "_")
            row = files(experiment.run(variant, out=place, work=work, progress=progress, log=log))[0]
            needed = bench_bundle(open_bundle(place / TARGET), "score").peak_memory_bytes
            rows.append({**row, "name": steps, "target": None, "peak_memory_bytes": needed})
    report = {**report, "comparison": rows}
    write_report(report, out)
    return report

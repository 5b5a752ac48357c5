"""Which matrix costs how much quality: files in which one is rounded, all but one, or any of them to four bits."""

import json
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

from kdrec import experiment, pack, procedures, steps
from kdrec.compress import recipes
from kdrec.compress.recipes.base import GROUPS, mixed
from kdrec.config import Config
from kdrec.data.splits import Split
from kdrec.errors import DataError
from kdrec.evaluation.compare import paired_bootstrap
from kdrec.evaluation.ranking import evaluate
from kdrec.export import ExportJob, export_all
from kdrec.files import atomic_write
from kdrec.forms import Form
from kdrec.load import name_of
from kdrec.preflight import check_names, check_writable
from kdrec.report.sensitivity import sensitivity_picture
from kdrec.runtime.interpreter import LiteRtFile
from kdrec.runtime.scores import FileScores
from kdrec.stages import Progress, Stages
from kdrec.without_effect import CUTS

REFERENCE, ACTIVATIONS = "float32", "activations"


def sensitivity(
    config: Config,
    *,
    allowed: float = 0.01,
    out: str | Path | None = None,
    work: str | Path | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Write a file for each question, judge them all on the validation part, and choose a recipe.

    Every file is one that `--recipe` would give, with the signature `score` alone, in LiteRT. The chosen recipe is the
    one of fewest bytes, of int8 and every choice of matrices in int4, that loses no more than is allowed.

    Args:
        config: of a run; its recipe is read for training under rounding alone.
        allowed: share of the float32 file's NDCG@k that may be lost.
        out: where sensitivity.json and sensitivity.svg go; `tflite_models/<data>` by default.
        work, progress: as of `kdrec.experiment.run`, whose stages are found there.

    Returns:
        The content of sensitivity.json: "data", "k", "allowed", "groups" (a row a group and type, "group", "type",
        "alone" and "all_but", names of recipes), "files" (by recipe: "bytes", "ndcg", "tied", "lost" against float32,
        with the ends of its 95 % interval over users), and "recipe", the chosen one.

    Raises:
        DataError: no validation part, an allowed loss outside [0, 1), a table that is no full one.
        KdrecError: as of `run`.
    """
    if not 0 <= allowed < 1:
        raise DataError(f"allowed must lie in [0, 1), not {allowed}; it is a share of the float32 file's NDCG")
    for option in ("table", *CUTS):
        value = getattr(config, option)
        if value != getattr(Config(), option):
            raise DataError(f"{option}={value!r} is not asked about; leave it out: every item needs a row of its own")
    check_names(config)
    name = name_of(config)
    out, work = Path(out or Path("tflite_models", name)), Path(work or Path("runs", name))
    check_writable("work", work)
    check_writable("out", out)
    stages = Stages(work, progress, partial(steps.make_deterministic, config.seed))
    data, split = procedures.read(stages, config)
    if len(split.valid) == 0:
        raise DataError("sensitivity is judged on the validation part, and no pair is held out for it; give --valid")
    last = list(experiment.students(stages, data, split, config, plain=False).students.values())[-1]
    groups = [group for group in GROUPS if config.hidden or group not in ("hidden", "residual")]
    wanted = questions(groups)
    judged = stages.run(
        "sensitivity", {"recipes": every_recipe(groups), **config.only("k", "calibration")},
        partial(_judge, split, last, every_recipe(groups), config, stages.progress), (data, last.stage),
    )  # fmt: skip
    files = json.loads((judged.folder / "files.json").read_text())
    told = {"data": name, "k": config.k, "allowed": allowed, "recipe": chosen(files, groups, allowed)}
    result = {**told, "groups": wanted, "files": files}
    atomic_write(out / "sensitivity.json", json.dumps(result, indent=1) + "\n")
    sensitivity_picture(result).savefig(out / "sensitivity.svg", metadata={"Date": None})
    return result


def questions(groups: list[str]) -> list[dict[str, str]]:
    """For each group and type, the file in which it alone is rounded, and the one in which all others are.

    Of eight bits the others are in float32 or int8, activations and all; of four bits, in float32 or int4.

    >>> questions(["item_table", "linear"])[0]
    {'group': 'item_table', 'type': 'int8', 'alone': 'float32+item_table=int8', 'all_but': 'int8+item_table=float32'}
    """
    rows = [_row(ACTIVATIONS, "int8", _mix("int8", groups, "float32"), _mix("float32", groups, "int8"))]
    for group in groups:
        others = [other for other in groups if other != group]
        rows.append(_row(group, "int8", _mix("float32", [group], "int8"), _mix("int8", [group], "float32")))
        rows.append(_row(group, "int4", _mix("float32", [group], "int4"), _mix("int8", others, "int4")))
    return rows[1:] + rows[:1]


def every_recipe(groups: list[str]) -> list[str]:
    """The recipes of all files, each once: float32, those of `questions`, and int8 with any groups in int4."""
    asked = [row[question] for row in questions(groups) for question in ("alone", "all_but")]
    return list(dict.fromkeys([REFERENCE, *asked, *candidates(groups)]))


def candidates(groups: list[str]) -> list[str]:
    """int8, with every choice of groups in int4.

    >>> candidates(["item_table", "linear"])[1:]
    ['int8+item_table=int4', 'int8+linear=int4', 'int8+item_table=int4+linear=int4']
    """
    return [_mix("int8", list(some), "int4") for size in range(len(groups) + 1) for some in combinations(groups, size)]


def chosen(files: dict[str, dict[str, float]], groups: list[str], allowed: float) -> str:
    """The recipe of fewest bytes that loses no more than is allowed; int8 when none does."""
    least = (1 - allowed) * files[REFERENCE]["ndcg"]
    kept = [name for name in candidates(groups) if files[name]["ndcg"] >= least]
    return min(kept, key=lambda name: (files[name]["bytes"], -files[name]["ndcg"]), default="int8")


def _mix(base: str, groups: list[str], kind: str) -> str:
    return mixed(recipes.get(base), dict.fromkeys(groups, kind)).name


def _row(group: str, kind: str, alone: str, all_but: str) -> dict[str, str]:
    return {"group": group, "type": kind, "alone": alone, "all_but": all_but}


def _judge(split: Split, last: Form, names: list[str], config: Config, said: Progress, folder: Path) -> None:
    """Write each recipe's file and judge it; leave figures by recipe."""
    student = steps.student_of(last, split)
    jobs = [ExportJob(name, recipes.get(name), ("score",), None) for name in names]
    results, sizes = {}, {}
    for exported in export_all(student, jobs, pack.calibration(split, student, config)):
        name = exported.job.name
        sizes[name] = len(exported.model)
        scorer = FileScores(LiteRtFile(exported.model, name))
        results[name] = evaluate(scorer, split, "valid", ks=(config.k,), history_length=scorer.length)
        said("sensitivity", len(results), len(names), name)
    metric = f"ndcg@{config.k}"
    files = {}
    for name, result in results.items():
        lost = paired_bootstrap(results[REFERENCE], result, metric, seed=config.seed)
        files[name] = {
            "bytes": sizes[name], "ndcg": result.metrics[metric], "tied": result.tied_share[f"tied@{config.k}"],
            "lost": lost.mean, "lost_low": lost.low, "lost_high": lost.high,
        }  # fmt: skip
    (folder / "files.json").write_text(json.dumps(files))

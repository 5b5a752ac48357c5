"""A search for the smallest or the best file: trials of Optuna, each judged on the file that it wrote."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from kdrec import converter, experiment, pack, procedures, steps
from kdrec.config import Config
from kdrec.data.splits import Split
from kdrec.errors import DataError, KdrecError
from kdrec.evaluation.ranking import evaluate
from kdrec.files import atomic_write, canonical_json, sha256_of
from kdrec.load import name_of
from kdrec.loggers.base import figures_of, logging_to
from kdrec.preflight import check_names, check_output, check_writable, is_report
from kdrec.report import write_report
from kdrec.search.goal import Goal, Judged
from kdrec.search.page import write_page
from kdrec.search.result import for_report, keep_front, result_of
from kdrec.search.space import KNOBS, check_knobs, least_bytes, suggested
from kdrec.stages import Progress, Stages, curve_of
from kdrec.teaching import teacher_of, trained_teachers

JOURNAL = "search.journal"
HOPE = 1.02  # pruning and training under rounding may make a student better by so much
WATCHED_K = 10  # of the NDCG that a training logs
STARTUP = 10  # trials drawn at random before the sampler looks at results


def search(
    config: Config,
    goal: Goal,
    *,
    trials: int = 40,
    over: tuple[str, ...] = tuple(KNOBS),
    out: str | Path | None = None,
    work: str | Path | None = None,
    progress: Progress | None = None,
    log: Sequence[str] = (),
    ended: Callable[[dict[str, Any]], None] | None = None,
) -> dict[str, Any]:
    """Look for the file that a goal asks for, and run its configuration to a report.

    Every trial trains, writes the file of the configuration's first target and judges it on the validation part; the
    test part is judged once, of the best. Trials are kept in `work`: the same call goes on, and several processes with
    one `work` share a study. A trial whose tables alone exceed the bytes is given up before it is trained; one whose
    student is worse than a smaller file that is known, before it is exported.

    Args:
        config: all that is not varied; its sparsity, recipe, widths … are those of no trial when they are in `over`.
        goal: what is wanted.
        trials: of this call; those that are given up count.
        over: what is varied, names in `kdrec.search.space.KNOBS`.
        out: where the best bundle and its report go, search.html, which is written after every trial, as is the
            picture in the report of an earlier call, and in `front` every bundle that no smaller one beats, each with
            its config.json.
        work, progress, log: as of `kdrec.experiment.run`; every trial is logged as a run of its own.
        ended: called with the row of each trial.

    Returns:
        The content of search.json: "goal", "teacher_ndcg", "best", and the rows of all trials, "trials".

    Raises:
        DataError: no validation part, an unknown knob.
        KdrecError: as of `run`.

    Source: Akiba et al., Optuna: A Next-generation Hyperparameter Optimization Framework, KDD 2019; the sampler is
    its multi-objective tree-structured Parzen estimator (Ozaki et al., GECCO 2020).
    """
    check_knobs(over)
    config = replace(config, targets=config.targets[:1], fusion=False)
    check_names(config)
    pack.check_targets(config)
    name = name_of(config)
    out, work = Path(out or Path("tflite_models", f"{name}-best")), Path(work or Path("runs", name))
    check_output(out, config)
    check_writable("work", work)
    stages = Stages(work, progress, partial(steps.make_deterministic, config.seed))
    data, split = procedures.read(stages, config)
    if len(split.valid) == 0:
        raise DataError("a search chooses on the validation part, and no pair is held out for it; give --valid")
    teacher = teacher_of(trained_teachers(stages, data, split, config).best.folder, split)
    reached = _ndcg(teacher, split, config.k)
    if not reached > 0:
        raise DataError(f"the teacher's NDCG@{config.k} on the validation part is 0: there is nothing to keep")
    study = _study(work, _key(config, split), config.seed)

    def objective(trial: optuna.Trial) -> tuple[float, float]:
        tried = suggested(trial, config, over, split.train.n_items)
        trial.set_user_attr("config", json.loads(tried.to_json()))
        check_names(tried)  # what can be known before its training
        least = least_bytes(tried, split.train.n_items)
        if goal.bytes is not None and least > goal.bytes:
            trial.set_constraint("bytes", least / goal.bytes - 1)
            raise optuna.TrialPruned
        of_trial = f"trial-{trial.number}"
        with logging_to(log, work / "logs" / of_trial, f"{name} {of_trial}") as loggers:
            stages = Stages(work, progress, partial(steps.make_deterministic, config.seed), loggers)
            data, _ = procedures.read(stages, tried)
            trained = procedures.train(stages, data, split, tried, plain=False)
            if config.k == WATCHED_K and _is_beaten(study, _best_epoch(trained), least):
                raise optuna.TrialPruned
            bundle = experiment.written(stages, data, split, tried, plain=False)[1].folder / tried.targets[0]
            judged = _judge(bundle, tried.k, split, reached)
            trial.set_user_attr("bundle", str(bundle.relative_to(work)))
            for logger in loggers:
                logger.result(trial.user_attrs["config"], figures_of([{"name": "trial", **asdict(judged)}]))
        trial.set_user_attr("judged", asdict(judged))
        for limit, miss in goal.misses(judged).items():
            trial.set_constraint(limit, miss)
        return judged.ndcg, float(judged.bytes)

    def after(study: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
        result = result_of(study, goal, reached, config)
        write_page(result, out / "search.html", going_on=True)
        atomic_write(out / "search.json", json.dumps(result, indent=1) + "\n")
        if is_report(out / "report.json") and result["best"] is not None:  # of an earlier call
            write_report({**json.loads((out / "report.json").read_text()), "search": for_report(result)}, out)
        if ended is not None:
            ended(next(row for row in result["trials"] if row["number"] == trial.number))

    with converter.keep():
        study.optimize(objective, n_trials=trials, callbacks=[after], catch=(KdrecError,))
    result = result_of(study, goal, reached, config)
    write_page(result, out / "search.html")
    if result["best"] is None:
        raise DataError(f"none of {len(result['trials'])} trials has a file; allow more bytes, or more trials")
    keep_front(result, work, out / "front")
    chosen = Config.from_json(json.dumps(result["best"]["config"]))
    report = experiment.run(chosen, out=out, work=work, progress=progress, log=log)
    write_report({**report, "search": for_report(result)}, out)
    return result


def _best_epoch(trained: procedures.Trained) -> float:
    """NDCG@10 on validation of the student as it was trained, in float32; infinite if it was not watched."""
    logs = curve_of(trained.distilled.folder)
    return max((log["val_ndcg@10"] for log in logs if "val_ndcg@10" in log), default=float("inf"))


def _is_beaten(study: optuna.Study, ndcg: float, least: int) -> bool:
    """Whether a file is known that is better and smaller than this student's can become."""
    done = study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,))
    return any(trial.values[0] > HOPE * ndcg and trial.values[1] <= least for trial in done)


def _judge(bundle: Path, k: int, split: Split, reached: float) -> Judged:
    """Judge a file on the validation part."""
    shipped = pack.shipped(bundle, split)
    ndcg = _ndcg(shipped.scorer, split, k, shipped.history_length)
    return Judged(
        ndcg, ndcg / reached, shipped.known["bytes"], shipped.known["gzip_bytes"], shipped.known["latency_us_p50"]
    )


def _ndcg(scorer: Any, split: Split, k: int, length: int | None = None) -> float:
    return evaluate(scorer, split, "valid", ks=(k,), history_length=length).metrics[f"ndcg@{k}"]


def _key(config: Config, split: Split) -> str:
    """A study's name: trials of other data, another teacher, table, target or k are of no help to it."""
    options = ("teacher", "teacher_options", "teacher_weights", "table", "table_options", "targets", "k", "seed")
    known = [split.fingerprint(), config.only(*options)]
    return f"search-{sha256_of(canonical_json(known).encode())[:12]}"


def _study(work: Path, name: str, seed: int) -> optuna.Study:
    """The study of that name in a folder; several processes may take part."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = JournalStorage(JournalFileBackend(str(work / JOURNAL)))
    names = optuna.get_all_study_names(storage)
    done = len(optuna.load_study(study_name=name, storage=storage).trials) if name in names else 0
    sampler = optuna.samplers.TPESampler(seed=seed + done, n_startup_trials=STARTUP)
    return optuna.create_study(
        study_name=name, storage=storage, directions=["maximize", "minimize"], sampler=sampler, load_if_exists=True
    )

"""`kdrec run`, killed once inside each stage and started again, ends with the files of a run that nobody killed."""

import json
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Any

import pytest
from small_log import COLUMNS

TARGETS = ("android", "coral_edgetpu", "micro")
TRAINED = ("teacher", "student", "assistant_12", "student_distilled", "pruned", "quantized")
STAGES = (
    *("data", "histories", "teacher", "teacher_cache", "student", "assistant_12", "assistant_12_cache"),
    *("student_distilled", "pruned", "quantized", "export", "devices", "evaluate"),
)
PHASE = {"assistant_12": "phase-1", "student_distilled": "phase-1"}  # in which a training of two phases is cut
EPOCHS = {"assistant_12": 6, "student_distilled": 6}  # else 4
MEASURED = ("latency_us_p50", "latency_us_p90", "latency_us_p99")
LATEST, TRIES = 150.0, 4  # seconds to reach a stage; a stage may be over before the signal arrives


def options(log_folder: Path) -> list[str]:
    """A two-tower teacher and epochs enough to be cut between two of them."""
    given = {
        "--data": log_folder / "log.csv", "--item-features": log_folder / "items.csv", "--teacher": "two_tower",
        "--user-column": COLUMNS["user_column"], "--item-column": COLUMNS["item_column"],
        "--time-column": COLUMNS["time_column"], "--context-column": "daypart",
        "--item-id-column": COLUMNS["item_id_column"], "--title-column": COLUMNS["title_column"],
        "--category-column": "category", "--embedding-dim": 8, "--hidden": 16, "--epochs": 4, "--prune-epochs": 4,
        "--batch-size": 1024, "--patience": 4, "--assistant": 12, "--sampled-histories": 0.2, "--pretrain-epochs": 2,
        "--quantize-epochs": 4,
    }  # fmt: skip
    teacher = ["epochs=4", "patience=4", "embedding_dim=8", "layers=[16]", "batch_size=1024"]
    losses = ["softened_kl", "feature_matching"]  # the second has weights of its own, drawn at random
    repeated = [("--teacher-option", option) for option in teacher] + [("--loss", loss) for loss in losses]
    return [str(word) for pair in [*given.items(), *repeated] for word in pair]


@pytest.fixture
def forks(monkeypatch: pytest.MonkeyPatch) -> ForkServerContext:
    """A dozen runs that are killed, and libraries imported once for them: by the process of which they are forks."""
    monkeypatch.setenv("TF_USE_LEGACY_KERAS", "1")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tensorflow_model_optimization", "kdrec.cli", "kdrec.experiment", "kdrec.smaller"])
    return context


def run(arguments: list[str]) -> None:
    """`kdrec run`, in a process group of its own; its trainings, of two steps an epoch, are not compiled."""
    import tensorflow as tf

    from kdrec.cli import main

    os.setsid()
    tf.config.run_functions_eagerly(True)
    sys.argv = ["kdrec", "run", *arguments, "--quiet"]
    main()


def wait_for(there: Callable[[], bool], process: ForkServerProcess, what: str) -> None:
    deadline = time.monotonic() + LATEST
    while not there():
        assert process.exitcode is None, f"the run ended before {what}"
        assert time.monotonic() < deadline, f"the run did not reach {what} in {LATEST:g} s"
        time.sleep(0.001)


def killed_in(stage: str, arguments: list[str], work: Path, forks: ForkServerContext) -> Path:
    """Start the run and kill it inside a stage: a trained one after its first epoch. The stage's folder."""
    for _ in range(TRIES):
        process = forks.Process(target=run, args=(arguments,))
        process.start()
        try:
            wait_for(lambda: any(work.glob(f"{stage}-*")), process, f"stage {stage}")
            folder = next(work.glob(f"{stage}-*"))
            if stage in TRAINED:
                state = folder / "checkpoint" / PHASE.get(stage, "") / "state.json"
                wait_for(state.exists, process, f"the first epoch of {stage}")
            if stage == "export":
                time.sleep(2.0)  # into the conversion, which another process does
        finally:
            if process.exitcode is None:
                os.killpg(process.pid or 0, signal.SIGKILL)
            process.join()
        if not (folder / "done.json").exists():
            return folder
        (folder / "done.json").unlink()
    raise AssertionError(f"stage {stage} was over before the signal arrived, {TRIES} times")


def epochs_of(folder: Path) -> int:
    return sum(len(json.loads(path.read_text())["epochs"]) for path in folder.glob("checkpoint/**/state.json"))


def told(report: dict[str, Any]) -> dict[str, Any]:
    """A report without what is measured with a clock."""
    rows = [{name: value for name, value in row.items() if name not in MEASURED} for row in report["rows"]]
    return {**report, "rows": rows, "stages": [stage["name"] for stage in report["stages"]]}


@pytest.mark.slow
def test_killed_run_ends_with_the_same_files(log_folder: Path, tmp_path: Path, forks: ForkServerContext) -> None:
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    work, out = killed / "work", killed / "out"
    arguments = [*options(log_folder), "--work", str(work), "--out", str(out)]
    for stage in (stage for stage in STAGES if stage != "devices"):  # which is short
        folder = killed_in(stage, arguments, work, forks)
        finished = {path.parent.name.partition("-")[0] for path in work.glob("*/done.json")}
        assert finished == set(STAGES[: STAGES.index(stage)])
        assert stage not in TRAINED or 1 <= epochs_of(folder) < EPOCHS.get(stage, 4), f"{stage} was not cut in between"
        assert not out.exists() or not any(out.iterdir()), "a run that is not over has published something"
    repeat = ["--config", str(out / "config.json"), "--work", str(whole / "work"), "--out", str(whole / "out")]
    for words in (arguments, repeat):
        process = forks.Process(target=run, args=(words,))
        process.start()
        process.join()
        assert process.exitcode == 0
    bundles = [path for target in TARGETS for path in sorted((whole / "out" / target).iterdir())]
    assert len(bundles) == 3 * 4 + 3  # and of coral_edgetpu the host tables, of items and of context, and the script
    kept = (*TRAINED, "histories", "teacher_cache", "assistant_12_cache")
    trained = [path for stage in kept for path in sorted((whole / "work").glob(f"{stage}-*/**/*.np[yz]"))]
    assert len(trained) >= len(kept)
    for path in (*bundles, *trained, whole / "out" / "config.json"):
        assert path.read_bytes() == (killed / path.relative_to(whole)).read_bytes(), path
    reports = [json.loads((place / "out" / "report.json").read_text()) for place in (killed, whole)]
    assert told(reports[0]) == told(reports[1])
    assert len(reports[0]["curves"]["teacher"]) == 4  # the epochs before the kill, too

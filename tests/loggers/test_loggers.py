"""What is logged is what the stages left: one small run, logged to all that is installed."""

import json
import math
import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from typer.testing import CliRunner

sys.path.insert(0, str(Path(__file__).parents[1] / "experiment"))
from small_log import small, write_small_log

from kdrec import experiment, loggers
from kdrec.cli import app
from kdrec.config import Config
from kdrec.errors import LogError, UnknownNameError
from kdrec.loggers.base import installed
from kdrec.schedules import parse


class Logged(NamedTuple):
    """A run that was logged: its configuration, and its folder of stages."""

    config: Config
    work: Path

    @property
    def student(self) -> Path:
        """The distilled student's stage."""
        (place,) = self.work.glob("student_distilled-*")
        return place

    @property
    def curve(self) -> list[dict[str, float]]:
        return json.loads((self.student / "curve.json").read_text())

    @property
    def rows(self) -> list[dict[str, Any]]:
        (place,) = self.work.glob("evaluate_models-*")
        return json.loads((place / "rows.json").read_text())


@pytest.fixture(scope="module")
def logged(tmp_path_factory) -> Logged:
    """Two phases, one epoch and two, the second with a schedule; TensorBoard's, if it is there."""
    folder = tmp_path_factory.mktemp("logged")
    write_small_log(folder)
    config = small(folder, epochs=2, pretrain_epochs=1, student_loss_weight="linear:0.5:0")
    there = ("tensorboard",) if find_spec("tensorboard") else ()
    experiment.distill(config, folder / "work", log=there)
    return Logged(config, folder / "work")


def command(config: Config, work: Path, log: str, **environment: str) -> Logged:
    """The same by the command line, in a process of its own: W&B changes how Python imports."""
    (work.parent / "config.json").write_text(config.to_json())
    words = ["distill", "--config", work.parent / "config.json", "--work", work, "--log", log, "--quiet"]
    call = [sys.executable, "-c", "from kdrec.cli import main; main()", *map(str, words)]
    subprocess.run(call, check=True, env={**os.environ, **environment}, cwd=work.parent, capture_output=True)
    return Logged(config, work)


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Tag -> (step, value) of a folder of event files."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util.tensor_util import make_ndarray

    events = EventAccumulator(str(folder))
    events.Reload()
    found = {}
    for tag in events.Tags()["tensors"]:
        values = [(event.step, make_ndarray(event.tensor_proto)) for event in events.Tensors(tag)]
        found[tag] = [(step, value.item()) for step, value in values if value.dtype.kind == "f" and value.size == 1]
    return found


def same(values: list[float], curve: list[dict[str, float]], name: str) -> bool:
    return values == pytest.approx([logs[name] for logs in curve], rel=1e-6)


@pytest.mark.slow
@pytest.mark.usefixtures("eagerly_in_module")
def test_event_files_hold_the_curve(logged, require):
    require("tensorboard")
    place = logged.work / "logs" / logged.student.name
    train, validation = scalars(place / "train"), scalars(place / "validation")
    assert [step for step, _ in train["epoch_total_loss"]] == [0, 1, 2]  # over both phases
    for name in logged.curve[0]:
        of_part = validation if name.startswith("val_") else train
        assert same([value for _, value in of_part["epoch_" + name.removeprefix("val_")]], logged.curve, name)
    weight = parse("linear:0.5:0")
    assert train["epoch_student_loss_weight"] == [(1, pytest.approx(weight(0.5))), (2, pytest.approx(weight(1.0)))]
    # Both phases rise to the configuration's rate in all steps but one; two steps an epoch.
    falls = [(1 + math.cos(math.pi / steps)) / 2 for steps in (2, 4)]
    shares = [value / logged.config.learning_rate for _, value in train["epoch_learning_rate"]]
    assert shares == pytest.approx([falls[0], 2 / 3, falls[1]])


@pytest.mark.slow
@pytest.mark.usefixtures("eagerly_in_module")
def test_event_files_hold_results_and_configuration(logged, require):
    require("tensorboard")
    (place,) = (logged.work / "logs").glob("run-*")
    found = scalars(place)
    for row in logged.rows:
        assert found[f"{row['name']}/ndcg@10"] == [(0, pytest.approx(row["ndcg@10"]))]
    content = b"".join(path.read_bytes() for path in place.iterdir())
    assert b'"student_loss_weight": "linear:0.5:0.0"' in content and b"_hparams_/session_start_info" in content


@pytest.mark.slow
@pytest.mark.usefixtures("eagerly_in_module")
def test_stages_that_are_found_finished_are_logged_from_what_they_left(logged, require, tmp_path):
    require("tensorboard")
    live, logs = scalars(logged.work / "logs" / logged.student.name / "train"), logged.work / "logs"
    logs.rename(tmp_path / "moved")
    again = experiment.distill(logged.config, logged.work, log=("tensorboard",))
    assert all(stage["cached"] for stage in again["stages"])
    late = scalars(logs / logged.student.name / "train")
    assert late and all(live[tag] == late[tag] for tag in late)
    files = list(logs.rglob("events*"))
    experiment.distill(logged.config, logged.work, log=("tensorboard",))
    stages = {path for path in logs.rglob("events*") if not path.parent.name.startswith("run-")}
    assert stages <= set(files)  # nothing twice


@pytest.mark.slow
@pytest.mark.usefixtures("eagerly_in_module")
@pytest.mark.filterwarnings("default")  # MLflow uses what SQLAlchemy has deprecated
def test_mlflow_has_a_run_a_training(logged, require, tmp_path):
    require("mlflow")
    store = f"sqlite:///{tmp_path}/mlflow.db"
    logged = command(logged.config, tmp_path / "work", "mlflow", MLFLOW_TRACKING_URI=store)
    from mlflow import MlflowClient

    client = MlflowClient(store)
    runs = client.search_runs(["0"])
    (outer,) = [run for run in runs if run.info.run_name == "log"]
    assert outer.data.params["student_loss_weight"] == "linear:0.5:0.0"
    for row in logged.rows:
        assert outer.data.metrics[f"{row['name']}/ndcg_at_10"] == pytest.approx(row["ndcg@10"])
    inner = [run for run in runs if run.info.run_name == logged.student.name]
    assert {run.data.tags["mlflow.parentRunId"] for run in inner} == {outer.info.run_id}
    assert {run.info.status for run in runs} == {"FINISHED"}
    for name in logged.curve[0]:
        kept = [client.get_metric_history(run.info.run_id, name.replace("@", "_at_")) for run in inner]
        values = {each.step: each.value for of_run in kept for each in of_run}
        assert same([values[step] for step in range(3)], logged.curve, name)


@pytest.mark.slow
@pytest.mark.usefixtures("eagerly_in_module")
def test_wandb_has_a_run_a_training(logged, require, tmp_path):
    require("wandb")
    logged = command(logged.config, tmp_path / "work", "wandb", WANDB_MODE="offline")
    logs: dict[str, dict[int, dict[str, Any]]] = {}
    for path in sorted((logged.work / "logs" / "wandb").glob("offline-run-*/*.wandb")):
        name = ""
        for record in records(path):
            kind = record.WhichOneof("record_type")
            if kind == "run":
                name = record.run.display_name
                assert record.run.run_group == "log" and record.run.project == "kdrec"
            of_record = {"history": record.history.item, "summary": record.summary.update}.get(kind, ())
            values = {item.key or item.nested_key[0]: json.loads(item.value_json) for item in of_record}
            if kind == "history":
                logs.setdefault(name, {})[values["epoch/epoch"]] = values
            elif name == "result":
                logs.setdefault(name, {0: {}})[0].update(values)
    for name in logged.curve[0]:
        assert same([logs[logged.student.name][step][f"epoch/{name}"] for step in range(3)], logged.curve, name)
    for row in logged.rows:
        assert logs["result"][0][f"{row['name']}/ndcg@10"] == pytest.approx(row["ndcg@10"])


def records(path: Path) -> Iterator[Any]:
    """What W&B keeps offline: LevelDB's log format after a header of 7 bytes, in blocks of 32 KiB."""
    from wandb.proto.wandb_internal_pb2 import Record

    content, place, whole = path.read_bytes(), 7, b""
    while place + 7 <= len(content):
        if (left := 32768 - place % 32768) < 7:
            place += left
            continue
        size, kind = struct.unpack("<HB", content[place + 4 : place + 7])
        whole += content[place + 7 : place + 7 + size]
        place += 7 + size
        if kind in (1, 4):  # whole, or its last part
            yield Record.FromString(whole)
            whole = b""


@pytest.mark.parametrize("name", loggers.names())
def test_a_logger_has_the_name_of_its_file_and_an_extra(name):
    from configparser import ConfigParser

    assert loggers.get(name).__name__ == name
    setup = ConfigParser()
    setup.read(Path(__file__).parents[2] / "setup.cfg")
    assert name in setup["options.extras_require"]


def test_what_is_not_installed_is_said_with_the_way_out():
    with pytest.raises(LogError, match=r"log 'wandb' needs no_such_module \(No .*\): pip install 'kdrec\[wandb\]'"):
        installed("no_such_module", "wandb")


def test_no_logger_of_that_name_is_said_before_anything_is_trained(tmp_path):
    with pytest.raises(UnknownNameError, match="loggers has no 'paper'; it has mlflow, tensorboard, wandb"):
        experiment.run(Config(), tmp_path / "out", tmp_path / "work", log=("paper",))
    arguments = ["distill", "--log", "paper", "--work", str(tmp_path / "other"), "--quiet"]
    assert CliRunner().invoke(app, arguments).exit_code == 2
    assert not any(os.scandir(tmp_path / "work")) and not any(os.scandir(tmp_path / "other"))

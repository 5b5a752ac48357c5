"""The command line: what it hands over, what it prints and how it fails."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner, Result

from kdrec import __version__
from kdrec.cli import app
from kdrec.cli.examples import EXAMPLES
from kdrec.cli.option_texts import OPTIONS
from kdrec.cli.options import config_of
from kdrec.config import Config
from kdrec.errors import TrainingError

COMMANDS = [
    "run",
    "distill",
    "compare",
    "search",
    "sensitivity",
    "evaluate",
    "recommend",
    "inspect",
    "bench",
    "check",
    "export",
]
ROW = {
    "parameters": 512,
    "target": None,
    "recipe": None,
    "form": "keras",
    "bytes": 2048,
    "ndcg@10": 0.25,
    "recall@10": 0.5,
}
LOG = "the log of the fixture"
REPORT = {
    "k": 10,
    "data": {"name": "demo"},
    "rows": [{**ROW, "name": "teacher", "keep": 1.0, "latency_us_p50": None}],
}


def kdrec(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), env={"COLUMNS": "80"})


def plain(text: str) -> str:
    """Without line breaks and frames, to look for words."""
    return " ".join(text.replace("│", " ").split())


@pytest.fixture
def experiment(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[..., Any]], None]:
    """Put a function in the place of kdrec.experiment's run and distill, without importing what that imports."""

    def replace(run: Callable[..., Any]) -> None:
        module = ModuleType("kdrec.experiment")
        module.run = module.distill = run  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "kdrec.experiment", module)
        monkeypatch.setattr(sys.modules["kdrec"], "experiment", module, raising=False)

    return replace


@pytest.fixture
def ran(experiment: Callable[[Callable[..., Any]], None]) -> dict[str, Any]:
    """What `run` was called with."""
    seen: dict[str, Any] = {}

    def run(config: Config, work: Path | None, progress: Any = None, **out: Path | None) -> dict[str, Any]:
        seen.update(config=config, work=work, **out)
        if progress is not None:
            progress("data", 0, 0, "found finished")
            progress("student", 0, 1, "")
            progress("student", 1, 20, "loss [1.5]")
            progress("student", 1, 1, "")
        return REPORT

    experiment(run)
    return seen


@pytest.fixture
def log(tmp_path: Path) -> str:
    """Ten users, each with six of twelve items, one after the other."""
    path = tmp_path / "log.csv"
    pairs = [(user, (user + place) % 12, place) for user in range(10) for place in range(6)]
    path.write_text("user,item,t\n" + "".join(f"{user},{item},{time}\n" for user, item, time in pairs))
    return str(path)


def test_the_package_is_the_command() -> None:
    done = subprocess.run([sys.executable, "-m", "kdrec", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == kdrec("--version").output


def test_help_teaches() -> None:
    done = kdrec("--help")
    assert done.exit_code == 0
    for word in [*COMMANDS, "--version", "kdrec run --data my_log.csv", "kdrec recommend tflite_models/demo/android"]:
        assert word in plain(done.output)
    assert kdrec().output.strip() == done.output.strip()


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_each_command_fits_80_columns(command: str) -> None:
    done = kdrec(command, "--help")
    assert done.exit_code == 0
    assert max(map(len, done.output.splitlines())) <= 80
    assert "…" not in done.output, "an option's name was cut"


@pytest.mark.parametrize("command", COMMANDS)
def test_each_help_ends_with_what_to_type(command: str) -> None:
    shown, known = plain(kdrec(command, "--help").output), get_command(app).commands[command].params  # type: ignore
    for example, does in EXAMPLES[command].items():
        assert example in shown and does in shown and example.split()[:2] == ["kdrec", command]
        used = {word for word in example.split() if word.startswith("-")}
        assert used <= {name for option in known for name in option.opts}


def test_version() -> None:
    assert kdrec("--version").output == f"kdrec {__version__}\n"


def test_every_field_of_config_is_an_option() -> None:
    assert list(OPTIONS) == [field.name for field in fields(Config)]


def test_help_names_what_the_folders_hold() -> None:
    shown = plain(kdrec("run", "--help").output)
    for name in ("ml_100k", "ease", "conv", "score_mse", "dynamic_int8", "[default: 32]"):
        assert name in shown


@pytest.mark.parametrize(
    ("arguments", "field", "value"),
    [
        (["--data", "log.csv"], "data", "log.csv"),
        (["--data-dir", "ml-100k"], "data_dir", "ml-100k"),
        (["--download"], "download", True),
        (["--valid", "valid.csv"], "valid", "valid.csv"),
        (["--test", "test.csv"], "test", "test.csv"),
        (["--lists"], "lists", True),
        (["--student", "history"], "student", "history"),
        (["--user-column", "u"], "user_column", "u"),
        (["--context-column", "a", "--context-column", "b"], "context_columns", ("a", "b")),
        (["--category-column", "genre"], "category_columns", ("genre",)),
        (["--minimum-rating", "3.5"], "minimum_rating", 3.5),
        (["--teacher-option", "l2=200", "--teacher-option", "loss=bpr"], "teacher_options", {"l2": 200, "loss": "bpr"}),
        (["--history-length", "20"], "history_length", 20),
        (["--untied"], "tied", False),
        (["--teacher", "ease,als"], "teacher", "ease,als"),
        (["--assistant", "64", "--assistant", "16"], "assistants", (64, 16)),
        (["--sampled-histories", "0.5"], "sampled_histories", 0.5),
        (["--unlabelled", "more.csv"], "unlabelled", "more.csv"),
        (["--initialise", "item_svd"], "initialise", "item_svd"),
        (["--student-loss", "bpr"], "student_loss", "bpr"),
        (["--student-loss-weight", "0.25"], "student_loss_weight", 0.25),
        (["--student-loss-weight", "cosine:0.6:0.0"], "student_loss_weight", "cosine:0.6:0.0"),
        (["--temperature", "linear:4:1"], "temperature", "linear:4.0:1.0"),
        (["--weighting", "uncertainty"], "weighting", "uncertainty"),
        (["--whole-histories"], "whole_histories", True),
        (["--pretrain-epochs", "2"], "pretrain_epochs", 2),
        (["--fine-tune-epochs", "3"], "fine_tune_epochs", 3),
        (["--loss-option", "top=40", "--loss-option", "beta=0.5"], "loss_options", {"top": 40, "beta": 0.5}),
        (["--fusion"], "fusion", True),
        (["--loss", "score_mse", "--loss", "softened_kl"], "losses", ("score_mse", "softened_kl")),
        (["--loss-weight", "0.25"], "loss_weights", (0.25,)),
        (["--step", "quantize", "--step", "prune"], "steps", ("quantize", "prune")),
        (["--target", "micro"], "targets", ("micro",)),
        (["--k", "5"], "k", 5),
        (["--seed", "3"], "seed", 3),
    ],
)
def test_run_hands_an_option_over(arguments: list[str], field: str, value: Any, ran: dict[str, Any]) -> None:
    assert kdrec("run", *arguments).exit_code == 0
    assert getattr(ran["config"], field) == value
    left = {other.name for other in fields(Config)} - {field}
    assert all(getattr(ran["config"], name) == getattr(Config(), name) for name in left)


def test_weights_of_teachers_and_losses_are_numbers_or_schedules(ran: dict[str, Any]) -> None:
    done = kdrec("run", "--teacher", "ease,als", "--teacher-weight", "0.7", "--teacher-weight", "linear:0:1",
                 "--loss-weight", "warm_up:2")  # fmt: skip
    assert done.exit_code == 0
    assert ran["config"] == Config(teacher="ease,als", teacher_weights=(0.7, "linear:0:1"), loss_weights=("warm_up:2",))


def test_distill_hands_over_all_but_files(ran: dict[str, Any]) -> None:
    assert kdrec("distill", "--loss", "rrd", "--fusion", "--work", "there", "--quiet").exit_code == 0
    assert ran == {"config": Config(losses=("rrd",), fusion=True), "work": Path("there"), "log": ()}
    refused = kdrec("distill", "--target", "micro")
    assert refused.exit_code == 2 and "No such option" in plain(refused.output)


def test_distill_prints_a_table_or_json(ran: dict[str, Any]) -> None:
    done = kdrec("distill")
    assert "Teacher" in done.stdout and "0.2500" in done.stdout and "report.html" not in done.stdout
    assert "Latency" not in done.stdout
    assert json.loads(kdrec("distill", "--json").stdout) == REPORT


def test_run_repeats_a_file_and_options_override_it(ran: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(Config(embedding_dim=8, epochs=7, tied=False).to_json())
    done = kdrec(
        "run", "--config", str(tmp_path / "config.json"), "--epochs", "2", "--out", "here", "--work", "there",
        "--log", "tensorboard",
    )  # fmt: skip
    assert done.exit_code == 0
    config = Config(embedding_dim=8, epochs=2, tied=False)
    assert ran == {"config": config, "out": Path("here"), "work": Path("there"), "log": ["tensorboard"]}


def test_config_of_nothing_is_the_default() -> None:
    assert config_of(None, {"epochs": None, "losses": None}) == Config()


def test_run_ends_with_the_table_and_the_page(ran: dict[str, Any]) -> None:
    done = kdrec("run")
    assert "Teacher" in done.stdout and "0.2500" in done.stdout
    assert done.stdout.splitlines()[-1] == "tflite_models/demo/report.html"
    assert kdrec("run", "--out", "here").stdout.splitlines()[-1] == "here/report.html"


def test_run_prints_a_line_a_finished_stage(ran: dict[str, Any]) -> None:
    lines = kdrec("run").stderr.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("data ") and lines[0].endswith("s   found finished")
    assert lines[1].startswith("student ") and lines[1].endswith("s   loss [1.5]")


def test_run_json_is_the_report_alone(ran: dict[str, Any]) -> None:
    assert json.loads(kdrec("run", "--json").stdout) == REPORT


def test_run_quiet_prints_nothing(ran: dict[str, Any]) -> None:
    assert kdrec("run", "--quiet").output == ""
    assert json.loads(kdrec("run", "--quiet", "--json").output) == REPORT


def test_an_error_is_one_line(experiment: Callable[[Callable[..., Any]], None]) -> None:
    def run(config: Config, **options: Any) -> None:
        raise TrainingError("student: the loss became NaN at step 7 [of 20]; " + "lower the learning_rate " * 9)

    experiment(run)
    done = kdrec("run", "--quiet")
    assert done.exit_code == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("error: student: the loss became NaN at step 7 [of 20]; lower the")


def test_an_error_shows_where_it_came_from_when_asked(
    experiment: Callable[[Callable[..., Any]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(config: Config, **options: Any) -> None:
        raise TrainingError("no good")

    experiment(run)
    assert isinstance(kdrec("--traceback", "run").exception, TrainingError)
    monkeypatch.setenv("KDREC_TRACEBACK", "1")
    assert isinstance(kdrec("run").exception, TrainingError)


def test_an_interrupted_run_says_how_to_go_on(experiment: Callable[[Callable[..., Any]], None]) -> None:
    def run(config: Config, **options: Any) -> None:
        raise KeyboardInterrupt

    experiment(run)
    for command in ("run", "distill"):
        done = kdrec(command, "--quiet")
        assert done.exit_code == 130
        assert done.stderr == "error: interrupted; run the same command again to continue\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["run", "--teacher-option", "l2"],
            "--teacher-option must be key=value, not 'l2'; for example --teacher-option epochs=3",
        ),
        (
            ["distill", "--loss-option", "top"],
            "--loss-option must be key=value, not 'top'; for example --loss-option top=50",
        ),
        (["distill", "--temperature", "hot"], "temperature must be a number or a schedule, not 'hot'"),
        (["run", "--config", "no.json"], "config no.json cannot be read: No such file or directory"),
        (["run", "--epochs", "0"], "epochs must be at least 1, not 0"),
        (["evaluate", "popularity", "--user-column", "u"], "user_column='u' has no effect: demo is a data set by name"),
        (["evaluate", "popularity", "--data", LOG, "--download"], "download=True has no effect: data "),
        (["evaluate", "popularity", "--data", "no.csv"], "'no.csv' is none"),
        (
            ["evaluate", "no.tflite"],
            "model must be a bundle's folder, a file, or one of popularity, random; 'no.tflite'",
        ),
        (["evaluate", "popularity", "--data", LOG, "--part", "train"], "'train'; it has valid, test"),
        (
            ["evaluate", "popularity", "--data", LOG, "--k", "5000"],
            "k must be from 1 to the catalogue's 12 items, received 5000; choose a smaller k",
        ),
        (["recommend", "nowhere", "--history", "1"], "nowhere is no bundle: it has no manifest.json"),
        (["inspect", "no.tflite"], "no.tflite cannot be read: No such file or directory"),
        (["bench", "no.tflite"], "no.tflite does not exist; give the path of a .tflite file"),
    ],
)
def test_bad_input_is_named(arguments: list[str], message: str, log: str) -> None:
    done = kdrec(*(log if argument == LOG else argument for argument in arguments))
    assert done.exit_code == 2
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1 and message in errors[0]


def test_evaluate_prints_a_table(log: str) -> None:
    done = kdrec("evaluate", "popularity", "--data", log, "--time-column", "t", "--k", "5", "--quiet")
    assert done.stdout.splitlines()[0] == "popularity on log, test part of leave_last_out: 10 users, 12 items"
    assert "ndcg@5" in done.stdout
    assert done.stderr == ""


def test_evaluate_on_test_pairs_of_the_users_own(log: str, tmp_path: Path) -> None:
    (tmp_path / "test.csv").write_text("user,item,t\n0,7,9\n3,11,9\n")
    done = kdrec("evaluate", "popularity", "--data", log, "--test", str(tmp_path / "test.csv"), "--k", "5", "--quiet")
    assert done.stdout.splitlines()[0] == "popularity on log, test part of given: 2 users, 12 items"


def test_help_tells_hard_losses_from_soft_ones() -> None:
    shown = plain(kdrec("distill", "--help").output)
    assert "Hard loss, on what users did: bce, bpr, in_batch_softmax, sampled_softmax, softmax." in shown
    soft = shown.partition("Distillation loss:")[2].partition("; repeatable")[0]
    assert "rce_kd" in soft and "bpr" not in soft and "--target" not in shown


def test_help_says_what_the_defaults_do() -> None:
    shown = plain(kdrec("run", "--help").output)
    assert "by default the 95th percentile, at most 50." in shown
    assert "the last so many positions, the same each epoch. [default: 50]" in shown


def test_evaluate_json_is_json_alone(log: str) -> None:
    done = kdrec("evaluate", "random", "--data", log, "--time-column", "t", "--k", "5", "--part", "valid", "--json")
    judged = json.loads(done.stdout)
    assert judged["model"] == "random" and judged["form"] == "baseline" and judged["part"] == "valid"
    assert judged["metrics"]["recall@5"] == judged["metrics"]["hr@5"]
    assert done.stderr.startswith("evaluate ")


def test_notes_of_libraries_are_left_out() -> None:
    """Written past Python, by this process and by a child; what is no note passes, in its order."""
    code = """
import os, subprocess, sys
from kdrec.cli.chatter import without_chatter
with without_chatter():
    os.write(2, b"I0000 00:00:1795.69   29213 port.cc:153] oneDNN custom operations are on.\\nF0000 it broke\\n")
    os.write(2, b"2026-01-01 00:00:00.1: W tensorflow/x.cc:1] slow\\nINFO: Created TensorFlow Lite delegate.\\n")
    subprocess.run(["sh", "-c", "echo WARNING: All log messages before absl::InitializeLog >&2; echo child >&2"])
    print("ours", file=sys.stderr)
print("after", file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert sorted(done.stderr.splitlines()) == ["F0000 it broke", "after", "child", "ours"]
    assert done.stderr.splitlines()[-1] == "after"

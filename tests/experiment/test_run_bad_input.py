"""What is wrong with a run is said before anything is trained, and nothing that was there is lost."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_log import COLUMNS, ITEMS, USERS, small

from kdrec import losses, targets
from kdrec.data import sets
from kdrec.distill import weightings
from kdrec.errors import ConversionError, DataError, KdrecError, OutputError, TargetError, TrainingError
from kdrec.errors import UnknownNameError as Unknown
from kdrec.files import sha256_of
from kdrec.models import encoders, initialisers, teachers

Refused = Callable[..., set[str]]


def contents(folder: Path) -> dict[str, str]:
    return {str(path): sha256_of(path) for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def refused(log_folder: Path, start: Callable[..., Any], tmp_path: Path) -> Refused:
    """Start a run that must fail; the stages it began. What was in its output folder is still there."""

    def attempt(error: type[KdrecError], message: str, out: Path | None = None, **options: Any) -> set[str]:
        out, work = out or tmp_path / "out", tmp_path / "work"
        before = contents(out)
        with pytest.raises(error, match=message):
            start(small(log_folder, **options), out, work)
        assert contents(out) == before
        return {path.name.partition("-")[0] for path in work.iterdir()} if work.is_dir() else set()

    return attempt


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (
            {"teacher": "easy"},
            Unknown,
            f"teacher must be one of {', '.join(teachers.names())}, or a saved .* 'easy' is",
        ),
        ({"teacher": "ease,"}, Unknown, "teacher must be one of .*; '' is none"),
        ({"teacher_options": {"l3": 1}}, Unknown, "teacher_options of 'ease' has no 'l3'; it has .*l2, recency"),
        ({"losses": ("kl",)}, Unknown, f"losses has no 'kl'; it has {', '.join(losses.names())}"),
        ({"losses": ("bpr",)}, Unknown, "loss 'bpr' compares with what users did, not with a teacher; it is the part"),
        ({"student_loss": "hinge"}, Unknown, f"losses has no 'hinge'; it has {', '.join(losses.names())}"),
        (
            {"student_loss": "score_mse"},
            Unknown,
            "student_loss 'score_mse' compares with a teacher, not with what users did; .* one of bce, bpr, in_batch",
        ),
        (
            {"losses": ("rrd",), "student_loss": "bpr", "loss_options": {"tops": 1}},
            Unknown,
            "loss_options of rrd, bpr has no 'tops'; it has negatives, top$",
        ),
        ({"loss_options": {"top": 1}}, Unknown, "loss_options of softened_kl, softmax has no 'top'; it has none"),
        ({"initialise": "zeros"}, Unknown, f"initialisers has no 'zeros'; it has {', '.join(initialisers.names())}"),
        ({"weighting": "even"}, Unknown, f"weightings has no 'even'; it has {', '.join(weightings.names())}"),
        ({"targets": ("toaster",)}, Unknown, f"targets has no 'toaster'; it has {', '.join(targets.names())}"),
        ({"recipe": "int4"}, Unknown, "recipes has no 'int4'; it has dynamic_int8, float16, float32, int16x8, "),
        ({"encoder": "gru"}, Unknown, f"encoders has no 'gru'; it has {', '.join(encoders.names())}"),
        (
            {"calibration": "entropy"},
            ConversionError,
            "calibration must be one of minmax, percentile, mse, not 'entropy'",
        ),
        (
            {"recipe": "int8+tower=int4"},
            ConversionError,
            "has no group 'tower'; it has item_table, linear, hidden, res",
        ),
        (
            {"recipe": "float32", "calibration": "percentile"},
            DataError,
            "calibration='percentile' has no effect: recipe 'float32' measures no ranges; leave it out",
        ),
        (
            {"recipe": "int8+hidden=int4", "hidden": 0},
            DataError,
            "recipe 'int8.hidden=int4' names hidden, and with hidden=0 there is none; leave hidden out",
        ),
        (
            {"recipe": "int8+residual=int4", "hidden": 15},
            DataError,
            "hidden must be even for recipe 'int8.residual=int4', not 15",
        ),
        ({"recipe": "float16"}, TargetError, "target 'coral_edgetpu' takes the recipe int8, not 'float16'; choose"),
    ],
)
def test_unknown_names_are_refused_before_anything_is_read(
    refused: Refused, options: dict[str, Any], error: type[KdrecError], message: str
) -> None:
    assert refused(error, message, **options) == set()


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (
            {"losses": ("rrd",), "loss_options": {"top": "many"}},
            DataError,
            "loss_options top of 'rrd' must be an integer, not 'many'",
        ),
        ({"losses": ("rrd",), "loss_options": {"top": 0}}, TrainingError, "top must be at least 1, not 0"),
        (
            {"student_loss_weight": "linear:1.5:0"},
            DataError,
            r"student_loss_weight must lie in \[0, 1\] all the time, not 'linear:1.5:0.0'",
        ),
        ({"temperature": "linear:2:0"}, DataError, "temperature must be above 0 all the time, not 'linear:2.0:0.0'"),
        (
            {"teacher": "ease,als", "teacher_weights": (1, "linear:1:-1")},
            DataError,
            "teacher_weights must each be at least 0 all the time, not 'linear:1.0:-1.0'",
        ),
        (
            {"assistants": (12,), "losses": ("hetcomp",)},
            DataError,
            r"assistants \(12,\) are teachers without earlier states, which losses hetcomp read",
        ),
        ({"shrink_dim": 8}, DataError, "shrink_dim must be below embedding_dim=8, not 8; leave it out, or train a la"),
        (
            {"whole_histories": True},
            DataError,
            "whole_histories=True leaves the hard loss without items, and student_loss_weight is 0.3; give stud",
        ),
        (
            {"sampled_histories": 1.0, "student_loss_weight": 1.0},
            DataError,
            "sampled_histories=1.0 has no effect: with student_loss_weight=1 nobody listens to the teacher",
        ),
        (
            {"rare_items": "bucket"},
            DataError,
            "rare_items='bucket' has no effect: every item keeps its row; give vocabulary, how many do, or rare_below",
        ),
        (
            {"rare_below": 3.0, "vocabulary": 40},
            DataError,
            "rare_below=3 and vocabulary=40 both say which items keep a row; give one of them",
        ),
        ({"rare_below": 0.0}, DataError, "rare_below must be above 0, not 0.0; leave it out"),
        ({"vocabulary_epochs": 3}, DataError, "vocabulary_epochs=3 has no effect: every item keeps its row"),
        (
            {"unlabelled": "x.csv", "student_loss_weight": 1.0},
            DataError,
            "unlabelled='x.csv' has no effect: with student",
        ),
    ],
)
def test_options_that_make_no_sense_are_refused_before_anything_is_read(
    refused: Refused, options: dict[str, Any], error: type[KdrecError], message: str
) -> None:
    assert refused(error, message, **options) == set()


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (
            {"data": "netflix"},
            Unknown,
            f"data must be a file, a folder of Parquet files, or one of {', '.join(sets.names())}; 'netflix' is",
        ),
        ({"data": "lightgcn", "data_dir": "nowhere"}, DataError, "data_dir='nowhere' has no train.txt"),
        (
            {"split": "by_user"},
            Unknown,
            "split has no 'by_user'; it has auto, leave_last_out, by_time, random_per_user",
        ),
        ({"user_column": "u"}, DataError, "user_column='u' is not a column of .*log.csv; it has who, what, when, day"),
        ({"item_id_column": None}, DataError, "item_features needs item_id_column"),
        ({"min_user_items": 1000}, DataError, r"k_core\(1000, 1\) left no pair of"),
        ({"minimum_rating": 3.0}, DataError, "minimum_rating=3 needs ratings, and the log has none"),
        (
            {"vocabulary": ITEMS},
            DataError,
            f"vocabulary must be at least k=10 and below the {ITEMS} items of the catalogue, not {ITEMS}; leave it out",
        ),
        (
            {"rare_below": 1e6},
            DataError,
            f"rare_below must leave at least k=10 of the {ITEMS} items a row, .* 1e.06 leaves 0, of .*; choose between",
        ),
        (
            {"vocabulary": 9},
            DataError,
            f"vocabulary must be at least k=10 and below the {ITEMS} items .*, not 9; leave",
        ),
        ({"k": ITEMS + 1}, DataError, f"k must be at most the {ITEMS} items of the catalogue, not {ITEMS + 1}"),
        (
            {"split": "random_per_user", "encoder": "conv"},
            TrainingError,
            "encoder 'conv' reads the order of a history, but these histories are sets; use encoder='mean'",
        ),
        (
            {"whole_histories": True, "student_loss_weight": 0.0},
            DataError,
            "whole_histories=True has no effect: these histories are ordered, and their next item is held out",
        ),
        ({"shrink_history": 50}, DataError, r"shrink_history must be below history_length=\d+, not 50; leave it out"),
    ],
)
def test_bad_data_is_refused_before_training(
    refused: Refused, options: dict[str, Any], error: type[KdrecError], message: str
) -> None:
    assert refused(error, message, **options) <= {"data"}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("log.csv", b"", "log.csv is empty; give a file that holds rows"),
        ("log.csv", b"who,what,when\n", "log.csv has a header and no rows"),
        ("log.csv", b"who,what,when\n\xff\xfe,1,2\n", "log.csv cannot be read in its encoding"),
        ("log.csv", b"who,what,when\nann,1,\n", "row 1 has nan: repair or drop"),
        ("log.csv", b"who,what,when\nann,1,-5\n", "row 1 has -5: repair or drop"),
        ("log.parquet", b"no parquet", "log.parquet cannot be read"),
        ("log.csv", b"who,what\na,x\na,y\nb,x\nb,y\n", "split random_per_user held out no test pair of 4; give a log"),
    ],
)
def test_a_bad_file_is_refused_before_training(
    refused: Refused, tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    timed = b"when" in content or name.endswith("parquet")
    options = {
        "time_column": "when" if timed else None, "context_columns": (), "item_features": None, "min_user_items": 1,
    }  # fmt: skip
    assert refused(DataError, message, data=str(tmp_path / name), **options) == {"data"}


def test_a_teacher_of_another_catalogue_is_refused(refused: Refused, tmp_path: Path) -> None:
    np.save(tmp_path / "scores.npy", np.zeros((USERS, ITEMS - 1), np.float32))
    message = rf"scores of teacher .*scores.npy' must match the catalogue: expected shape \(rows, {ITEMS}\)"
    assert refused(DataError, message, teacher=str(tmp_path / "scores.npy")) == {"data", "teacher"}


def test_a_teacher_that_scores_all_alike_is_refused(refused: Refused, tmp_path: Path) -> None:
    np.save(tmp_path / "scores.npy", np.zeros((USERS, ITEMS), np.float32))
    stages = refused(DataError, "teacher must tell items apart", teacher=str(tmp_path / "scores.npy"))
    assert stages == {"data", "teacher", "teacher_cache"}


def test_several_teachers_need_validation_pairs(refused: Refused, tmp_path: Path) -> None:
    for name in ("train.txt", "test.txt"):
        (tmp_path / name).write_text("".join(f"{u} {u + len(name)}\n" for u in range(4)))
    message = "teacher must be one name when no validation pair is held out, not 'ease,als'; or listen to all, by teach"
    assert refused(DataError, message, data="lightgcn", data_dir=str(tmp_path), teacher="ease,als", k=1) == {"data"}


def test_fusion_needs_validation_pairs(refused: Refused, tmp_path: Path) -> None:
    for name in ("train.txt", "test.txt"):
        (tmp_path / name).write_text("".join(f"{u} {u + len(name)}\n" for u in range(4)))
    message = "fusion=True needs validation pairs to choose its share by, and split given held out none; leave fusion"
    assert refused(DataError, message, data="lightgcn", data_dir=str(tmp_path), fusion=True, k=1) == {"data"}


def test_unlabelled_users_need_items_of_the_log(refused: Refused, log_folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text("who,what,when,daypart\nzoe,Z1,1,morning\n")
    message = (
        rf"unlabelled .*other.csv has no item of the {ITEMS} that are trained on, its ids are like 'Z1' and theirs"
    )
    assert refused(DataError, message, unlabelled=str(other)) == {"data", "histories"}


def test_unlabelled_users_come_with_a_log_of_ones_own(refused: Refused) -> None:
    message = "unlabelled='x' has no effect: demo is a data set by name, which knows its own columns"
    options = {name: None for name in COLUMNS if name != "context_columns" and name != "category_columns"}
    options |= {"context_columns": (), "category_columns": (), "item_features": None}
    assert refused(DataError, message, data="demo", unlabelled="x", **options) == {"data"}


def test_other_peoples_folders_are_left_alone(refused: Refused, tmp_path: Path) -> None:
    out = tmp_path / "theirs"
    (out / "micro").mkdir(parents=True)
    (out / "micro" / "thesis.tex").write_text("years of work")
    assert refused(OutputError, "micro is an output folder that holds something else, for example thesis", out) == set()


def test_other_peoples_reports_are_left_alone(refused: Refused, tmp_path: Path) -> None:
    out = tmp_path / "theirs"
    out.mkdir()
    (out / "config.json").write_text("{}")
    (out / "report.json").write_text("[1, 2]")
    assert refused(OutputError, "out .*theirs holds a report.json that kdrec did not write", out) == set()
    (out / "report.json").unlink()
    assert refused(OutputError, "out .*theirs holds a config.json that kdrec did not write", out) == set()


def test_a_file_is_no_output_folder(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a file")
    assert refused(OutputError, "out must be a folder, but .*file is a file; name another", tmp_path / "file") == set()
    message = "out .*file/models cannot be made: Not a directory; name another folder"
    assert refused(OutputError, message, tmp_path / "file" / "models") == {"data"}


def test_a_file_is_no_work_folder(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "work").write_text("a file")
    assert refused(OutputError, "work .*work cannot be made: File exists; name another folder") == set()
    assert (tmp_path / "work").read_text() == "a file"


@pytest.mark.slow
def test_a_loss_that_is_not_finite_stops_and_keeps_the_last_good_weights(refused: Refused, tmp_path: Path) -> None:
    """The learning rate rises from 0: the first epoch is still good."""
    message = r"student: the loss became (nan|inf) in epoch [2-5], step \d; the weights of the last good epoch are kept"
    stages = refused(TrainingError, message, learning_rate=1e5, epochs=5, batch_size=256)
    assert stages == {"data", "teacher", "teacher_cache", "student"}
    (folder,) = (tmp_path / "work").glob("student-*")
    assert not (folder / "done.json").exists()
    with np.load(folder / "checkpoint" / "best.npz") as kept:
        assert all(np.isfinite(kept[name]).all() for name in kept.files)
    epochs = json.loads((folder / "checkpoint" / "state.json").read_text())["epochs"]
    assert len(epochs) >= 1 and np.isfinite([epoch["total_loss"] for epoch in epochs]).all()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("size", "stage"), [("300k", "teacher_cache"), ("900k", "student")], ids=["teacher_cache", "checkpoint"]
)
def test_a_full_disk_is_named_and_finished_stages_stay(
    require: Callable[[str], None], log_folder: Path, tmp_path: Path, size: str, stage: str
) -> None:
    """On a file system of some kilobytes, in a mount namespace that ends with the test."""
    require("unshare")
    if subprocess.run(["unshare", "-rm", "true"], capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount a file system of their own")
    config = small(log_folder, embedding_dim=64, hidden=512)
    (tmp_path / "config.json").write_text(config.to_json())
    (tmp_path / "work").mkdir()
    script = """
mount -t tmpfs -o size="$1" none work
"$2" -c "from kdrec.cli import main; main()" run --config config.json --work work --out out --quiet
echo "status $?"
ls work/*/done.json
"""
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script, "sh", size, sys.executable],
        cwd=tmp_path, text=True, capture_output=True, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )  # fmt: skip
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1, done.stderr
    assert f"no space left to write work/{stage}-" in errors[0]
    assert errors[0].endswith("nothing was replaced: free some space and run the same command again")
    status, *finished = done.stdout.splitlines()
    assert status == "status 2"
    stages = ["data", "teacher", "teacher_cache", "student"]
    assert [path.split("/")[1].partition("-")[0] for path in finished] == sorted(stages[: stages.index(stage)])

"""Every option of a distillation changes the student, and repeats only what depends on it."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from small_log import ITEMS, small
from typer.testing import CliRunner

from kdrec.bundle.read import open_bundle
from kdrec.cli import app
from kdrec.config import Config
from kdrec.data.splits import Split
from kdrec.distill.rows import rows_of
from kdrec.distill.teacher_cache import TeacherCache
from kdrec.report.check import check_report

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("eagerly_in_module")]

BASE = ("data", "teacher", "teacher_cache", "student", "student_distilled", "evaluate_models")
LAST = ("student_distilled", "evaluate_models")
ASKED = ("teacher_cache", *LAST)
WEAK = {"factors": 4, "iterations": 3}
CUTS = 8  # rows of a user: an epoch has three steps, each of which takes long when it is not compiled


class Distilled:
    """What `kdrec distill` left, and its report."""

    def __init__(self, config: Config, work: Path):
        from kdrec import experiment

        self.config, self.work, self.said = config, work, list[tuple[str, int, int, str]]()
        self.report = experiment.distill(config, work, lambda *told: self.said.append(told))
        check_report(self.report)
        self.weights = self.trained() if "student_distilled" in self.new else []

    def trained(self) -> list[np.ndarray]:
        """The weights of the distilled student, of a run that has just trained it."""
        with np.load(self.folder("student_distilled") / "weights.npz") as stored:
            return [stored[name] for name in stored.files]

    @property
    def new(self) -> tuple[str, ...]:
        return tuple(stage["name"] for stage in self.report["stages"] if not stage["cached"])

    def rows(self) -> dict[str, dict[str, Any]]:
        return {row["name"]: row for row in self.report["rows"]}

    def folder(self, stage: str) -> Path:
        """The stage's folder of this run: the one that was used last."""
        return max(self.work.glob(f"{stage}-*"), key=lambda path: path.stat().st_mtime_ns)

    def curve(self, form: str = "student_distilled") -> list[dict[str, float]]:
        return self.report["curves"][form]


@pytest.fixture(scope="module")
def base(eagerly_in_module: None, log_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Distilled:
    losses = ("softened_kl", "rrd")
    config = small(
        log_folder, teacher="als", teacher_options=WEAK, losses=losses, epochs=1, batch_size=400, cuts_per_user=CUTS
    )
    return Distilled(config, tmp_path_factory.mktemp("distill") / "work")


@pytest.fixture(scope="module")
def again(base: Distilled) -> Callable[..., Distilled]:
    """The same with some options changed, in the same work folder."""
    return lambda **options: Distilled(replace(base.config, **options), base.work)


def largest_difference(one: Distilled, other: Distilled) -> float:
    """Between two weights at the same place of two distilled students."""
    return max(float(np.abs(a - b).max()) for a, b in zip(one.weights, other.weights, strict=True))


def test_distill_trains_and_judges_without_files(base: Distilled) -> None:
    assert base.new == BASE
    assert list(base.rows()) == ["random", "popularity", "teacher", "student", "student_distilled"]
    assert list(base.report["curves"]) == ["teacher", "student", "student_distilled"]
    assert base.report["samples"] == [] and base.rows()["student_distilled"]["ndcg@10"] > 0
    begun = [stage for stage, done, total, _ in base.said if (done, total) == (0, 1)]
    assert begun == list(BASE)


@pytest.mark.parametrize(
    ("options", "repeated"),
    [
        ({"student_loss": "bpr"}, ("student", *LAST)),
        ({"student_loss": "bpr", "loss_options": {"negatives": 3}}, ("student", *LAST)),
        ({"loss_options": {"top": 3}}, LAST),
        ({"loss_weights": ("linear:1:0", 0.5)}, LAST),
        ({"temperature": "linear:4:1"}, LAST),
        ({"student_loss_weight": "cosine:0.6:0"}, LAST),
        ({"weighting": "uncertainty"}, LAST),
        ({"weighting": "teacher_confidence"}, LAST),
        ({"initialise": "teacher_svd"}, LAST),
        ({"initialise": "item_svd"}, ASKED),
        ({"pretrain_epochs": 1}, LAST),
        ({"fine_tune_epochs": 1}, LAST),
        ({"sampled_histories": 0.5}, ("histories", *ASKED)),
        ({"losses": ("de",)}, ASKED),
    ],
    ids=lambda value: "-".join(map(str, value)) if isinstance(value, dict) else "",
)
def test_an_option_changes_the_student_and_repeats_what_depends_on_it(
    base: Distilled, again: Callable[..., Distilled], options: dict[str, Any], repeated: tuple[str, ...]
) -> None:
    other = again(**options)
    assert other.new == repeated
    assert largest_difference(other, base) > 1e-5
    assert (other.rows()["student"] == base.rows()["student"]) == ("student" not in repeated)
    assert again(**options).new == ()


def test_phases_are_one_training_with_one_curve(again: Callable[..., Distilled]) -> None:
    both = again(pretrain_epochs=2, fine_tune_epochs=1)
    curve = both.curve()
    assert [epoch["distillation_loss"] > 0 for epoch in curve] == [False, False, True, False]
    told = [(done, total) for stage, done, total, note in both.said if stage == "student_distilled" and note]
    assert told == [(done, 4) for done in (1, 2, 3, 4)]
    assert len(both.curve("student")) == 1  # the student without a teacher is trained as before


def test_several_teachers_are_heard_by_their_weights(base: Distilled, again: Callable[..., Distilled]) -> None:
    """A teacher of weight 0 says nothing, and the first of several is as loud as it is alone."""
    both = again(teacher="als,ease", teacher_weights=(1.0, 0.0))
    assert both.new == (
        *("teacher_als", "teacher_ease", "teacher_choice", "teacher_als_cache", "teacher_ease_cache"), *LAST
    )  # fmt: skip
    assert largest_difference(both, base) < 1e-5
    other = again(teacher="als,ease", teacher_weights=(0.3, 0.7))
    assert other.new == LAST
    assert largest_difference(other, base) > 1e-3
    reached = other.report["teacher"]["validation_ndcg"]
    assert set(reached) == {"als", "ease"} and other.report["teacher"]["name"] == max(reached, key=reached.get)


def test_assistants_stand_between_teacher_and_student(base: Distilled, again: Callable[..., Distilled]) -> None:
    one = again(assistants=(12,))
    assert one.new == ("assistant_12", "assistant_12_cache", *LAST)
    assert largest_difference(one, base) > 1e-3
    two = again(assistants=(12, 10))
    assert two.new == ("assistant_10", "assistant_10_cache", *LAST)
    rows = two.rows()
    assert list(rows)[3:] == ["student", "assistant_12", "assistant_10", "student_distilled"]
    assert rows["assistant_12"]["parameters"] > rows["assistant_10"]["parameters"] > rows["student"]["parameters"]
    assert rows["assistant_12"] == one.rows()["assistant_12"]
    assert list(two.report["curves"])[1:] == ["student", "assistant_12", "assistant_10", "student_distilled"]
    assert TeacherCache.open(two.folder("assistant_10_cache") / "cache").meta["teacher"] == "student"


def test_fusion_is_a_row_at_least_as_good_as_its_parts_on_validation(
    base: Distilled, again: Callable[..., Distilled]
) -> None:
    fused = again(fusion=True)
    assert fused.new == ("evaluate_models",)
    row, parts = fused.rows()["fusion"], [fused.rows()[name] for name in ("teacher", "student_distilled")]
    assert 0 <= row["alpha"] <= 1 and row["form"] == "keras"
    assert row["bytes"] == sum(part["bytes"] for part in parts)
    assert {name: other for name, other in fused.rows().items() if name != "fusion"} == base.rows()


def test_users_of_a_file_are_heard_as_far_as_their_items_are_known(
    log_folder: Path, again: Callable[..., Distilled], tmp_path: Path
) -> None:
    log = pd.read_csv(log_folder / "log.csv")
    some = log[log["who"].isin(log["who"].unique()[:20])].assign(who=lambda frame: "new " + frame["who"])
    strange = some.iloc[:3].assign(what="unheard of")
    path = tmp_path / "more.csv"
    pd.concat([some, some.iloc[:2], strange]).to_csv(path, index=False)
    heard = again(unlabelled=str(path))
    assert heard.new == ("histories", *ASKED)
    last = heard.report["data"]["filters"][-1]
    assert (last["name"], last["pairs_before"] - last["pairs_after"]) == (
        "unlabelled: known items",
        len(set(strange.who)),
    )
    assert heard.report["data"]["filters"][-2]["name"] == "unlabelled: deduplicate"
    notes = [note for stage, _, _, note in heard.said if stage == "histories" and note]
    assert notes == [f"20 histories without a label, {len(set(strange.who))} pairs of unknown items left out"]
    split = Split.load(heard.folder("data") / "split")
    real = len(rows_of(split, CUTS).users)
    assert len(TeacherCache.open(heard.folder("teacher_cache") / "cache")) == real + 20
    path.write_text(path.read_text().replace("unheard of", "heard now"))
    assert again(unlabelled=str(path)).new == ("histories", *ASKED)  # the file has changed


def test_sampled_histories_come_by_real_rows(again: Callable[..., Distilled]) -> None:
    sampled = again(sampled_histories=0.25)
    real = len(rows_of(Split.load(sampled.folder("data") / "split"), CUTS).users)
    assert len(TeacherCache.open(sampled.folder("teacher_cache") / "cache")) == real + round(0.25 * real)


def test_sets_are_read_whole_when_nothing_is_hidden(again: Callable[..., Distilled]) -> None:
    options = {"split": "random_per_user", "student_loss_weight": 0.0}
    hidden, whole = again(**options), again(**options, whole_histories=True)
    assert whole.new == LAST
    assert largest_difference(whole, hidden) > 1e-3
    assert [epoch["student_loss"] for epoch in whole.curve()] == [0.0]
    assert all(epoch["student_loss"] > 0 for epoch in [*hidden.curve(), *whole.curve("student")])


def test_a_run_goes_on_from_a_distillation(base: Distilled, start: Callable[..., Any], tmp_path: Path) -> None:
    config = replace(base.config, targets=("android",), recipe="dynamic_int8", fusion=True, prune_epochs=1)
    ran = start(config, tmp_path / "out", base.work)
    assert ran.cached == list(BASE[:-1])
    names = [
        "random",
        "popularity",
        "teacher",
        "student",
        "student_distilled",
        "pruned",
        "fusion",
        "dynamic_int8_android",
    ]
    assert list(ran.rows()) == names
    assert {name: row for name, row in ran.rows().items() if name in base.rows()} == base.rows()
    assert "Teacher and student together" in (tmp_path / "out" / "report.html").read_text()


def test_the_command_repeats_it(base: Distilled, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(base.config.to_json())
    arguments = ["distill", "--config", str(tmp_path / "config.json"), "--work", str(base.work), "--quiet", "--json"]
    report = json.loads(CliRunner().invoke(app, arguments, catch_exceptions=False).stdout)
    assert all(stage["cached"] for stage in report["stages"])
    assert report["rows"] == base.report["rows"] and report["config"] == json.loads(base.config.to_json())
    shown = CliRunner().invoke(app, arguments[:-2], env={"COLUMNS": "160"}, catch_exceptions=False)
    assert "Student, distilled" in shown.stdout and "Latency" not in shown.stdout


def test_initialised_students_begin_with_the_teacher(base: Distilled) -> None:
    """From all scores, from a top list and from embeddings, by the initialiser itself."""
    from kdrec import forms
    from kdrec.initialising import initialise, whole_scores
    from kdrec.models.initialisers.teacher_svd import teacher_svd
    from kdrec.teaching import teacher_of

    split = Split.load(base.folder("data") / "split")
    rows, config = rows_of(split, 2), replace(base.config, initialise="teacher_svd", cuts_per_user=2)
    teacher = teacher_of(base.folder("teacher"), split)
    train = split.train
    whole = [train.items[train.indptr[user] : train.indptr[user + 1]] + 1 for user in np.unique(rows.users)]
    length = max(map(len, whole))
    expected = teacher({"history": np.stack([np.pad(items, (length - len(items), 0)) for items in whole])})
    dense, listed, product = (
        TeacherCache.write(base.work.parent / name, teacher, *rows[:3], needs=needs, top=5, dense=name == "dense")
        for name, needs in (
            ("dense", {"scores"}), ("listed", {"scores"}), ("product", {"user_embedding", "item_embedding"})
        )
    )  # fmt: skip
    (factors,) = whole_scores(product, rows.users)
    np.testing.assert_allclose(factors @ np.eye(ITEMS), expected, rtol=1e-2, atol=1e-3)
    np.testing.assert_allclose(factors.T @ np.eye(len(whole)), expected.T, rtol=1e-2, atol=1e-3)
    np.testing.assert_allclose(np.concatenate(whole_scores(dense, rows.users)), expected, rtol=1e-3, atol=1e-4)
    (sparse,) = whole_scores(listed, rows.users)
    assert sparse.shape == (len(whole), ITEMS) and set(np.diff(sparse.indptr)) == {5}
    for items, row, scores in zip(whole, sparse.toarray(), expected, strict=True):
        best = sorted(set(range(ITEMS)) - set((items - 1).tolist()), key=lambda item: -scores[item])[:5]
        assert set(np.flatnonzero(row)) == set(best)
        np.testing.assert_allclose(row[best], scores[best], rtol=1e-3, atol=1e-4)
    begun, by_hand = forms.build_student(config, split), forms.build_student(config, split)
    initialise(begun, dense, rows, config)
    teacher_svd(by_hand, scores=expected)
    tables = [student.get_layer("item_table").table.numpy() for student in (begun, by_hand)]
    np.testing.assert_allclose(tables[0][:, :4], tables[1][:, :4], atol=2e-3)  # of rank 4; the others are rounding


def test_an_ensemble_teaches_by_the_command(log_folder: Path, tmp_path: Path) -> None:
    options = {"teacher": "als", "targets": ("android",), "recipe": "dynamic_int8", "sparsity": 0.0, "epochs": 1}
    options |= {"cuts_per_user": CUTS}
    (tmp_path / "config.json").write_text(small(log_folder, **options).to_json())
    arguments = [
        "--teacher",
        "ensemble",
        "--teacher-option",
        "members=ease,als",
        "--loss",
        "rce_kd",
        "--quiet",
        "--json",
    ]
    places = ["--config", "config.json", "--work", "work", "--out", "out"]
    arguments += [str(tmp_path / word) if not word.startswith("--") else word for word in places]
    report = json.loads(CliRunner().invoke(app, ["run", *arguments], catch_exceptions=False).stdout)
    rows = {row["name"]: row["ndcg@10"] for row in report["rows"]}
    assert report["teacher"] == {"name": "ensemble", "validation_ndcg": {}}
    assert rows["teacher"] > rows["student_distilled"] > rows["random"] and rows["dynamic_int8_android"] > 0
    assert open_bundle(tmp_path / "out" / "android").manifest.metrics["ndcg@10"] == rows["dynamic_int8_android"]

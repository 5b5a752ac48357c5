"""A search on a small log: what trials are, what is given up, what is chosen, and how it goes on."""

import json
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import optuna
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "experiment"))
from small_log import ITEMS, small, write_small_log
from typer.testing import CliRunner

from kdrec import experiment
from kdrec.bundle.read import open_bundle
from kdrec.cli import app
from kdrec.config import Config
from kdrec.data.sets.demo import demo
from kdrec.data.splits import leave_last_out
from kdrec.errors import DataError
from kdrec.search import study
from kdrec.search.goal import Goal
from kdrec.search.space import KNOBS, least_bytes, recipes_of, suggested
from kdrec.search.study import search

OVER = ("embedding_dim", "hidden", "recipe")
LOG = ("tensorboard",) if find_spec("tensorboard") else ()


@pytest.fixture(scope="module")
def config(tmp_path_factory) -> Config:
    folder = tmp_path_factory.mktemp("log")
    write_small_log(folder)
    return small(folder, targets=("android",), sparsity=0.0)


@pytest.fixture(scope="module")
def log():
    return leave_last_out(demo(users=50, items=60))


@pytest.fixture(scope="module")
def found(config, tmp_path_factory):
    """Three trials, and two more by a second call."""
    place = tmp_path_factory.mktemp("search")
    told: list[dict] = []

    def ended(row: dict) -> None:
        report = place / "out" / "report.json"
        shown = len(json.loads(report.read_text())["search"]["trials"]) if report.exists() else 0
        told.append({**row, "in the report": shown, "page": (place / "out" / "search.html").read_text()})

    for trials in (3, 2):
        result = search(
            config, Goal(bytes=12_000), trials=trials, over=OVER, out=place / "out", work=place / "work",
            ended=ended, log=LOG,
        )  # fmt: skip
    return result, place, told


@pytest.mark.slow
@pytest.mark.usefixtures("eagerly_in_module")
def test_the_best_file_within_the_size_is_chosen_and_reported(found, config):
    result, place, told = found
    assert [row["number"] for row in told] == [0, 1, 2, 3, 4] == [row["number"] for row in result["trials"]]
    judged = [row for row in result["trials"] if row["ndcg"] is not None]
    kept = [row for row in judged if row["bytes"] <= 12_000]
    assert kept and all(row["kept"] == (row in kept) for row in judged)
    best = max(kept, key=lambda row: row["ndcg"])
    assert result["best"]["number"] == best["number"]
    bundle = open_bundle(place / "out" / "android")
    assert len(bundle.files["model.tflite"]) == best["bytes"]
    report = json.loads((place / "out" / "report.json").read_text())
    assert report["config"] == best["config"]
    assert [row["number"] for row in report["search"]["trials"]] == [0, 1, 2, 3, 4]
    assert 'id="search"' in (place / "out" / "report.html").read_text()
    for row in judged:
        assert row["keep"] == pytest.approx(row["ndcg"] / result["teacher_ndcg"])
        assert row["bytes"] > least_bytes(Config.from_json(json.dumps(row["config"])), ITEMS)


@pytest.mark.slow
@pytest.mark.usefixtures("eagerly_in_module")
def test_pages_are_of_the_last_trial_while_more_come(found):
    _, place, told = found
    assert [row["in the report"] for row in told] == [0, 0, 0, 4, 5]  # the first call had none before its end
    assert [f"<h2>{row['number'] + 1} trials</h2>" in row["page"] for row in told] == 5 * [True]
    assert all('http-equiv="refresh"' in row["page"] for row in told)
    assert 'http-equiv="refresh"' not in (place / "out" / "search.html").read_text()


@pytest.mark.slow
@pytest.mark.usefixtures("eagerly_in_module")
def test_the_front_has_no_file_that_another_beats(found):
    result, place, _ = found
    front = sorted((row for row in result["trials"] if row["front"]), key=lambda row: row["bytes"])
    assert front
    assert all(one["ndcg"] < other["ndcg"] for one, other in zip(front, front[1:], strict=False))
    page = (place / "out" / "search.html").read_text()
    assert (
        "5 trials" in page and page.count("<tr class=") == 5 and "http://" not in page.replace("http://www.w3.org", "")
    )
    assert json.loads((place / "out" / "search.json").read_text()) == result
    kept = {path.name: path for path in (place / "out" / "front").iterdir()}
    assert set(kept) == {f"trial_{row['number']}" for row in front}
    for row in front:
        folder = kept[f"trial_{row['number']}"]
        manifest = open_bundle(folder / "android").manifest
        assert manifest.metrics == {"validation_ndcg@10": row["ndcg"]}
        assert Config.from_file(folder / "config.json").to_json() == json.dumps(row["config"], indent=2, sort_keys=True)


@pytest.mark.slow
@pytest.mark.usefixtures("eagerly_in_module")
def test_every_trial_is_logged_by_itself(found, require):
    require("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util.tensor_util import make_ndarray

    result, place, _ = found
    for row in result["trials"]:
        folder = place / "work" / "logs" / f"trial-{row['number']}"
        trained = [path.name.partition("-")[0] for path in folder.iterdir()] if folder.exists() else []
        if row["ndcg"] is None:  # given up before or after it was trained
            assert "run" not in trained
            continue
        assert {"run", "student_distilled"} <= set(trained)
        (of_result,) = folder.glob("run-*")
        events = EventAccumulator(str(of_result))
        events.Reload()
        logged = {key: make_ndarray(events.Tensors(f"trial/{key}")[0].tensor_proto) for key in ("ndcg", "bytes")}
        assert logged == {key: pytest.approx(row[key]) for key in logged}


@pytest.mark.slow
@pytest.mark.usefixtures("eagerly_in_module")
def test_the_command_goes_on_with_the_trials_of_its_folder(found, config, tmp_path, monkeypatch):
    _, place, _ = found
    earlier = json.loads((place / "out" / "report.json").read_text())  # the best one's report is not what is asked here
    monkeypatch.setattr(experiment, "run", lambda *_, **__: earlier)
    (tmp_path / "config.json").write_text(config.to_json())
    arguments = ["--config", tmp_path / "config.json", "--bytes", "3KiB", "--trials", 1, "--over", "embedding_dim"]
    arguments += ["--out", tmp_path / "out", "--work", place / "work", "--json", "--quiet"]
    done = CliRunner().invoke(app, ["search", *map(str, arguments)], catch_exceptions=False)
    result = json.loads(done.stdout)
    assert len(result["trials"]) == 6 and set(result["trials"][5]["options"]) == {"embedding_dim"}
    assert result["goal"]["bytes"] == 3072 and not result["best"]["kept"]


@pytest.mark.usefixtures("eagerly_in_module")
def test_what_cannot_fit_is_never_trained(config, tmp_path):
    with pytest.raises(DataError, match="none of 2 trials has a file; allow more bytes, or more trials"):
        search(config, Goal(bytes=100), trials=2, over=OVER, out=tmp_path / "out", work=tmp_path / "work")
    assert {path.name.partition("-")[0] for path in (tmp_path / "work").iterdir()} == {
        "data",
        "teacher",
        "search.journal",
    }
    result = json.loads((tmp_path / "out" / "search.json").read_text())
    assert [row["state"] for row in result["trials"]] == ["pruned", "pruned"]


def test_a_student_that_a_smaller_file_beats_is_given_up():
    known = optuna.create_study(directions=["maximize", "minimize"])
    known.add_trial(optuna.trial.create_trial(values=[0.30, 5000.0]))
    assert study._is_beaten(known, ndcg=0.28, least=6000)
    assert not study._is_beaten(known, ndcg=0.299, least=6000)  # rounding may make it better than that
    assert not study._is_beaten(known, ndcg=0.28, least=4000)  # it may become smaller


def test_another_teacher_or_length_of_list_is_another_study(config, log):
    names = {study._key(replace(config, **changes), log) for changes in ({}, {"teacher": "als"}, {"k": 5}, {"seed": 1})}
    assert len(names) == 4
    assert study._key(config, log) == study._key(replace(config, embedding_dim=12, epochs=9), log)


def test_what_is_no_knob_is_refused(config):
    with pytest.raises(DataError, match="over has no 'colour'; it has embedding_dim, hidden, recipe"):
        search(config, Goal(keep=0.9), over=("colour",))


def test_a_vocabulary_is_searched_as_a_share_of_the_catalogue():
    base = Config(vocabulary=30, rare_items="bucket", k=10)
    shares = {0.5: 30, 0.75: 45, 1.0: None}
    for share, kept in shares.items():
        tried = suggested(optuna.trial.FixedTrial({"vocabulary": share}), base, ("vocabulary",), n_items=60)
        assert tried.vocabulary == kept and tried.rare_items == ("bucket" if kept else "drop")
        assert least_bytes(tried, 60) - least_bytes(tried, 0) == (0 if kept else 60 * base.embedding_dim)
    assert suggested(optuna.trial.FixedTrial({"vocabulary": 0.5}), base, ("vocabulary",), n_items=16).vocabulary == 10


def test_only_litert_has_item_rows_of_four_bits():
    assert recipes_of(Config(targets=("android",))) == ["int8", "int4_table"]
    assert recipes_of(Config(targets=("micro",))) == ["int8"]
    assert set(KNOBS) <= set(Config.__dataclass_fields__)


def test_a_trial_as_small_as_it_would_be_shrunk_is_not_shrunk():
    base = Config(shrink_dim=16, shrink_hidden=0)
    for width, shrunk in ((16, None), (20, 16)):
        tried = suggested(optuna.trial.FixedTrial({"embedding_dim": width}), base, ("embedding_dim",), ITEMS)
        assert (tried.embedding_dim, tried.shrink_dim, tried.shrink_hidden) == (width, shrunk, 0)

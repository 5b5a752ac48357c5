"""The commands that open a bundle, on tiny files whose scores are a formula."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import tiny_models
from typer.testing import CliRunner, Result

from kdrec.cli import app
from kdrec.data.interactions import Interactions
from kdrec.data.splits import given
from kdrec.errors import DataError
from kdrec.evaluate_model import open_model


def kdrec(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], env={"COLUMNS": "80"})


def log_of(ids: list) -> Interactions:
    """One user who has the first three of these items, in this order."""
    return Interactions([0, 0, 0], [0, 1, 2], ["u"], np.array(ids, dtype=object), times=[1, 2, 3])


def split_of(ids: list):
    """Its third item is held out."""
    log = log_of(ids)
    keep = np.array([True, True, False])
    return given(log.select(keep), log.select(np.zeros(3, bool)), log.select(~keep))


def test_recommend_lists_ids_and_titles(android_bundle: Path) -> None:
    done = kdrec("recommend", android_bundle, "--history", "i2", "--history", "i6", "-k", 3)
    scores = tiny_models.expected([3, 7])
    scores[[2, 6]] = -np.inf
    best = np.argsort(-scores, kind="stable")[:3]
    assert done.exit_code == 0
    rows = [line.split("│") for line in done.stdout.splitlines() if line.startswith("│")]
    assert [row[2].strip() for row in rows] == [f"i{position}" for position in best]
    assert [row[3].strip() for row in rows] == [f"Item {position}" for position in best]


def test_recommend_json_leaves_out_what_is_excluded(android_bundle: Path) -> None:
    first = json.loads(kdrec("recommend", android_bundle, "--history", "i2", "-k", 2, "--json").stdout)
    again = json.loads(
        kdrec("recommend", android_bundle, "--history", "i2", "-k", 1, "--exclude", first["items"][0], "--json").stdout
    )
    assert again["items"] == first["items"][1:]


def test_recommend_says_what_it_did_not_know(android_bundle: Path) -> None:
    done = kdrec("recommend", android_bundle, "--history", "nothing", "-k", 2)
    assert "note: not in the catalogue, skipped: nothing" in done.stderr
    assert "note: no known item in the history: these are the most popular items" in done.stderr
    assert done.stdout.index("Item 7") < done.stdout.index("Item 2")


def test_recommend_takes_context(context_bundle: Path) -> None:
    def asked(*context: str) -> dict:
        return json.loads(kdrec("recommend", context_bundle, "--history", "i1", *context, "--json", "-k", 1).stdout)

    evening = asked("--context", "daypart=evening")
    scores = tiny_models.expected([2], daypart=1)
    scores[1] = -np.inf
    assert evening["items"] == [f"i{int(scores.argmax())}"] and evening["unknown_context"] == []
    assert asked("--context", "daypart=noon")["unknown_context"] == ["daypart"]
    done = kdrec("recommend", context_bundle, "--context", "daypart")
    assert done.exit_code == 2
    assert done.stderr == "error: --context must be name=value, not 'daypart'; the model knows daypart\n"


def test_inspect_and_bench_take_a_bundle_or_a_file(android_bundle: Path) -> None:
    found = json.loads(kdrec("inspect", android_bundle, "--json").stdout)
    assert set(found["signatures"]) == {"recommend", "score"}
    assert "GATHER" in kdrec("inspect", android_bundle / "model.tflite").stdout
    measured = json.loads(kdrec("bench", android_bundle, "--runs", 5, "--signature", "score", "--json").stdout)
    assert measured["signature"] == "score" and measured["runs"] == 5 and measured["latency_us_p50"] > 0
    assert "latency p90" in kdrec("bench", android_bundle, "--runs", 5).stdout


def test_check_passes_a_file_that_keeps_the_rules(micro_bundle: Path) -> None:
    done = kdrec("check", micro_bundle)
    assert done.exit_code == 0
    assert done.stdout.splitlines()[-1].endswith("model.tflite keeps the 10 rules of TensorFlow Lite Micro")


def test_check_names_each_broken_rule_and_the_way_out(android_bundle: Path) -> None:
    done = kdrec("check", android_bundle, "--target", "micro")
    assert done.exit_code == 1
    lines = done.stdout.splitlines()
    at = lines.index("violation one_subgraph: The file has exactly one graph.")
    assert lines[at + 1] == "  file: Found: 2 graphs"
    assert lines[at + 2].startswith("  Way out: export one signature only")
    assert "breaks 2 of the 10 rules of TensorFlow Lite Micro" in lines[-1]
    assert "TOPK_V2" in done.stdout
    report = json.loads(kdrec("check", android_bundle, "--target", "micro", "--json").stdout)
    assert {"known_ops", "one_subgraph"} <= {violation["rule"] for violation in report["violations"]}


def test_check_must_know_the_device(android_bundle: Path, tmp_path: Path) -> None:
    alone = shutil.copy(android_bundle / "model.tflite", tmp_path / "alone.tflite")
    done = kdrec("check", alone)
    assert done.exit_code == 2
    assert "alone.tflite has no manifest.json beside it that names its device; give --target: android" in done.stderr
    assert "violation signatures_present" in kdrec("check", alone, "--target", "android").stdout  # it has no embed
    assert "targets has no 'toaster'; it has android" in kdrec("check", alone, "--target", "toaster").stderr
    assert (
        "no.tflite cannot be read: No such file or directory"
        in kdrec("check", tmp_path / "no.tflite", "--target", "android").stderr
    )


def test_a_bundle_is_matched_with_the_data_by_id(android_bundle: Path) -> None:
    """The data orders items otherwise, has one that the bundle has not, and lacks others."""
    opened = open_model(str(android_bundle), split_of(["i4", "new", "i0", "i9"]))
    assert opened.form == "bundle" and opened.unknown_items == 1 and opened.history_length == tiny_models.LENGTH
    history = np.array([[0, 0, 1, 2, 4]])  # i4, new, i9
    scores = opened.scorer({"user": np.array([0]), "history": history})
    expected = tiny_models.expected([5, 10])
    np.testing.assert_allclose(scores[0, [0, 2, 3]], expected[[4, 0, 9]], rtol=1e-5)
    assert scores[0, 1] < expected.min()


def test_a_gap_that_an_unknown_item_leaves_is_closed(android_bundle: Path) -> None:
    """A model that reads places would take a gap for an item long ago."""
    opened = open_model(str(android_bundle), split_of(["i4", "new", "i0"]))
    with_gap = opened.scorer({"history": np.array([[1, 2, 3, 0, 0]])})
    without = opened.scorer({"history": np.array([[0, 0, 0, 1, 3]])})
    np.testing.assert_array_equal(with_gap, without)


def test_a_file_inside_a_bundle_is_the_bundle(android_bundle: Path) -> None:
    assert open_model(str(android_bundle / "model.tflite"), split_of(["i0", "i1", "i2"])).form == "bundle"


def test_data_of_another_catalogue_is_refused(android_bundle: Path) -> None:
    message = "have no item in common: the bundle's ids are like 'i0', the data's like 'x'"
    with pytest.raises(DataError, match=message):
        open_model(str(android_bundle), split_of(["x", "y", "z"]))


def test_a_bare_file_scores_the_data_in_its_order(android_bundle: Path, tmp_path: Path) -> None:
    alone = shutil.copy(android_bundle / "model.tflite", tmp_path / "alone.tflite")
    opened = open_model(str(alone), split_of([f"p{n}" for n in range(tiny_models.N_ITEMS)]))
    assert opened.form == "file" and opened.history_length == tiny_models.LENGTH
    scores = opened.scorer({"history": np.array([[0, 0, 0, 1, 2]])})
    np.testing.assert_allclose(scores[0], tiny_models.expected([1, 2]), rtol=1e-5)
    with pytest.raises(DataError, match="scores 12 items and the data has 3; a file without a bundle must score"):
        open_model(str(alone), split_of(["a", "b", "c"]))


def test_a_file_of_scores_is_judged(tmp_path: Path) -> None:
    """The held-out item scores highest, so every metric at 1 is perfect."""
    log = tmp_path / "log.csv"
    log.write_text("user,item,time\n" + "".join(f"{u},{i},{i}\n" for u in range(4) for i in range(4)))
    np.save(tmp_path / "scores.npy", np.tile(np.arange(4.0), (4, 1)))
    done = kdrec("evaluate", tmp_path / "scores.npy", "--data", log, "--time-column", "time", "--k", 1, "--json")
    judged = json.loads(done.stdout)
    assert judged["form"] == "model" and judged["users"] == 4
    assert judged["metrics"]["recall@1"] == judged["metrics"]["ndcg@1"] == 1.0


def test_evaluate_judges_a_bundle(android_bundle: Path, tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text("user,item,time\n" + "".join(f"{u},i{(u + i) % 12},{i}\n" for u in range(6) for i in range(5)))
    done = kdrec("evaluate", android_bundle, "--data", log, "--time-column", "time", "--k", 3, "--quiet")
    assert done.exit_code == 0, done.output
    assert f"{android_bundle} on log, test part of leave_last_out: 6 users, 10 items" in done.stdout.replace("\n", "")

"""A whole run on a small log: what it leaves, what another one repeats of it, and what is damaged."""

import gzip
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_log import ITEMS, USERS
from typer.testing import CliRunner

from kdrec import libraries, pack
from kdrec.bundle import golden
from kdrec.bundle.read import Bundle, open_bundle
from kdrec.cli import app
from kdrec.config import Config
from kdrec.errors import BundleError, DataError, TrainingError
from kdrec.report.check import check_report
from kdrec.runtime.judge import judge
from kdrec.runtime.recommender import Recommender
from kdrec.targets.micro import micro
from kdrec.tflite.oldest_runtime import oldest_runtime
from kdrec.tflite.views import read

pytestmark = pytest.mark.slow

TARGETS = ("android", "coral_edgetpu", "micro")
STAGES = ("data", "teacher", "teacher_cache", "student", "student_distilled", "pruned", "export", "devices", "evaluate")
FORMS = ("random", "popularity", "teacher", "student", "student_distilled", "pruned")


def content(folder: Path) -> dict[str, bytes]:
    """Every file of the bundles, by its path."""
    return {
        str(path.relative_to(folder)): path.read_bytes() for target in TARGETS for path in (folder / target).iterdir()
    }


def test_report_is_what_its_schema_says(ran: Any) -> None:
    written = json.loads((ran.out / "report.json").read_text())
    check_report(written)
    assert written == ran.report
    assert (written["data"]["name"], written["data"]["users"], written["data"]["items"]) == ("log", USERS, ITEMS)
    assert sum(written["split"][f"{part}_pairs"] for part in ("train", "valid", "test")) == written["data"]["pairs"]
    assert written["split"]["method"] == "leave_last_out" and written["split"]["test_users"] == USERS
    assert [stage["name"] for stage in written["stages"]] == list(STAGES)
    assert all(stage["seconds"] > 0 and stage["peak_memory_bytes"] > 10**7 for stage in written["stages"])


def test_rows_are_the_forms_in_their_order(ran: Any) -> None:
    assert [row["name"] for row in ran.report["rows"]] == [*FORMS, *(f"int8_{target}" for target in TARGETS)]
    best = ran.rows()["teacher"]["ndcg@10"]
    for row in ran.report["rows"]:
        assert row["keep"] == row["ndcg@10"] / best
        assert row["ndcg@10_low"] < row["ndcg@10"] < row["ndcg@10_high"]
        assert row["ndcg@10_pessimistic"] <= row["ndcg@10"]
        assert (row["bytes"] is None) == (row["form"] == "baseline")
        assert (row["latency_us_p50"] is not None) == (row["form"] == "file")
        assert (row["arena_bytes"] is not None) == (row["name"] == "int8_micro")
        assert (row.get("streamed_bytes") == 0) == (row["name"] == "int8_coral_edgetpu")


def test_sizes_are_those_of_the_files(ran: Any) -> None:
    for target in TARGETS:
        row, folder = ran.rows()[f"int8_{target}"], ran.out / target
        models = [path for path in folder.iterdir() if path.suffix in (".tflite", ".npy")]
        assert row["bytes"] == sum(path.stat().st_size for path in models)
        assert row["bytes"] >= row["table_bytes"] >= ITEMS * ran.config.embedding_dim  # an int8 row an item
        assert row["sparsity"] == ran.rows()["pruned"]["sparsity"]
    assert 0.49 < ran.rows()["pruned"]["sparsity"] < 0.52
    assert ran.rows()["student"]["sparsity"] < 0.02  # the padding row


def test_int8_is_close_to_the_pruned_form(ran: Any) -> None:
    pruned = ran.rows()["pruned"]
    for target in TARGETS:
        file = ran.rows()[f"int8_{target}"]
        assert 0 < abs(file["auc"] - pruned["auc"]) < 0.01
        assert abs(file["ndcg@10"] - pruned["ndcg@10"]) < 0.03


def test_curves_have_a_point_an_epoch(ran: Any) -> None:
    curves = ran.report["curves"]
    assert {name: len(curve) for name, curve in curves.items()} == {
        "teacher": 0, "student": 2, "student_distilled": 2, "pruned": 1,
    }  # fmt: skip
    assert all(epoch["distillation_loss"] == 0 for epoch in curves["student"])
    for epoch in curves["student_distilled"]:
        mixed = 0.3 * epoch["student_loss"] + 0.7 * epoch["distillation_loss"]
        assert epoch["total_loss"] == pytest.approx(mixed, rel=1e-5)


@pytest.mark.parametrize("target", TARGETS)
def test_bundles_load_and_answer(ran: Any, target: str) -> None:
    bundle = open_bundle(ran.out / target)
    assert golden.replay(bundle.files["golden.json"], judge(bundle.manifest, bundle.files).answers) == []
    row = ran.rows()[f"int8_{target}"]
    assert bundle.manifest.metrics["ndcg@10"] == row["ndcg@10"]
    assert bundle.manifest.metrics["keep"] == row["keep"]
    assert (bundle.manifest.name, bundle.manifest.recipe) == ("log", "int8")
    measured = None if target == "micro" else oldest_runtime(bundle.files["model.tflite"])
    assert bundle.manifest.runtime == measured and (measured is None) == (target == "micro")
    history = ["I0003", "I0041", "I0007"]
    listed = Recommender.load(ran.out / target).recommend(history, k=5, context={"daypart": "morning"})
    assert len(set(listed.items)) == 5 and not set(listed.items) & set(history)


def test_what_generated_code_costs_is_in_report_and_manifest(ran: Any, require: Callable[[str], None]) -> None:
    require("arm-none-eabi-gcc")
    require("qemu-system-arm")
    found, metrics = ran.report["devices"], open_bundle(ran.out / "micro").manifest.metrics
    assert found["missing"] == {} and [cost["core"] for cost in found["costs"]] == list(micro.cores)
    for cost in found["costs"]:
        place = cost["core"].lower().replace("-", "_")
        assert cost["flash_bytes"] == metrics[f"flash_bytes@{place}"] > (ITEMS + 1) * ran.config.embedding_dim
        assert cost["ram_bytes"] == metrics[f"ram_bytes@{place}"] and cost["instructions"] > ITEMS
        assert metrics[f"instructions@{place}"] == cost["instructions"]
    assert not [name for name in open_bundle(ran.out / "android").manifest.metrics if "cortex" in name]


def test_samples_stand_side_by_side(ran: Any) -> None:
    titles = set(open_bundle(ran.out / "android").items.titles)
    for sample in ran.report["samples"]:
        assert len(sample["teacher"]) == len(sample["student"]) == 10 and len(sample["held_out"]) == 1
        assert titles.issuperset(sample["history"] + sample["held_out"] + sample["teacher"] + sample["student"])
        assert not set(sample["history"]) & set(sample["student"])


def test_page_needs_no_other_file(ran: Any) -> None:
    page = (ran.out / "report.html").read_text()
    assert re.findall(r'(?:src|href)="(?!data:|#)[^"]*"|@import|url\((?!#|data:)', page) == []
    assert ran.report["samples"][0]["student"][0] in page
    assert "On the devices" in page and "TensorFlow Lite Micro" in page


def test_progress_goes_through_the_stages(ran: Any) -> None:
    begun = [stage for stage, done, total, _ in ran.said if (done, total) == (0, 1)]
    assert begun == list(STAGES)
    assert [(done, total) for stage, done, total, _ in ran.said if stage == "student"] == [
        (0, 1),
        (1, 2),
        (2, 2),
        (1, 1),
    ]


def test_second_run_finds_everything_and_changes_no_byte(ran: Any, start: Callable[..., Any]) -> None:
    before, config = content(ran.out), (ran.out / "config.json").read_bytes()
    repeated = start(Config.from_file(ran.out / "config.json"), ran.out, ran.work)
    assert repeated.cached == list(STAGES)
    assert repeated.said == [(stage, 0, 0, "found finished") for stage in STAGES]
    assert content(ran.out) == before and (ran.out / "config.json").read_bytes() == config
    assert repeated.report["rows"] == ran.report["rows"]


def test_config_file_repeats_the_run(ran: Any, tmp_path: Path) -> None:
    arguments = ["run", "--config", str(ran.out / "config.json"), "--out", str(tmp_path), "--work", str(ran.work)]
    done = CliRunner().invoke(app, [*arguments, "--json", "--quiet"], catch_exceptions=False)
    assert all(stage["cached"] for stage in json.loads(done.stdout)["stages"])
    assert content(tmp_path) == content(ran.out)
    assert (tmp_path / "config.json").read_bytes() == (ran.out / "config.json").read_bytes()


def test_another_k_only_judges_again(again: Callable[..., Any], ran: Any) -> None:
    other = again(k=5)
    assert other.cached == list(STAGES[:-1])
    assert other.rows()["pruned"]["recall@5"] <= ran.rows()["pruned"]["recall@10"]
    assert "ndcg@10" not in other.rows()["pruned"]


def test_another_form_of_the_file_trains_nothing_again(again: Callable[..., Any], ran: Any) -> None:
    other = again(recipe="dynamic_int8", sparsity=0.0, targets=("android",))
    assert other.cached == ["data", "teacher", "teacher_cache", "student", "student_distilled"]
    assert [row["name"] for row in other.report["rows"]] == [*FORMS[:-1], "dynamic_int8_android"]
    assert other.rows()["student_distilled"] == ran.rows()["student_distilled"]
    assert list(other.report["curves"]) == ["teacher", "student", "student_distilled"]
    assert np.isclose(other.rows()["dynamic_int8_android"]["auc"], ran.rows()["student_distilled"]["auc"], atol=0.01)


@pytest.mark.usefixtures("eagerly")
def test_item_rows_of_four_bits_are_trained_under_their_rounding(again: Callable[..., Any], ran: Any) -> None:
    other = again(recipe="int4_table", quantize_epochs=1, targets=("android",))
    assert other.cached == list(STAGES[:-3])
    assert [row["name"] for row in other.report["rows"]] == [*FORMS, "quantized", "int4_table_android"]
    file, trained, eight = other.rows()["int4_table_android"], other.rows()["quantized"], ran.rows()["int8_android"]
    assert 2 * file["table_bytes"] == eight["table_bytes"]
    assert file["sparsity"] == trained["sparsity"] >= ran.rows()["pruned"]["sparsity"]  # what is pruned stays zero
    assert 0 < abs(file["auc"] - trained["auc"]) < 0.01
    assert len(other.report["curves"]["quantized"]) == 1


def test_training_under_rounding_needs_a_recipe_that_rounds(again: Callable[..., Any]) -> None:
    with pytest.raises(TrainingError, match="recipe must round weights to int8 for quantization-aware training"):
        again(recipe="float16", quantize_epochs=1, targets=("android",))


def test_item_rows_of_four_bits_need_an_even_width(again: Callable[..., Any]) -> None:
    with pytest.raises(DataError, match="embedding_dim must be even for recipe 'int4_table', not 7"):
        again(recipe="int4_table", embedding_dim=7, targets=("android",))


def test_log_that_was_moved_is_the_same_log(ran: Any, again: Callable[..., Any], tmp_path: Path) -> None:
    moved = tmp_path / "log.csv"
    moved.write_bytes(Path(ran.config.data).read_bytes())
    assert again(data=str(moved)).cached == list(STAGES[1:])


def test_the_report_has_teacher_and_libraries(ran: Any) -> None:
    assert ran.report["teacher"] == {"name": "ease", "validation_ndcg": {}}
    assert ran.report["libraries"] == libraries.installed()
    named = {target: set(open_bundle(ran.out / target).manifest.libraries) for target in TARGETS}
    assert named["micro"] - named["android"] == {"tflite-micro"} and named["android"] == named["coral_edgetpu"]
    assert "tensorflow-model-optimization" in named["android"]  # pruned
    assert not {"implicit", "tensorflow-recommenders"} & named["android"]  # of teachers that it does not have


def test_parameters_of_teacher_and_files_are_counted(ran: Any) -> None:
    rows = ran.rows()
    assert rows["teacher"]["parameters"] == ITEMS * ITEMS  # EASE: one weight a pair of items
    (folder,) = ran.work.glob("teacher-*/teacher")
    packed = sum(len(gzip.compress(path.read_bytes(), mtime=0)) for path in folder.iterdir())
    assert rows["teacher"]["gzip_bytes"] == packed < rows["teacher"]["bytes"]
    for target in TARGETS:
        files = open_bundle(ran.out / target).files
        constants = {
            tensor.buffer: int(np.prod(tensor.shape))
            for graph in read(files["model.tflite"]).subgraphs
            for tensor in graph.tensors
            if tensor.is_constant and (tensor.scales or tensor.dtype != "int32")
        }
        on_host = (ITEMS + 1 + 5) * ran.config.embedding_dim if target == "coral_edgetpu" else 0  # 4 dayparts, unknown
        assert rows[f"int8_{target}"]["parameters"] == sum(constants.values()) + on_host


def test_latency_is_of_the_same_question_for_every_file(ran: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, measure = [], pack.bench_bundle

    def bench(bundle: Bundle, signature: str | None = None) -> Any:
        asked.append((bundle.folder.name, signature))
        return measure(bundle, signature, runs=1, warmup=0)

    monkeypatch.setattr(pack, "bench_bundle", bench)
    for target in TARGETS:
        pack.shipped(ran.out / target)
    assert asked == [(target, "score") for target in TARGETS]


@pytest.mark.slow
def test_what_is_known_of_a_published_bundle_is_no_quality(ran: Any) -> None:
    """Its manifest has figures such as ndcg@10, and a row that is judged anew must not take them over, rounded."""
    assert any("@" in name for name in open_bundle(ran.out / "android").manifest.metrics)
    known = pack.shipped(ran.out / "android").known
    assert not any("@" in name for name in known)
    assert not {"auc", "keep", "tied_share"} & set(known)


def test_samples_are_of_androids_file(ran: Any) -> None:
    assert {sample["target"] for sample in ran.report["samples"]} == {"android"}


@pytest.mark.parametrize(
    ("name", "damage", "message"),
    [
        ("model.tflite", lambda content: content[:-1], r"model.tflite must have \d+ bytes, received \d+: it was cut"),
        ("model.tflite", lambda content: content[:-1] + b"?", "model.tflite was altered: its sha256 must be"),
        ("manifest.json", lambda content: content[:-9], "manifest.json is not JSON .*; the file was cut or altered"),
        (
            "manifest.json",
            lambda content: content.replace(b'"bytes": ', b'"bytes": 1'),
            "sha256 must be that of the other fields",
        ),
    ],
)
def test_a_damaged_stage_is_not_published(
    ran: Any, start: Callable[..., Any], tmp_path: Path, name: str, damage: Callable[[bytes], bytes], message: str
) -> None:
    work = shutil.copytree(ran.work, tmp_path / "work")
    for file in work.glob(f"export-*/android/{name}"):
        file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(BundleError, match=message):
        start(ran.config, tmp_path / "out", work)
    assert not (tmp_path / "out" / "android").exists()


def test_a_damaged_bundle_is_written_again(ran: Any, start: Callable[..., Any], tmp_path: Path) -> None:
    out = shutil.copytree(ran.out, tmp_path / "out")
    model = out / "android" / "model.tflite"
    model.write_bytes(model.read_bytes()[:100])
    start(ran.config, out, ran.work)
    assert model.read_bytes() == (ran.out / "android" / "model.tflite").read_bytes()

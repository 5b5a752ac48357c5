"""What the report of a run says of its teacher, its sizes, its latencies and its samples."""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_log import ITEMS, small

from kdrec import libraries, pack
from kdrec.bundle.read import open_bundle
from kdrec.data.splits import Split
from kdrec.evaluation.ranking import evaluate
from kdrec.load import load
from kdrec.stages import Stage, Stages
from kdrec.teaching import chosen_teacher, teacher_of, trained_teachers
from kdrec.tflite.views import read

TARGETS = ("android", "coral_edgetpu", "micro")


@pytest.fixture(scope="module")
def split(log_folder: Path) -> Split:
    return load(small(log_folder))[0]


@pytest.mark.parametrize("names", ["als,ease", "ease, als"])
def test_the_best_teacher_is_named_with_all_that_were_compared(
    log_folder: Path, split: Split, tmp_path: Path, names: str
) -> None:
    config = small(log_folder, teacher=names, teacher_options={"iterations": 1, "factors": 2})
    stages = Stages(tmp_path)
    data = Stage("data", split.fingerprint(), tmp_path, 0.0, 0, cached=True)
    best, heard = trained_teachers(stages, data, split, config)
    reached = {
        stage.name.removeprefix("teacher_"): evaluate(teacher_of(stage.folder, split), split, "valid").metrics[
            "ndcg@10"
        ]
        for stage in stages.finished[:-1]
    }
    assert set(reached) == {"als", "ease"} and reached["als"] != reached["ease"]
    chosen = chosen_teacher(stages, config)
    assert chosen == {"name": max(reached, key=lambda name: reached[name]), "validation_ndcg": reached}
    assert best.name == f"teacher_{chosen['name']}" and heard == (best,)


def test_one_teacher_is_compared_with_none(log_folder: Path, tmp_path: Path) -> None:
    assert chosen_teacher(Stages(tmp_path), small(log_folder)) == {"name": "ease", "validation_ndcg": {}}


@pytest.mark.slow
def test_the_report_has_teacher_and_libraries(ran: Any) -> None:
    assert ran.report["teacher"] == {"name": "ease", "validation_ndcg": {}}
    assert ran.report["libraries"] == libraries.installed()
    named = {target: set(open_bundle(ran.out / target).manifest.libraries) for target in TARGETS}
    assert named["micro"] - named["android"] == {"tflite-micro"} and named["android"] == named["coral_edgetpu"]
    assert "tensorflow-model-optimization" in named["android"]  # pruned
    assert not {"implicit", "tensorflow-recommenders"} & named["android"]  # of teachers that it does not have


@pytest.mark.slow
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


@pytest.mark.slow
def test_latency_is_of_the_same_question_for_every_file(ran: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, measure = [], pack.bench

    def bench(path: Path, signature: str | None = None) -> Any:
        asked.append((path.parent.name, signature))
        return measure(path, signature, runs=1, warmup=0)

    monkeypatch.setattr(pack, "bench", bench)
    for target in TARGETS:
        pack.shipped(ran.out / target)
    assert asked == [(target, "score") for target in TARGETS]


@pytest.mark.slow
def test_samples_are_of_androids_file_else_of_the_first(ran: Any, again: Callable[..., Any]) -> None:
    assert {sample["target"] for sample in ran.report["samples"]} == {"android"}
    turned = again(targets=("micro", "android"))
    assert turned.report["samples"] == ran.report["samples"]
    assert {sample["target"] for sample in again(targets=("micro",)).report["samples"]} == {"micro"}

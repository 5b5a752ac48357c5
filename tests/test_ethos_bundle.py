"""A bundle for an Ethos-U from the demo's converted file: Vela's file, its figures, and the golden vectors."""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from kdrec.bundle import golden, open_bundle
from kdrec.pack import publish, shipped, write_exported
from kdrec.report.check import check_report
from kdrec.report.page import render_page
from kdrec.report.words import count, kib
from kdrec.runtime import Recommender
from kdrec.runtime.micro_interpreter import MicroFile
from kdrec.tflite.views import read

ROOT = Path(__file__).parents[1]
MICRO = ROOT / "tflite_models" / "demo" / "micro"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Callable[[], Path]:
    """Publishes the file that the demo's converter wrote as `kdrec run --target ethos_u55` would: once, when asked."""

    def make() -> Path:
        micro, place = open_bundle(MICRO), tmp_path_factory.mktemp("ethos")
        files = {name: micro.files[name] for name in ("model.tflite", "items.json")}
        cases = [case["inputs"] for case in json.loads(micro.files["golden.json"])["cases"]]
        manifest = replace(micro.manifest, target="ethos_u55", files={}, metrics={})
        write_exported(place / "judged", files, manifest, cases)
        publish(place / "judged", place / "published", {"ndcg@10": 0.25, "tied_share": 0.5})
        return place / "published"

    return cache(make)


@pytest.fixture
def folder(made, require) -> Path:
    require("tflite-micro")
    require("ethosu")
    return made()


def test_golden_vectors_are_those_of_the_file_before_vela(folder) -> None:
    bundle = open_bundle(folder)
    assert bundle.manifest.oracle == "tflite-micro"
    model = bundle.files["model.tflite"]
    assert model == (MICRO / "model.tflite").read_bytes()
    assert bundle.files["golden.json"] == (MICRO / "golden.json").read_bytes()  # of an equal file, so equal
    assert golden.replay(bundle.files["golden.json"], MicroFile(model).answers) == []


def test_the_manifest_has_vela_s_figures_beside_quality(folder) -> None:
    bundle = open_bundle(folder)
    told = json.loads(bundle.files["vela.json"])
    compiled = read(bundle.files["model_vela.tflite"])
    assert compiled.operator_counts()["ethos-u"] >= 1
    metrics = bundle.manifest.metrics
    assert metrics["ndcg@10"] == 0.25
    assert metrics["compiled_bytes"] == bundle.manifest.files["model_vela.tflite"].bytes == told["bytes"]
    assert metrics["sram_bytes"] == told["sram_bytes"] > 1200  # the scores alone
    assert metrics["npu_cycles"] == told["cycles"] > 0
    assert metrics["npu_operators"] == sum(place["npu"] for place in told["operators"].values())
    assert metrics["cpu_operators"] == sum(place["cpu"] for place in told["operators"].values()) > 0  # the lookups


def test_the_report_shows_them(folder) -> None:
    bundle, found = open_bundle(folder), shipped(folder)
    known, told = found.known, json.loads(bundle.files["vela.json"])
    assert known["placement"] == told["operators"]
    assert known["bytes"] == known["compiled_bytes"] == told["bytes"]  # a device stores what Vela wrote
    assert (known["sram_bytes"], known["npu_cycles"]) == (told["sram_bytes"], told["cycles"])
    report = json.loads((ROOT / "scripts" / "results" / "demo-report.json").read_text())
    row = next(row for row in report["rows"] if row["name"] == "int8_micro")
    row |= {**known, "name": "int8_ethos_u55", "arena_bytes": None, "tied_share": row["tied_share"]}
    check_report(report)
    page = render_page(report)
    n_all = known["npu_operators"] + known["cpu_operators"]
    for shown in ("Ethos U55 file", kib(known["sram_bytes"]), count(known["npu_cycles"]), f" of {n_all} operators"):
        assert shown in page
    assert "Left to the CPU" in page


def test_the_bundle_recommends_like_the_micro_one(folder) -> None:
    """The compiled file is never run here: lists come from the one before."""
    ethos, micro = (Recommender.load(each) for each in (folder, MICRO))
    assert ethos.recommend(["I0012"], 5) == micro.recommend(["I0012"], 5)
    x = {"history": np.array([[1, 2, 3]]), "daypart": np.array([1])}
    np.testing.assert_array_equal(ethos.scorer()(x), micro.scorer()(x))

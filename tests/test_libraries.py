"""Which libraries a report and a manifest name."""

from dataclasses import replace

import pytest

from kdrec import libraries
from kdrec.config import Config

ALWAYS = {"ai-edge-litert", "numpy", "tensorflow", "tf-keras"}


@pytest.mark.parametrize(
    ("teacher", "sparsity", "oracle", "more"),
    [
        ("ease", 0.0, "litert", set()),
        ("als", 0.0, "litert", {"implicit"}),
        ("two_tower", 0.5, "litert", {"tensorflow-recommenders", "tensorflow-model-optimization"}),
        ("scores.npy", 0.0, "tflite-micro", {"tflite-micro"}),
    ],
)
def test_a_file_names_what_took_part(monkeypatch, teacher, sparsity, oracle, more):
    monkeypatch.setattr(libraries, "version", lambda name: f"of {name}")
    config = replace(Config(), teacher=teacher, sparsity=sparsity)
    assert libraries.taking_part(config, oracle) == {name: f"of {name}" for name in ALWAYS | more}


def test_a_report_names_all_that_are_installed(monkeypatch):
    assert {*ALWAYS, "implicit", "tensorflow-recommenders"} <= set(libraries.installed())

    def without_micro(name):
        if name == "tflite-micro":
            raise libraries.PackageNotFoundError(name)
        return "1"

    monkeypatch.setattr(libraries, "version", without_micro)
    assert "tflite-micro" not in libraries.installed()
    monkeypatch.setattr(libraries, "version", lambda name: "1")
    assert "tflite-micro" in libraries.installed()

"""A model in every form: the demo's micro bundle, and what cannot run."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kdrec import every_form as forms
from kdrec.bench import Measured, bench, console_forms, forms_picture
from kdrec.bench.cortex_m import build
from kdrec.bench.cortex_m.machines import MACHINES
from kdrec.cli import app
from kdrec.errors import RuntimeFileError
from kdrec.runtime import micro_process
from kdrec.targets.micro import micro

DEMO = Path(__file__).parents[2] / "tflite_models" / "demo"
LITERT = ["LiteRT, 1 thread", "LiteRT, 2 threads", "LiteRT, 1 thread, no XNNPACK", "LiteRT, 2 threads, no XNNPACK"]


@pytest.mark.slow
def test_a_micro_bundle_has_all_forms(require, monkeypatch) -> None:
    for tool in ("arm-none-eabi-gcc", "qemu-system-arm", "tflite-micro"):
        require(tool)
    # One core, for the three of the target take three times as long.
    get, one_core = forms.targets.get, replace(micro, cores=micro.cores[1:2])
    monkeypatch.setattr(forms.targets, "get", lambda name: one_core if name == "micro" else get(name))
    done = CliRunner().invoke(app, ["bench", str(DEMO / "micro"), "--every-form", "--runs", "3", "--json"])
    found = [Measured(**each) for each in json.loads(done.stdout)]
    assert [each.form for each in found] == [*LITERT, "TensorFlow Lite Micro", "C on Cortex-M3"]
    size = (DEMO / "micro" / "model.tflite").stat().st_size
    assert all(each.bytes == size and each.latency_us_p50 <= each.latency_us_p90 for each in found[:4])
    arena, code = found[4:]
    assert arena.bytes == size and arena.ram_kind == "arena" and 1200 < arena.ram_bytes < 2**14
    assert arena.ram_bytes == micro_process.arena_bytes((DEMO / "micro" / "model.tflite").read_bytes())
    assert code.place == f"qemu, {MACHINES['Cortex-M3'].name}" and 1201 * 32 < code.bytes < size
    assert code.ram_kind == "static" and code.instructions > 1200 * 32 and code.latency_us_p50 is None
    assert not any(each.said for each in found)


def test_what_cannot_run_says_why_and_ends_nothing(monkeypatch) -> None:
    monkeypatch.setattr(build.shutil, "which", lambda name: None)
    monkeypatch.setattr(micro_process, "is_installed", lambda: False)
    monkeypatch.setattr(forms, "FORMS", (forms.micro, forms.generated_c))
    found = forms.every_form(DEMO / "micro")
    assert [each.form for each in found] == ["TensorFlow Lite Micro", "C on Cortex-M"]
    assert "pip install 'kdrec[micro]'" in found[0].said
    assert found[1].said == "arm-none-eabi-gcc is not installed: apt-get install -y gcc-arm-none-eabi"


def test_a_file_alone_has_the_forms_of_litert(tmp_path, monkeypatch) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes((DEMO / "micro" / "model.tflite").read_bytes())
    monkeypatch.setattr(forms, "bench", fails)
    found = forms.every_form(path, threads=3)
    assert [each.form for each in found] == [form.replace("2", "3") for form in LITERT]
    assert {each.said for each in found} == {"m.tflite refused"} and {each.model for each in found} == {"m.tflite"}
    with pytest.raises(RuntimeFileError, match="does not exist; give a bundle's folder or the path of a .tflite"):
        forms.every_form(tmp_path / "none")


def fails(path, *more, **options):
    raise RuntimeFileError(f"{path.name} refused")


def test_without_xnnpack_litert_runs_its_own_kernels(two_signatures) -> None:
    without = bench(two_signatures, runs=3, xnnpack=False)
    assert not without.xnnpack and without.latency_us_p50 > 0


def test_table_and_picture_show_what_there_is(tmp_path) -> None:
    found = [
        Measured("a", "fast", "here", 2048, 10, "process", 1.5, 2.5, inputs="16 at random"),
        Measured("b", "on a chip", "there", 1024, 20, "static", instructions=123_456),
        Measured("c", "broken", "here", said="no compiler"),
    ]
    table = console_forms(found)
    assert [list(column.cells)[1].plain for column in table.columns] == [
        "b", "on a chip", "there", "1,024", "20 static", "–", "–", "123,456",
    ]  # fmt: skip
    assert table.caption == "a, inputs: 16 at random\nc, broken: no compiler"
    figure = forms_picture(found)
    assert [ax.get_xlabel() for ax in figure.axes] == [
        "KiB of file or flash", "µs a call, median", "thousand instructions a call",
    ]  # fmt: skip
    assert [[bar.get_width() for bar in ax.patches] for ax in figure.axes] == [[2.0, 1.0], [1.5], [123.456]]
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["a: fast", "b: on a chip"]
    assert len(forms_picture(found[:1]).axes) == 2


def test_several_models_are_one_table(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(forms, "FORMS", (lambda model: iter([Measured(model.name, "odd form", "here", 7)]),))
    models = [str(DEMO / target) for target in ("android", "micro")]
    picture = tmp_path / "forms.png"
    done = CliRunner().invoke(app, ["bench", *models], env={"COLUMNS": "120"})
    assert done.exit_code == 0 and done.stdout.count("odd form") == 2
    assert CliRunner().invoke(app, ["bench", models[0], "--picture", str(picture)]).exit_code == 0
    assert picture.stat().st_size > 1000

"""Every notebook runs from top to bottom in a fresh kernel, and its own assertions hold."""

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
SECONDS = 300  # of a cell; the longest notebook, 02, takes a minute and a half of CPU time in all


def cells(path: Path, kind: str) -> list[dict]:
    return [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == kind]


def code_cells(path: Path) -> list[dict]:
    return cells(path, "code")


def options_named(path: Path) -> list[str]:
    """What the texts show in backquotes as options of `kdrec run`, which has those of `kdrec distill`, too."""
    text = "\n".join("".join(cell["source"]) for cell in cells(path, "markdown"))
    return re.findall(r"`(?:kdrec (?:distill|run) )?(--[^`…]+)`", text)


OPTIONS = [options for path in NOTEBOOKS for options in options_named(path)]


def test_there_are_a_quickstart_the_methods_compression_and_devices() -> None:
    assert {"01_quickstart.ipynb", "02_distillation.ipynb", "03_compression.ipynb", "04_devices.ipynb"} <= {
        path.name for path in NOTEBOOKS
    }


def test_the_methods_are_named_as_options() -> None:
    assert len(OPTIONS) > 8


@pytest.mark.parametrize("options", OPTIONS)
def test_options_in_a_text_name_what_exists(options: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Options, methods, their options and values, without reading data or training."""
    from kdrec import experiment
    from kdrec.cli import app
    from kdrec.preflight import check_names
    from kdrec.without_effect import check_effect

    configs = []
    monkeypatch.setattr(experiment, "run", lambda config, **folders: configs.append(config))
    done = CliRunner().invoke(app, ["run", "--target", "android", *shlex.split(options), "--quiet"])
    assert done.exit_code == 0, done.output
    check_names(configs[0])
    check_effect(configs[0])


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_stored_without_outputs(path: Path) -> None:
    assert [cell["source"] for cell in code_cells(path) if cell["outputs"] or cell["execution_count"]] == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_says_what_holds_in_the_end(path: Path) -> None:
    assert "assert " in "".join(code_cells(path)[-1]["source"])


@pytest.mark.slow
@pytest.mark.timeout(1_800)  # of a notebook, on a machine that does much else
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_runs(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, require: Callable[[str], None]) -> None:
    """In the Python that runs this test, in an empty folder, without the user's own Jupyter settings or kernels."""
    require("nbclient")
    require("ipykernel")
    import nbformat
    from nbclient import NotebookClient

    for variable in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR", "MPLCONFIGDIR"):
        monkeypatch.setenv(variable, str(tmp_path / variable.lower()))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    folder = tmp_path / "empty"
    folder.mkdir()
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(
        notebook, timeout=SECONDS, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    ).execute()
    assert list(folder.iterdir()) == []  # nothing is left where it runs
    pictures = [out for cell in notebook.cells for out in cell.get("outputs", []) if "image/png" in out.get("data", {})]
    assert pictures

"""The documents say what is so."""

import importlib.util
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

TREE = Path(__file__).parents[1]
DOCUMENTS = ["README.md", "CONTRIBUTING.md"]
RUNS = re.findall(r"^\.venv/bin/kdrec ((?:run|distill) .+)$", (TREE / "README.md").read_text(), re.MULTILINE)
BLOCKS = re.findall(r"^```python\n(.*?)^```", (TREE / "README.md").read_text(), re.MULTILINE | re.DOTALL)

# What the documents name but a clean tree does not hold.
MADE = (".venv", "runs/")
FOLDERS = ("kdrec/", "tests/", "scripts/", "docs/", "notebooks/", "tflite_models/", ".ci/")


@pytest.mark.slow
@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.splitlines()[0])
def test_python_in_the_readme_runs(block: str, tmp_path: Path) -> None:
    """In a folder that holds the committed bundles and nothing else, warnings of kdrec being errors."""
    (tmp_path / "tflite_models").symlink_to(TREE / "tflite_models")
    done = subprocess.run([sys.executable, "-c", block], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    assert "Warning" not in done.stderr


def test_the_readme_has_python_to_run() -> None:
    assert len(BLOCKS) >= 2


def test_the_readme_has_runs_of_both_commands() -> None:
    assert {line.split()[0] for line in RUNS} == {"run", "distill"}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_files_that_are_named_exist(document: str) -> None:
    text = (TREE / document).read_text()
    words = re.findall(r"[\w./{},<>-]+", text)
    named = {each for word in words for each in expanded(word) if is_path(each)}
    assert len(named) > 3
    assert sorted(path for path in named if not exists(path)) == []


def test_every_folder_is_looked_at() -> None:
    text = (TREE / "README.md").read_text()
    assert all(is_path(word) for word in ("docs/lost_by_stage.png", "notebooks/01_quickstart.ipynb"))
    assert "docs/lost_by_stage.png" in text and "notebooks/01_quickstart.ipynb" in text


def test_the_readme_shows_the_results_that_are_kept() -> None:
    spec = importlib.util.spec_from_file_location("readme", TREE / "scripts" / "readme.py")
    assert spec is not None and spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    text = (TREE / "README.md").read_text()
    assert text == script.filled(text), "run scripts/readme.py"


def is_path(word: str) -> bool:
    """A path within the project, by its first part."""
    return word.startswith(FOLDERS) or word.endswith(".md")


def expanded(word: str) -> list[str]:
    """The paths that `a/{b,c}/<name>.py` stands for, up to the first part that the reader fills in.

    >>> expanded("a/{b,c}/<name>.py")
    ['a/b', 'a/c']
    """
    word = word.split("<")[0].rstrip("/.,")
    found = re.fullmatch(r"(.*)\{(.*)\}(.*)", word)
    return [found[1] + part + found[3] for part in found[2].split(",")] if found else [word]


def exists(path: str) -> bool:
    return path.startswith(MADE) or (TREE / path).exists() or (path.startswith("kdrec/") and is_in_package(path))


def is_in_package(path: str) -> bool:
    import kdrec

    return (Path(kdrec.__file__).parents[1] / path).exists()


def test_commands_in_the_readme_are_commands() -> None:
    from kdrec.cli import app

    known = {command.callback.__name__ for command in app.registered_commands if command.callback is not None}
    used = set(re.findall(r"kdrec (run|[a-z]+) (?:--|[A-Z]+\b)", (TREE / "README.md").read_text()))
    assert used == known


@pytest.mark.parametrize("line", RUNS)
def test_runs_in_the_readme_name_what_exists(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Options, methods, their options and values, without reading data or training."""
    from kdrec import experiment
    from kdrec.cli import app
    from kdrec.preflight import check_names
    from kdrec.without_effect import check_effect

    configs = []
    for command in ("run", "distill"):
        monkeypatch.setattr(experiment, command, lambda config, **folders: configs.append(config))
    done = CliRunner().invoke(app, [*shlex.split(line), "--quiet"])
    assert done.exit_code == 0, done.output
    check_names(configs[0])
    check_effect(configs[0])


def test_changelog_keeps_its_form() -> None:
    """Keep a Changelog: versions, the newest first, with sections of known names."""
    text = (TREE / "CHANGELOG.md").read_text()
    sections = re.findall(r"^### (.+)$", text, re.MULTILINE)
    assert set(sections) <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert re.search(r"^## \[\d+\.\d+\.\d+\] - (\d{4}-\d{2}-\d{2}|unreleased)$", text, re.MULTILINE)

"""The built wheel against the source tree; only scripts/test, which builds and installs one, runs these."""

import importlib
import os
import pkgutil
from importlib import metadata
from pathlib import Path

import pytest

import kdrec

PACKAGE = Path(kdrec.__file__).parent
INSTALLED_IN, SOURCE = (os.environ.get(name) for name in ("KDREC_INSTALLED_IN", "KDREC_SOURCE"))

pytestmark = pytest.mark.skipif(INSTALLED_IN is None, reason="this run is of the source tree")


def files(folder: Path) -> dict[str, bytes]:
    """By path, what a package holds, without what Python itself writes beside it."""
    found = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def test_the_wheel_is_what_is_tested() -> None:
    """Neither the tree, nor an editable installation that leads there."""
    assert PACKAGE.is_relative_to(INSTALLED_IN)
    assert not Path(__file__).parents[1].joinpath("kdrec").exists()


def test_it_holds_every_file_of_the_package_and_no_other() -> None:
    """Modules, templates, style sheets, schemas and py.typed, byte for byte."""
    of_wheel, of_tree = files(PACKAGE), files(Path(SOURCE, "kdrec"))
    assert sorted(of_wheel) == sorted(of_tree)
    assert [name for name, content in of_wheel.items() if content != of_tree[name]] == []


def test_every_module_of_it_imports() -> None:
    names = [found.name for found in pkgutil.walk_packages([str(PACKAGE)], "kdrec.")]
    assert len(names) == len(list(PACKAGE.rglob("*.py"))) - 1  # kdrec itself
    for name in names:
        assert importlib.import_module(name).__spec__.origin.startswith(INSTALLED_IN)


def test_its_command_is_there() -> None:
    (command,) = metadata.entry_points(group="console_scripts", name="kdrec")
    assert command.load() is importlib.import_module("kdrec.cli").main
    assert Path(metadata.distribution("kdrec").locate_file("kdrec")) == PACKAGE

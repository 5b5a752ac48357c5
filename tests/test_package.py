"""The package as others get it."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Callable
from configparser import ConfigParser
from fnmatch import fnmatch
from importlib import metadata
from pathlib import Path

import pytest

import kdrec

TREE = Path(__file__).parents[1]
PACKAGE = Path(kdrec.__file__).parent


def test_the_version_is_said_once() -> None:
    first = re.search(r"^## \[(.+?)\]", (TREE / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert first is not None
    assert metadata.version("kdrec") == kdrec.__version__ == first[1]


def test_the_licence_is_the_one_named() -> None:
    text = (TREE / "LICENSE").read_text()
    assert "Apache License" in text and "Version 2.0, January 2004" in text
    assert metadata.metadata("kdrec")["License-Expression"] == "Apache-2.0" or (
        metadata.metadata("kdrec")["License"] == "Apache-2.0"
    )


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_files_are_short(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 250, "split it: one concept, one file"


def test_public_names_resolve() -> None:
    assert [name for name in kdrec.__all__ if not hasattr(kdrec, name)] == []


def test_an_unknown_public_name_is_named() -> None:
    with pytest.raises(
        AttributeError, match="module 'kdrec' has no attribute 'Distill'; it has __version__, Config, Distiller"
    ):
        kdrec.Distill  # noqa: B018


def test_constraints_pin_all_that_is_installed() -> None:
    """Each line pins one version, and every dependency of the package is pinned."""
    lines = [line for line in (TREE / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", line)] == []
    pinned = {plain(line.split("==")[0]) for line in lines}
    needed = {plain(re.split(r"[ ;<>=!~\[]", line)[0]) for line in metadata.requires("kdrec") or []}
    assert needed - pinned == set()


def test_every_import_is_a_dependency() -> None:
    """Nothing is used that comes along only because something else needs it today."""
    needed = {plain(re.split(r"[ ;<>=!~\[]", line)[0]) for line in metadata.requires("kdrec") or []}
    homes = metadata.packages_distributions()
    missing = {}
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            for top in {name.partition(".")[0] for name in names} - sys.stdlib_module_names - {"kdrec"}:
                if not {plain(home) for home in homes.get(top, [])} & needed:
                    missing[top] = str(path.relative_to(PACKAGE))
    assert missing == {}


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_data_file_is_packaged() -> None:
    """A file that no pattern of package_data matches would be missing from the wheel without a word."""
    if not (TREE / "kdrec").exists():
        pytest.skip("this run is of the wheel")
    settings = ConfigParser(interpolation=None)
    settings.read(TREE / "setup.cfg")
    patterns = [pattern.strip() for pattern in settings["options.package_data"]["*"].split(",")]
    data = [path for path in PACKAGE.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")]
    names = [(path, path.relative_to(package_of(path)).as_posix()) for path in data]
    assert [str(path) for path, name in names if not any(fnmatch(name, pattern) for pattern in patterns)] == []


def package_of(path: Path) -> Path:
    """The innermost package that a file lies in: patterns start there."""
    return next(folder for folder in path.parents if (folder / "__init__.py").is_file())


def test_required_tools_fail_when_absent(require: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    require("tf_keras")
    monkeypatch.setenv("KDREC_REQUIRE", "chromium,no-such-tool")
    with pytest.raises(pytest.fail.Exception, match="no-such-tool is named in KDREC_REQUIRE but is not installed"):
        require("no-such-tool")
    monkeypatch.delenv("KDREC_REQUIRE")
    with pytest.raises(pytest.skip.Exception, match="no-such-tool is not installed"):
        require("no-such-tool")


@pytest.mark.parametrize(
    "script", ["scripts/install", "scripts/demo", "scripts/check", "scripts/test", "scripts/arm64", "scripts/apk"]
)
def test_scripts_are_valid_shell(script: str) -> None:
    path = TREE / script
    assert os.access(path, os.X_OK)
    subprocess.run(["sh", "-n", str(path)], check=True)


def test_install_names_the_package_when_python_has_no_venv(tmp_path: Path) -> None:
    """A python3 that cannot import ensurepip, as on Debian without python3-venv."""
    (tmp_path / "scripts").mkdir()
    (tmp_path / "bin").mkdir()
    install = tmp_path / "scripts/install"
    install.write_text((TREE / "scripts/install").read_text())
    install.chmod(0o755)
    python = tmp_path / "bin/python3"
    python.write_text(f'#!/bin/sh\ncase "$2" in *ensurepip*) exit 1;; esac\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    path = f"{tmp_path / 'bin'}:/usr/bin:/bin"
    done = subprocess.run([str(install), "micro"], env={"PATH": path}, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "apt-get install -y python3-venv"

"""Packages that `npm install --global` has put on this machine."""

import shutil
import subprocess
from functools import cache
from pathlib import Path

from kdrec.errors import RuntimeFileError


@cache
def home() -> Path | None:
    """The folder of all of them; None where there is no npm."""
    if shutil.which("npm") is None:
        return None
    done = subprocess.run(["npm", "root", "--global"], capture_output=True, text=True)
    return Path(done.stdout.strip()) if done.returncode == 0 else None


def is_installed(name: str) -> bool:
    """Whether there is a package of this name, such as `@litertjs/core`."""
    folder = home()
    return folder is not None and (folder / name / "package.json").is_file()


def link(name: str, node_modules: Path, version: str = "latest") -> Path:
    """Put a package and those that it needs into a `node_modules`, as `npm install` would, without the network.

    Args:
        name: of the package.
        node_modules: where to.
        version: that is named where the package is missing.

    Returns:
        The package's folder.

    Raises:
        RuntimeFileError: it is not installed.
    """
    folder = home()
    if folder is None or not is_installed(name):
        raise RuntimeFileError(f"{name} is not installed: npm install --global {name}@{version}")
    own = folder / name / "node_modules"
    needed = [path.parent for path in own.rglob("package.json") if path.parent.parent.name.startswith("@")]
    for package in (folder / name, *needed):
        to = node_modules / package.parent.name / package.name
        to.parent.mkdir(parents=True, exist_ok=True)
        to.symlink_to(package)
    return folder / name

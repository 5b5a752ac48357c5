"""Packages that `npm install --global` has put on this machine."""

import shutil
import subprocess
from functools import cache
from pathlib import Path


@cache
def home() -> Path | None:
    """The folder of all of them; None where there is no npm."""
    if shutil.which("npm") is None:
        return None
    done = subprocess.run(["npm", "root", "--global"], capture_output=True, text=True, check=True)
    return Path(done.stdout.strip())


def is_installed(name: str) -> bool:
    """Whether there is a package of this name, such as `@litertjs/core`."""
    folder = home()
    return folder is not None and (folder / name / "package.json").is_file()


def link(name: str, node_modules: Path) -> None:
    """Put a package and those that it needs into a `node_modules`, as `npm install` would, without the network."""
    folder = home()
    assert folder is not None
    own = folder / name / "node_modules"
    needed = [path.parent for path in own.rglob("package.json") if path.parent.parent.name.startswith("@")]
    for package in (folder / name, *needed):
        to = node_modules / package.parent.name / package.name
        to.parent.mkdir(parents=True, exist_ok=True)
        to.symlink_to(package)

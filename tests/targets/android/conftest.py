from collections.abc import Callable
from pathlib import Path

import kotlin
import pytest
from kotlin import DEMO

from kdrec.device_code import write_code


@pytest.fixture(scope="session")
def project(tmp_path_factory) -> Path:
    """The exported project of the demo's bundle."""
    folder = tmp_path_factory.mktemp("android") / "project"
    write_code(DEMO, folder, "android", "library")
    return folder


@pytest.fixture(scope="session")
def jvm(project, require, pytestconfig) -> Callable[..., list[str]]:
    """Run a main class of the project, its samples or its doubles."""
    for tool in ("java", "run_kotlin_kernel", str(kotlin.JNA)):
        require(tool)
    return kotlin.runner(kotlin.compiled(project, Path(pytestconfig.cache.mkdir("kotlin"))))

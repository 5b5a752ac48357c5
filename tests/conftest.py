import os
import shutil
from collections.abc import Callable, Iterator
from importlib.util import find_spec

import pytest
from hypothesis import HealthCheck, settings

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

# No example is too slow, for another process may have the core that it needs.
settings.register_profile("kdrec", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("kdrec")


# Files that take minutes begin before all others, so that no process works on one when the other has nothing left.
LONGEST = ("notebooks/test_notebooks.py", "experiment/test_run_resume.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.path.as_posix().endswith(LONGEST))


def is_there(tool: str) -> bool:
    """A program on the path, an importable module of that name, a file by its path, or `@owner/name` of npm."""
    if tool.startswith("@"):
        from kdrec.bench.web import npm

        return npm.is_installed(tool)
    if tool.startswith("/"):
        return os.path.isfile(tool)
    return shutil.which(tool) is not None or find_spec(tool.replace("-", "_")) is not None


@pytest.fixture(scope="session")
def require() -> Callable[[str], None]:
    """Ask for a tool that not every machine has: `require("chromium")`.

    Without it the test is skipped with the reason, or fails if KDREC_REQUIRE (a comma list) names the tool.
    """

    def ask(tool: str) -> None:
        if is_there(tool):
            return
        if tool in os.environ.get("KDREC_REQUIRE", "").split(","):
            pytest.fail(f"{tool} is named in KDREC_REQUIRE but is not installed; .ci/packages lists what to install")
        pytest.skip(f"{tool} is not installed; KDREC_REQUIRE={tool} makes this a failure")

    return ask


def run_eagerly() -> Iterator[None]:
    """Trainings of a few steps without compiling them, which takes longer than the steps do."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


eagerly = pytest.fixture(run_eagerly)
eagerly_in_module = pytest.fixture(run_eagerly, scope="module")


@pytest.fixture(scope="session", autouse=True)
def one_converter() -> Iterator[None]:
    """All files of a test's process are converted in forks of one other, which imports TensorFlow once."""
    from kdrec import converter

    with converter.keep():
        yield


@pytest.fixture
def converters_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new process a conversion, as it is for who does not ask to keep one."""
    from kdrec import converter

    monkeypatch.setattr(converter, "_kept", None)

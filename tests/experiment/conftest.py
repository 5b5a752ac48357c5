"""One small run, shared by the tests that only look at what it left."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from small_log import small, write_small_log

from kdrec.config import Config


@dataclass(frozen=True)
class Ran:
    """A run that is over: its configuration, its folders, its report and what its progress said."""

    config: Config
    out: Path
    work: Path
    report: dict[str, Any]
    said: list[tuple[str, int, int, str]] = field(default_factory=list)

    @property
    def cached(self) -> list[str]:
        """The stages that were found finished."""
        return [stage["name"] for stage in self.report["stages"] if stage["cached"]]

    def rows(self) -> dict[str, dict[str, Any]]:
        return {row["name"]: row for row in self.report["rows"]}


Start = Callable[..., Ran]


@pytest.fixture(scope="session")
def log_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`log.csv` and `items.csv`."""
    folder = tmp_path_factory.mktemp("log")
    write_small_log(folder)
    return folder


@pytest.fixture(scope="session")
def start() -> Start:
    """Run a configuration in given folders."""

    def begin(config: Config, out: Path, work: Path) -> Ran:
        from kdrec import experiment

        said: list[tuple[str, int, int, str]] = []
        report = experiment.run(config, out, work, lambda *told: said.append(told))
        return Ran(config, out, work, report, said)

    return begin


@pytest.fixture(scope="session")
def ran(log_folder: Path, start: Start, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """The small log with all three targets."""
    place = tmp_path_factory.mktemp("run")
    return start(small(log_folder), place / "out", place / "work")


@pytest.fixture
def again(ran: Ran, start: Start, tmp_path: Path) -> Callable[..., Ran]:
    """The same run with some options changed: the same work folder, another output folder."""
    return lambda **options: start(replace(ran.config, **options), tmp_path / "out", ran.work)

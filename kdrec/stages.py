"""Stages whose output is kept under a key of their inputs: a run goes on where it was cut and repeats what changed."""

import json
import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

try:
    import fcntl
except ImportError:  # Windows: two runs in one folder are on their own there
    fcntl = None  # type: ignore[assignment]

from kdrec import __version__, converter
from kdrec.files import atomic_write, canonical_json, naming_full_disk, sha256_of

Progress = Callable[[str, int, int, str], None]
SPENT = "spent.json"  # in the folder of a stage that was cut


@dataclass(frozen=True)
class Stage:
    """A finished stage: where its files are, and the key that later stages build on.

    Args:
        name: of the stage.
        key: of all that its output depends on.
        folder: where its files are.
        seconds: of all attempts that ended by themselves, by an error or by Ctrl-C; a killed one could not be timed.
        peak_memory_bytes: of the process, or of the largest one that it started, in the attempt that finished.
        cached: whether it was found finished.
    """

    name: str
    key: str
    folder: Path
    seconds: float
    peak_memory_bytes: int
    cached: bool


class Watch:
    """Told of a run while it works: its progress, and its trainings for whoever logs them.

    Args:
        progress: called with (stage, done, total, note).
        loggers: of `kdrec.loggers`.
    """

    def __init__(self, progress: Progress | None = None, loggers: Sequence[Any] = ()):
        self.progress: Progress = progress or (lambda stage, done, total, note: None)
        self.loggers = loggers

    def __call__(self, stage: str, done: int, total: int, note: str) -> None:
        self.progress(stage, done, total, note)

    def callbacks(self, stage: str, before: int = 0) -> list[Any]:
        """Keras callbacks for a training of a stage, by the name of its folder, after so many epochs of it."""
        return [logger.callback(stage, before) for logger in self.loggers]

    def finished(self, stage: Path) -> None:
        """A stage is over, in its folder."""
        for logger in self.loggers:
            logger.finished(stage.name, curve_of(stage))


def curve_of(folder: Path) -> list[dict[str, float]]:
    """The logs of each epoch that a stage left; none when it left none."""
    path = folder / "curve.json"
    return json.loads(path.read_text()) if path.exists() else []


class Stages:
    """Runs stages in a folder, each once.

    Args:
        folder: where the stages keep their files, `<name>-<key>/` each.
        progress: called with (stage, done, total, note); total 0 says that a stage was found finished.
        prepare: called before the work of each stage, for example to seed generators: a stage must not depend on
            whether the ones before it were done in this process.
        loggers: of `kdrec.loggers`, told of every training. What they log changes no stage.
    """

    def __init__(
        self,
        folder: Path,
        progress: Progress | None = None,
        prepare: Callable[[], None] | None = None,
        loggers: Sequence[Any] = (),
    ):
        self.folder = folder
        self.prepare: Callable[[], None] = prepare or (lambda: None)
        self.progress = Watch(progress, loggers)
        self.finished: list[Stage] = []

    def run(
        self, name: str, inputs: dict[str, Any], work: Callable[[Path], None], after: tuple[Stage, ...] = ()
    ) -> Stage:
        """Do `work` in the stage's folder, unless a run with equal inputs has done it.

        A folder without `done.json` was cut: `work` gets it as it is and may go on from its checkpoints.

        Args:
            name: of the stage.
            inputs: all options that the output depends on (JSON values).
            work: writes into the folder given.
            after: stages whose output it reads.

        Raises:
            OutputError: no space left; all that is finished stays.
        """
        version = {"kdrec": __version__, "name": name, "inputs": inputs, "after": [stage.key for stage in after]}
        key = sha256_of(canonical_json(version).encode())[:12]
        folder = self.folder / f"{name}-{key}"
        done = folder / "done.json"
        with _alone(folder, done):
            cached = done.exists()
            if cached:
                self.progress(name, 0, 0, "found finished")
            else:
                self.progress(name, 0, 1, "")
                atomic_write(done, json.dumps(self._measured(folder, work)))
                (folder / SPENT).unlink(missing_ok=True)
                self.progress(name, 1, 1, "")
        stage = Stage(name, key, folder, cached=cached, **json.loads(done.read_text()))
        self.finished.append(stage)
        self.progress.finished(folder)
        return stage

    def _measured(self, folder: Path, work: Callable[[Path], None]) -> dict[str, float]:
        """Do the work; what it cost, the seconds of attempts that were cut included."""
        before = json.loads((folder / SPENT).read_text())["seconds"] if (folder / SPENT).exists() else 0.0
        start, of_children = time.perf_counter(), _children_peak_memory()
        _reset_peak_memory()
        self.prepare()
        try:
            with naming_full_disk(folder):
                work(folder)
        except BaseException:
            with suppress(OSError):  # a full disk has no room for this either
                atomic_write(folder / SPENT, json.dumps({"seconds": before + time.perf_counter() - start}))
            raise
        peak, child = _peak_memory(), _children_peak_memory()
        return {
            "seconds": before + time.perf_counter() - start,
            "peak_memory_bytes": max(peak, child) if child > of_children else peak,
        }


@contextmanager
def _alone(folder: Path, done: Path) -> Iterator[None]:
    """One process at a time works in a folder; the others wait, and find it finished. A killed one holds nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    if done.exists() or fcntl is None:
        yield
        return
    lock = folder / ".lock"
    with open(lock, "w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
        lock.unlink(missing_ok=True)  # it is done: whoever still waits finds that, too


def _reset_peak_memory() -> None:
    """Linux counts the peak from here on; elsewhere the peak of the whole process is reported."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def _peak_memory() -> int:
    try:
        status = Path("/proc/self/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) * 1024
    except (OSError, IndexError):
        return _largest(resource.RUSAGE_SELF)


def _children_peak_memory() -> int:
    """Of the largest process that was started and has ended; the system keeps no peak of each."""
    return max(_largest(resource.RUSAGE_CHILDREN), converter.peak_memory())


def _largest(who: int) -> int:
    return resource.getrusage(who).ru_maxrss * (1 if sys.platform == "darwin" else 1024)

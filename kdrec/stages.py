"""Stages whose output is kept under a key of their inputs: a run goes on where it was cut and repeats what changed."""

import json
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kdrec import __version__
from kdrec.files import atomic_write, canonical_json, naming_full_disk, sha256_of

Progress = Callable[[str, int, int, str], None]


@dataclass(frozen=True)
class Stage:
    """A finished stage: where its files are, and the key that later stages build on."""

    name: str
    key: str
    folder: Path
    seconds: float
    peak_memory_bytes: int
    cached: bool


class Stages:
    """Runs stages in a folder, each once.

    Args:
        folder: where the stages keep their files, `<name>-<key>/` each.
        progress: called with (stage, done, total, note); total 0 says that a stage was found finished.
        prepare: called before the work of each stage, for example to seed generators: a stage must not depend on
            whether the ones before it were done in this process.
    """

    def __init__(self, folder: Path, progress: Progress | None = None, prepare: Callable[[], None] | None = None):
        self.folder = folder
        self.prepare: Callable[[], None] = prepare or (lambda: None)
        self.progress: Progress = progress or (lambda stage, done, total, note: None)
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
        cached = done.exists()
        if cached:
            self.progress(name, 0, 0, "found finished")
        else:
            folder.mkdir(parents=True, exist_ok=True)
            self.progress(name, 0, 1, "")
            start = time.perf_counter()
            _reset_peak_memory()
            self.prepare()
            with naming_full_disk(folder):
                work(folder)
            spent = {"seconds": time.perf_counter() - start, "peak_memory_bytes": _peak_memory()}
            atomic_write(done, json.dumps(spent))
            self.progress(name, 1, 1, "")
        stage = Stage(name, key, folder, cached=cached, **json.loads(done.read_text()))
        self.finished.append(stage)
        return stage


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
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

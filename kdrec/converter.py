"""The process in which TensorFlow Lite's converter runs: a new one a call, or forks of one that is kept."""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO, Self

import kdrec

WORKER = "kdrec.export.worker"

_kept: "Kept | None" = None
_peak = 0


def keep() -> "Kept":
    """From now on convert in forks of one process, which imports TensorFlow once.

    That import is most of the time of a small file's conversion; whoever writes many files saves it. A call still has a
    process of its own, so that what kills it kills nothing else, and equal inputs give equal bytes; its environment is
    that of the first call. Where a fork is not safe, elsewhere than on Linux, and where one is kept already, nothing
    changes.

    Returns:
        What ends it, by `close` or as a context manager; the end of this process does, too.

    >>> with keep() as kept:  # nothing is started before there is something to convert
    ...     kept.pid is None
    True
    """
    global _kept
    kept = Kept()
    if _kept is None and sys.platform == "linux":
        _kept = kept
    return kept


def run(jobs_file: Path, timeout: float | None) -> tuple[int | None, str]:
    """Let a process convert what a file lists.

    Args:
        jobs_file: names the folders, as `kdrec.export.worker` reads them.
        timeout: seconds that it may take, its start among them; None lets it take its time.

    Returns:
        Its exit status (a signal's number, negative; None: it took too long and was ended), and all that it wrote.
    """
    if _kept is not None:
        return _kept.run(jobs_file, timeout)
    with tempfile.TemporaryFile() as said:
        try:
            done = subprocess.run(
                _command(str(jobs_file)), env=_environment(), stdin=subprocess.DEVNULL, stdout=said, stderr=said,
                timeout=timeout,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return None, _content(said)
        return done.returncode, _content(said)


def peak_memory() -> int:
    """Bytes of the largest fork so far: no child of this process, so the system's count of children leaves it out."""
    return _peak


class Kept:
    """A process that forks for every call; made by `keep`."""

    def __init__(self) -> None:
        self._process: _Forking | None = None

    @property
    def pid(self) -> int | None:
        """Of the process that forks; None while there is none."""
        return None if self._process is None else self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process; the next call has one of its own again."""
        global _kept
        self._end()
        if _kept is self:
            _kept = None

    def run(self, jobs_file: Path, timeout: float | None) -> tuple[int | None, str]:
        """As `kdrec.converter.run`."""
        global _peak
        ends = None if timeout is None else time.monotonic() + timeout
        process = self._process
        if process is None or not process.is_alive():
            self._end()
            process = self._process = _Forking()
        with tempfile.NamedTemporaryFile() as said:
            try:
                answer = process.ask(jobs_file, said.name, ends)
            except BaseException:  # Ctrl+C, say: it does not reach another process group
                self._end()
                raise
            if answer:
                code, peak = json.loads(answer)
                _peak = max(_peak, peak)
                return code, _content(said)
            code = None if answer is None else process.wait()
            complaints = process.complaints() + _content(said)
            self._end()
            return code, complaints

    def _end(self) -> None:
        if self._process is not None:
            self._process.end()
            self._process = None


class _Forking:
    """A started `kdrec.export.worker` without jobs."""

    def __init__(self) -> None:
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  `end` closes it
        self._process = subprocess.Popen(
            _command(), env=_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._said,
            process_group=0,
        )  # fmt: skip
        self.pid = self._process.pid

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, jobs_file: Path, said: str, ends: float | None) -> bytes | None:
        """What became of the fork; empty when this process is dead, None when it took too long."""
        asked, answers = self._process.stdin, self._process.stdout
        assert asked is not None and answers is not None
        with contextlib.suppress(BrokenPipeError):  # it is dead, and its answer says so
            asked.write(json.dumps([str(jobs_file), said]).encode() + b"\n")
            asked.flush()
        left = None if ends is None else max(0.0, ends - time.monotonic())
        ready, _, _ = select.select([answers], [], [], left)
        return answers.readline() if ready else None

    def wait(self) -> int:
        return self._process.wait()

    def complaints(self) -> str:
        return _content(self._said)

    def end(self) -> None:
        """End it, and the fork that it waits for."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._said):
            with contextlib.suppress(BrokenPipeError):
                pipe.close()  # type: ignore[union-attr]


def _command(*words: str) -> list[str]:
    return [sys.executable, "-m", WORKER, *words]


def _environment() -> dict[str, str]:
    """Of the process: it finds this kdrec from any folder, and equal inputs give equal bytes."""
    home = str(Path(kdrec.__file__).parents[1])
    paths = [home, *filter(None, [os.environ.get("PYTHONPATH")])]
    fixed = {"PYTHONPATH": os.pathsep.join(paths), "PYTHONHASHSEED": "0"}
    # The converter uses no Keras, but TensorFlow imports one, and Keras 2 takes less time.
    return {"TF_CPP_MIN_LOG_LEVEL": "2", "TF_USE_LEGACY_KERAS": "1", **os.environ, **fixed}


def _content(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")

"""The memory of a process and of all that it starts, looked at from outside while it works."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Self

INTERVAL = 0.05  # seconds


class PeakOfTree:
    """The most that a process and its descendants had in use together, in MiB (Linux; elsewhere 0).

    Pages that two of them share count twice, so what a tree takes is not more than this.

    Args:
        pid: of the process at the root.
    """

    def __init__(self, pid: int) -> None:
        self.pid, self.mib, self._done = pid, 0.0, threading.Event()
        self._watch = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        self._watch.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._done.set()
        self._watch.join()

    def _look(self) -> None:
        while True:
            self.mib = max(self.mib, sum(resident_mib(pid) for pid in tree(self.pid)))
            if self._done.wait(INTERVAL):
                return


def tree(pid: int) -> Iterator[int]:
    """A process and its descendants."""
    yield pid
    for listed in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = listed.read_text().split()
        except OSError:  # it has just ended
            continue
        for child in children:
            yield from tree(int(child))


def resident_mib(pid: int) -> float:
    """What a process has in memory now; 0 once it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    lines = (line.split() for line in status.splitlines() if line.startswith("VmRSS:"))
    return next((int(words[1]) / 1024 for words in lines), 0.0)

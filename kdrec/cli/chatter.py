"""TensorFlow and LiteRT write notes to the terminal before any setting can stop them; they would cut up the bars."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from threading import Thread

CHATTER = re.compile(
    rb"WARNING: All log messages before absl::InitializeLog|"
    rb"[IW]\d{4} \d\d:|\d{4}-\d\d-\d\d [\d:.]+: [IW] |"  # a log line of level information or warning
    rb"E\d{4} .*(cuda|cuInit|node_def_util|oneDNN supports)|"  # no GPU; expected; slower
    rb"INFO: (Created TensorFlow Lite|Initialized TensorFlow Lite)|"
    rb"To enable the following instructions: "
)


@contextmanager
def without_chatter() -> Iterator[None]:
    """Leave out what libraries note on the process's stderr; all else that they write passes, and so does Python's own.

    Children write to the same place, so theirs is left out too.
    """
    terminal = os.dup(2)
    read, write = os.pipe()
    os.dup2(write, 2)
    os.close(write)
    reader = Thread(target=pass_on, args=(read, terminal), daemon=True)
    reader.start()
    try:
        with open(terminal, "w", buffering=1, errors="backslashreplace", closefd=False) as ours, redirect_stderr(ours):
            yield
    finally:
        os.dup2(terminal, 2)  # was the pipe's last writer, unless a child still runs
        reader.join(timeout=1)


def pass_on(read: int, terminal: int) -> None:
    """Copy lines that are not chatter."""
    with open(read, "rb") as lines:
        for line in lines:
            if not CHATTER.match(line):
                os.write(terminal, line)

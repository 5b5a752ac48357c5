"""Debian's Chromium without a window, which never outlives who started it."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from kdrec.errors import RuntimeFileError

BROWSER = "chromium"
PATIENCE = 5.0  # seconds in which it may end by itself
LONGEST = 62  # bytes of a temporary folder's path: 45 more are the path of Chromium's socket, and 107 Linux's limit
FLAGS = (
    # Root has no sandbox, and hardly a container has one; the only pages are kdrec's own.
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"),
    # Nothing but this machine has an address.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


def check_installed() -> None:
    """Chromium is on the path.

    Raises:
        RuntimeFileError: it is not; the message names its Debian package.
    """
    if shutil.which(BROWSER) is None:
        raise RuntimeFileError(f"{BROWSER} is not installed: apt-get install -y {BROWSER}")


@contextmanager
def showing(address: str) -> Iterator["Running"]:
    """A browser that shows one page; it and what it stored are gone afterwards, whatever happens.

    Raises:
        RuntimeFileError: Chromium is not installed, or the path of the folder for temporary files is too long for it.
    """
    check_installed()
    temporary = tempfile.gettempdir()
    if len(os.fsencode(temporary)) > LONGEST:
        raise RuntimeFileError(
            f"TMPDIR must have at most {LONGEST} bytes for Chromium's socket, received {temporary!r}; set a shorter one"
        )
    with (
        tempfile.TemporaryDirectory(prefix="kdrec-chromium-", ignore_cleanup_errors=True) as profile,
        tempfile.TemporaryFile() as errors,
    ):
        # It takes commands from descriptor 3 and ends where that ends: with this process, even if that is killed.
        process = subprocess.Popen(
            ["sh", "-c", 'exec "$0" "$@" 3<&0 4>&1', BROWSER, *FLAGS, "--remote-debugging-pipe",
             f"--user-data-dir={Path(profile) / 'profile'}", address],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=errors, start_new_session=True,
            # Reports of crashes go to the home, whatever the profile.
            env={**os.environ, "HOME": profile, "TMPDIR": temporary},
        )  # fmt: skip
        try:
            yield Running(process, errors.fileno())
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Let a browser end by itself, and kill what is left of it.

    One that is killed leaves the folder of its socket among the temporary files.
    """
    try:
        with suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=PATIENCE)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # its helpers are of the same group
        process.wait()


class Running:
    """A browser while it runs.

    Args:
        process: of it.
        errors: descriptor of the file that it writes errors to.
    """

    def __init__(self, process: subprocess.Popen[bytes], errors: int):
        self._process, self._errors = process, errors

    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def last_words(self) -> str:
        """The last line that it wrote, or its status."""
        size = os.fstat(self._errors).st_size
        lines = os.pread(self._errors, 4096, max(0, size - 4096)).decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"status {self._process.poll()}"

"""The process that is kept for conversions: it serves all calls, and what happens to it ends one call only."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "export"))
from test_convert import times

from kdrec import converter
from kdrec.errors import ConversionError
from kdrec.export.convert import convert

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def kept() -> Iterator[converter.Kept]:
    """One of this module's own: its tests kill it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(converter, "_kept", None)
        with converter.keep() as kept:
            yield kept


def in_another_thread(act: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=act)
    thread.start()
    return thread


def fork_of(pid: int) -> int:
    """The process that a kept one has just forked, once it is there."""
    while True:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        if children:
            return int(children[0])
        time.sleep(0.001)


def test_one_process_serves_all_calls_and_gives_the_bytes_of_a_new_one(kept: converter.Kept, monkeypatch):
    assert kept.pid is None
    first = convert([times(2.0, "two")])
    pid = kept.pid
    assert convert([times(2.0, "two")]) == first and kept.pid == pid
    assert Path(f"/proc/{pid}/cmdline").read_text().split("\0")[1:3] == ["-m", "kdrec.export.worker"]
    assert converter.peak_memory() > 100 * 2**20  # TensorFlow alone
    monkeypatch.setattr(converter, "_kept", None)
    assert convert([times(2.0, "two")]) == first


def test_one_that_is_kept_already_stays(kept: converter.Kept):
    with converter.keep() as another:
        convert([times(2.0, "two")])
    assert another.pid is None and converter._kept is kept


def test_a_fork_that_is_killed_is_an_error_and_the_process_stays(kept: converter.Kept):
    convert([times(2.0, "two")])
    pid = kept.pid
    killer = in_another_thread(lambda: os.kill(fork_of(pid), signal.SIGKILL))
    with pytest.raises(ConversionError, match="ended by SIGKILL|did not begin"):
        convert([times(2.0, "two")])
    killer.join()
    assert kept.pid == pid and len(convert([times(2.0, "two")])) == 1


def test_a_process_that_is_killed_lets_its_fork_finish_and_another_takes_its_place(kept: converter.Kept):
    expected = convert([times(2.0, "two")])
    pid = kept.pid

    def kill() -> None:
        fork_of(pid)
        os.kill(pid, signal.SIGKILL)

    killer = in_another_thread(kill)
    assert convert([times(2.0, "two")]) == expected
    killer.join()
    assert convert([times(2.0, "two")]) == expected and kept.pid not in (pid, None)


def test_what_takes_too_long_is_ended(kept: converter.Kept):
    convert([times(2.0, "two")])
    pid = kept.pid
    with pytest.raises(ConversionError, match=r"took longer than timeout=0\.01 seconds; give it more"):
        convert([times(2.0, "two")], timeout=0.01)
    assert kept.pid is None and not Path(f"/proc/{pid}").exists()


def test_the_end_of_the_block_ends_it(kept: converter.Kept):
    kept._end()
    kept._process = converter._Forking()  # at its import still: nothing has to be converted for this
    pid = kept.pid
    assert Path(f"/proc/{pid}").exists()
    kept.close()
    assert kept.pid is None and not Path(f"/proc/{pid}").exists() and converter._kept is None

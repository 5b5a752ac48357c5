"""Stages run once, go on where they were cut, and depend on what they read."""

import subprocess
import sys

import pytest

from kdrec.stages import Stages


def test_stage_runs_once_and_again_when_an_input_changes(tmp_path):
    done = []

    def run(width):
        stages = Stages(tmp_path)
        first = stages.run("first", {"width": width}, lambda folder: done.append("first"))
        second = stages.run("second", {}, lambda folder: done.append("second"), after=(first,))
        return first, second

    run(3)
    first, second = run(3)
    assert done == ["first", "second"] and first.cached and second.cached
    assert first.seconds >= 0 and first.peak_memory_bytes > 1_000_000
    run(4)
    assert done == ["first", "second"] * 2  # the second stage reads the first


def test_cut_stage_finds_what_it_left(tmp_path):
    def work(folder):
        if not (folder / "checkpoint").exists():
            (folder / "checkpoint").write_text("half")
            raise KeyboardInterrupt
        (folder / "result").write_text((folder / "checkpoint").read_text() + " whole")

    with pytest.raises(KeyboardInterrupt):
        Stages(tmp_path).run("train", {}, work)
    stage = Stages(tmp_path).run("train", {}, work)
    assert (stage.folder / "result").read_text() == "half whole" and not stage.cached


def test_progress_tells_start_end_and_found(tmp_path):
    said = []
    for _ in range(2):
        Stages(tmp_path, lambda *told: said.append(told)).run("train", {}, lambda folder: None)
    assert said == [("train", 0, 1, ""), ("train", 1, 1, ""), ("train", 0, 0, "found finished")]


def test_seconds_of_attempts_that_were_cut_count(tmp_path, monkeypatch):
    clock = iter([0.0, 5.0, 100.0, 107.0])  # start and end of each attempt
    monkeypatch.setattr("kdrec.stages.time.perf_counter", lambda: next(clock))

    def cut(folder):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Stages(tmp_path).run("train", {}, cut)
    stage = Stages(tmp_path).run("train", {}, lambda folder: None)
    assert stage.seconds == 5.0 + 7.0
    assert [path.name for path in stage.folder.iterdir()] == ["done.json"]
    assert Stages(tmp_path).run("train", {}, cut).seconds == 12.0


CHILD = "b = b'x' * 300_000_000"
MEASURED = f"""
import subprocess, sys, tempfile
from pathlib import Path
from kdrec.stages import Stages
stages = Stages(Path(tempfile.mkdtemp()))
large = lambda folder: subprocess.run([sys.executable, "-c", {CHILD!r}], check=True)
small = lambda folder: subprocess.run([sys.executable, "-c", ""], check=True)
print(*(stages.run(name, {{}}, work).peak_memory_bytes for name, work in (("large", large), ("small", small))))
"""


def test_memory_of_a_process_that_a_stage_starts_counts_for_that_stage():
    said = subprocess.run([sys.executable, "-c", MEASURED], check=True, capture_output=True, text=True).stdout
    large, small = map(int, said.split())
    assert small < 300_000_000 < large < 600_000_000


TOGETHER = """
import sys, time
from pathlib import Path
from kdrec.stages import Stages

def work(folder):
    with open(folder / "times", "a") as file:
        file.write("x")
    time.sleep(1)

Stages(Path(sys.argv[1])).run("train", {}, work)
"""


def test_two_processes_do_not_work_in_one_folder(tmp_path):
    both = [subprocess.Popen([sys.executable, "-c", TOGETHER, str(tmp_path)]) for _ in range(2)]
    assert [process.wait(60) for process in both] == [0, 0]
    (folder,) = tmp_path.glob("train-*")
    assert (folder / "times").read_text() == "x"

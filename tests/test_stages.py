"""Stages run once, go on where they were cut, and depend on what they read."""

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

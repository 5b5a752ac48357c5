"""Atomic writes: a failure leaves what was there."""

import errno

import pytest

from kdrec import files
from kdrec.errors import OutputError


def test_file_is_replaced_or_left(tmp_path, monkeypatch):
    path = tmp_path / "deep" / "a.txt"
    files.atomic_write(path, "old")
    files.atomic_write(path, b"new")
    assert path.read_bytes() == b"new"

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(OutputError, match=r"no space left to write .*a\.txt; nothing was replaced: free some space"):
        files.atomic_write(path, "third")
    assert path.read_bytes() == b"new"
    assert [entry.name for entry in path.parent.iterdir()] == ["a.txt"]


@pytest.mark.parametrize("can_exchange", [True, False])
def test_folder_is_replaced_whole(tmp_path, monkeypatch, can_exchange):
    if not can_exchange:
        monkeypatch.setattr(files, "_exchange", lambda first, second: False)
    place = tmp_path / "bundle"
    for content in ("first", "second"):
        with files.atomic_folder(place) as fresh:
            (fresh / content).write_text(content)
        assert [entry.name for entry in place.iterdir()] == [content]
    assert [entry.name for entry in tmp_path.iterdir()] == ["bundle"]


def test_folder_is_left_when_the_work_fails(tmp_path):
    place = tmp_path / "bundle"
    with files.atomic_folder(place) as fresh:
        (fresh / "good").write_text("good")
    with pytest.raises(RuntimeError, match="half way"), files.atomic_folder(place) as fresh:
        (fresh / "bad").write_text("bad")
        raise RuntimeError("half way")
    assert [entry.name for entry in place.iterdir()] == ["good"]
    assert [entry.name for entry in tmp_path.iterdir()] == ["bundle"]


def test_full_disk_is_named_for_folders(tmp_path):
    with (
        pytest.raises(OutputError, match="no space left to write .*bundle"),
        files.atomic_folder(tmp_path / "bundle"),
    ):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_sha256_of_file_equals_that_of_bytes(tmp_path):
    (tmp_path / "a").write_bytes(b"kdrec" * 100_000)
    assert files.sha256_of(tmp_path / "a") == files.sha256_of(b"kdrec" * 100_000)


def test_a_folder_of_files_replaces_its_own_and_nothing_else(tmp_path):
    folder = tmp_path / "code"
    files.replace_folder(folder, {"a.c": b"1", "a.h": b"2"})
    files.replace_folder(folder, {"a.c": b"3", "a.h": b"4"})
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {"a.c": b"3", "a.h": b"4"}
    (folder / "mine.txt").write_text("kept")
    with pytest.raises(OutputError, match="code holds something else, for example mine.txt, and would lose it: give"):
        files.replace_folder(folder, {"a.c": b"5", "a.h": b"6"})
    with pytest.raises(OutputError, match="mine.txt is a file, not a folder to write to: give another output folder"):
        files.replace_folder(folder / "mine.txt", {})
    assert (folder / "a.c").read_bytes() == b"3"

"""A bundle folder: all of it or nothing, equal bytes for equal input, and every file compared before it is used."""

import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest
from bundle_parts import FILES, ITEMS, manifest

from kdrec.bundle import DataSource, Items, open_bundle, write_bundle
from kdrec.bundle.write import check_replaceable
from kdrec.errors import BundleError, OutputError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_bundle(tmp_path / "android", FILES, manifest())
    return tmp_path / "android"


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_what_is_opened_is_what_was_written(folder: Path) -> None:
    bundle = open_bundle(folder)
    assert bundle.files == FILES
    assert bundle.items == ITEMS
    assert bundle.manifest == write_bundle(folder, FILES, manifest())
    assert {name: check.bytes for name, check in bundle.manifest.files.items()} == {
        name: len(content) for name, content in FILES.items()
    }


def test_equal_arguments_give_equal_bytes(folder: Path, tmp_path: Path) -> None:
    write_bundle(tmp_path / "again", dict(reversed(FILES.items())), manifest())
    assert contents(tmp_path / "again") == contents(folder)


def test_a_newer_bundle_replaces_an_older_one(folder: Path) -> None:
    files = {**FILES, "model.tflite": b"new"}
    write_bundle(folder, files, manifest())
    assert open_bundle(folder).files == files
    assert [path.name for path in folder.parent.iterdir()] == ["android"]


def test_a_file_that_is_missing(folder: Path) -> None:
    (folder / "golden.json").unlink()
    with pytest.raises(
        BundleError, match="golden.json is missing, though the bundle's manifest lists it; copy the whole"
    ):
        open_bundle(folder)


@pytest.mark.parametrize("name", list(FILES))
def test_a_file_that_was_cut(folder: Path, name: str) -> None:
    (folder / name).write_bytes(FILES[name][:-1])
    size = len(FILES[name])
    with pytest.raises(
        BundleError, match=f"{name} must have {size} bytes, received {size - 1}: it was cut or replaced"
    ):
        open_bundle(folder)


@pytest.mark.parametrize("name", list(FILES))
def test_a_file_that_was_altered(folder: Path, name: str) -> None:
    (folder / name).write_bytes(bytes([FILES[name][0] ^ 1]) + FILES[name][1:])
    with pytest.raises(
        BundleError, match=f"{name} was altered: its sha256 must be .*; copy the bundle again or export"
    ):
        open_bundle(folder)


def test_files_of_somebody_else_are_not_read(folder: Path) -> None:
    (folder / "notes.txt").write_text("mine")
    assert "notes.txt" not in open_bundle(folder).files


def test_a_folder_that_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(
        BundleError, match="is no bundle: it has no manifest.json; give a folder that `kdrec run` wrote"
    ):
        open_bundle(tmp_path)


def test_a_catalogue_of_another_size_than_the_manifest_says(tmp_path: Path) -> None:
    wrong = manifest(data=DataSource("tiny", "ab" * 32, 4))
    write_bundle(tmp_path / "b", FILES, wrong)
    with pytest.raises(BundleError, match="items.json must have 4 ids, as manifest.json says, received 3; export the"):
        open_bundle(tmp_path / "b")


def test_rare_items_without_a_token_for_them(tmp_path: Path) -> None:
    rare = Items.of(ITEMS.ids, ITEMS.titles, ITEMS.popular, rare=[5])
    files = {**FILES, "items.json": rare.to_json()}
    write_bundle(tmp_path / "b", files, manifest(data=DataSource("tiny", "ab" * 32, 3, 4)))
    with pytest.raises(BundleError, match="items.json must name rare items just where .* received 1 and token None"):
        open_bundle(tmp_path / "b")


def test_an_output_folder_that_holds_something_else(tmp_path: Path, folder: Path) -> None:
    message = "is an output folder that holds something else, for example notes.txt, and would lose it: give another"
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    (folder / "notes.txt").write_text("mine")  # a bundle, but with a file that is not its own
    for place in (tmp_path / "mine", folder):
        before = contents(place)
        with pytest.raises(OutputError, match=message):
            write_bundle(place, FILES, manifest())
        assert contents(place) == before


def test_a_manifest_of_another_program_makes_no_bundle(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"manifest_version": 3}')
    with pytest.raises(OutputError, match="holds something else, for example manifest.json"):
        check_replaceable(tmp_path)


def test_an_output_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(OutputError, match="out is a file, not a folder for a bundle: give another output folder"):
        write_bundle(tmp_path / "out", FILES, manifest())


def test_an_empty_folder_may_be_used(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    write_bundle(tmp_path / "out", FILES, manifest())
    assert open_bundle(tmp_path / "out").items == ITEMS


@pytest.mark.parametrize(
    ("files", "fields", "message"),
    [
        ({"model.tflite": b"m", "items.json": b"{}"}, {}, "files must list golden.json"),
        ({**FILES, "../escape": b""}, {}, "files must name files of the bundle's own folder, without any path"),
        (FILES, {"oracle": "guess"}, "oracle must be one of litert, tflite-micro"),
    ],
)
def test_a_wrong_bundle_is_not_written(tmp_path: Path, files, fields, message: str) -> None:
    with pytest.raises(BundleError, match=message):
        write_bundle(tmp_path / "out", files, manifest(**fields))
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_the_old_bundle(folder: Path, monkeypatch) -> None:
    before = contents(folder)

    def full(self, data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OutputError, match="no space left to write .*android; nothing was replaced"):
        write_bundle(folder, {**FILES, "model.tflite": b"new"}, manifest())
    assert contents(folder) == before
    assert [path.name for path in folder.parent.iterdir()] == ["android"]


def test_a_manifest_that_was_cut(folder: Path) -> None:
    content = (folder / "manifest.json").read_bytes()
    (folder / "manifest.json").write_bytes(content[:-5])
    with pytest.raises(
        BundleError, match="manifest.json is not JSON .*; the file was cut or altered: export the bundle"
    ):
        open_bundle(folder)


def test_titles_and_text_ids_keep_their_letters(tmp_path: Path) -> None:
    items = Items.of(["ß", "日本", "c"], ["Größe", "本", "C"], [])
    write_bundle(tmp_path / "b", {**FILES, "items.json": items.to_json()}, replace(manifest(), name="日"))
    assert open_bundle(tmp_path / "b").items == items

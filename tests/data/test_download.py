import hashlib
import zipfile

import pytest

from kdrec.data.download import fetch, fetch_zip
from kdrec.errors import DataError

CONTENT = b"1\t2\t3\n"
MD5 = hashlib.md5(CONTENT).hexdigest()
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "published" / "u.data"
    path.parent.mkdir()
    path.write_bytes(CONTENT)
    return path


@pytest.fixture
def archive(tmp_path, source):
    path = tmp_path / "published" / "set.zip"
    with zipfile.ZipFile(path, "w") as files:
        files.writestr("set/", "")
        files.write(source, "set/u.data")
    return path


def md5_of(path):
    return hashlib.md5(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("checksum", [{"md5": MD5}, {"sha256": SHA256}])
def test_a_file_with_the_checksum_is_written(tmp_path, source, checksum):
    target = fetch(source.as_uri(), tmp_path / "new" / "u.data", **checksum)
    assert target.read_bytes() == CONTENT


def test_a_target_with_the_checksum_is_not_downloaded_again(tmp_path, source):
    assert fetch("file:///nowhere", source, md5=MD5) == source


def test_another_checksum_is_refused_and_nothing_is_written(tmp_path, source):
    target = tmp_path / "u.data"
    with pytest.raises(DataError, match=f"must have the md5 0+, and has {MD5}; nothing was written"):
        fetch(source.as_uri(), target, md5="0" * 32)
    assert not target.exists()


def test_an_old_target_survives_a_wrong_download(tmp_path, source):
    target = tmp_path / "u.data"
    target.write_text("old")
    with pytest.raises(DataError, match="must have the sha256"):
        fetch(source.as_uri(), target, sha256="0" * 64)
    assert target.read_text() == "old"


@pytest.mark.parametrize("url", ["file:///nowhere/u.data", "http://127.0.0.1:9/u.data", "no address"])
def test_an_address_without_answer_is_an_error(tmp_path, url):
    with pytest.raises(DataError, match=r"cannot be downloaded .*; download it by hand, unpack it and give data_dir="):
        fetch(url, tmp_path / "u.data", md5=MD5)


@pytest.mark.parametrize("checksums", [{}, {"md5": MD5, "sha256": SHA256}])
def test_one_checksum_is_needed(tmp_path, source, checksums):
    with pytest.raises(DataError, match="fetch must be given md5= or sha256=, exactly one"):
        fetch(source.as_uri(), tmp_path / "u.data", **checksums)


def test_a_zip_becomes_a_folder(tmp_path, archive):
    (tmp_path / "set").mkdir()
    fetch_zip(archive.as_uri(), tmp_path / "set", md5=md5_of(archive))
    assert {path.name: path.read_bytes() for path in (tmp_path / "set").iterdir()} == {"u.data": CONTENT}


def test_a_wrong_zip_leaves_nothing(tmp_path, archive):
    with pytest.raises(DataError, match="must have the md5"):
        fetch_zip(archive.as_uri(), tmp_path / "set", md5="0" * 32)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["published"]


def test_a_folder_that_holds_something_is_kept(tmp_path, archive):
    with pytest.raises(DataError, match="must be absent or empty to download into, and holds files"):
        fetch_zip(archive.as_uri(), archive.parent, md5=md5_of(archive))
    assert archive.exists()

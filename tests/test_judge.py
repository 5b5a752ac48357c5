"""Sizes of what a teacher left in its folder."""

import gzip

import numpy as np

from kdrec.judge import folder_sizes


def test_floats_bytes_and_gzip_of_a_folder(tmp_path):
    np.savez(tmp_path / "arrays.npz", weights=np.ones((3, 4), np.float32), scale=np.float64(2.0), tokens=np.arange(9))
    (tmp_path / "teacher.json").write_text("{}" * 50)
    contents = [path.read_bytes() for path in tmp_path.iterdir()]
    assert folder_sizes(tmp_path) == {
        "parameters": 3 * 4 + 1,
        "bytes": sum(map(len, contents)),
        "gzip_bytes": sum(len(gzip.compress(content, mtime=0)) for content in contents),
    }


def test_what_is_not_there_has_no_size(tmp_path):
    unknown = {"parameters": None, "bytes": None, "gzip_bytes": None}
    assert folder_sizes(tmp_path) == folder_sizes(tmp_path / "nowhere") == unknown
    (tmp_path / "notes.txt").write_text("no arrays")
    assert folder_sizes(tmp_path)["parameters"] is None and folder_sizes(tmp_path)["bytes"] == 9

import json

import numpy as np
import pytest

from kdrec.data.features import Categorical, FeatureTable, Numeric, Title, tags_from_lists
from kdrec.data.interactions import Interactions
from kdrec.data.splits import Split, leave_last_out
from kdrec.errors import DataError


def log() -> Interactions:
    return Interactions(
        [0, 0, 0, 1],
        [0, 1, 2, 2],
        ["ann", "bö/b"],
        ["", "ä", "日本"],
        times=[1.5, 2, 3, 4],
        ratings=[1, 2, 3, 4],
        context={"day/part": Categorical([0, 1, -1, 0], ["a", "b"])},
        user_features=FeatureTable({"age": Numeric([1, 2])}),
        item_features=FeatureTable({"title": Title(["x", "", "z"]), "tags": tags_from_lists([["t"], [], ["s"]])}),
    )


def test_a_log_comes_back_equal_and_mapped(tmp_path):
    log().save(tmp_path / "log")
    again = Interactions.load(tmp_path / "log")
    assert again.fingerprint() == log().fingerprint()
    assert isinstance(again.users.base, np.memmap)
    assert again.item_ids.tolist() == ["", "ä", "日本"]
    assert list(again.item_features) == ["title", "tags"]
    assert again.weights is None


def test_a_split_comes_back_equal_with_one_vocabulary(tmp_path):
    split = leave_last_out(log())
    split.save(tmp_path / "split")
    again = Split.load(tmp_path / "split")
    assert again.fingerprint() == split.fingerprint()
    assert again.train.item_ids is again.test.item_ids
    assert (again.ordered, again.method, again.options) == (split.ordered, split.method, split.options)


def test_empty_parts_are_kept(tmp_path):
    split = leave_last_out(log(), n_valid=0)
    split.save(tmp_path / "split")
    assert len(Split.load(tmp_path / "split").valid) == 0


def test_nothing_is_pickled(tmp_path):
    log().save(tmp_path / "log")
    for path in (tmp_path / "log").glob("*.npy"):
        assert np.load(path, allow_pickle=False).dtype != object


def test_equal_content_gives_equal_bytes(tmp_path):
    for name in ("a", "b"):
        log().save(tmp_path / name)
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert all((tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes() for name in files)


def damage_cut(folder):
    path = folder / "000.npy"
    path.write_bytes(path.read_bytes()[:-3])


def damage_missing(folder):
    (folder / "001.npy").unlink()


def damage_meta(folder):
    (folder / "meta.json").write_text("{")


@pytest.mark.parametrize("damage", [damage_cut, damage_missing, damage_meta])
def test_a_damaged_folder_is_refused(tmp_path, damage):
    log().save(tmp_path / "log")
    damage(tmp_path / "log")
    with pytest.raises(DataError, match=r"must be a folder that save\(\) wrote, and is not whole"):
        Interactions.load(tmp_path / "log")


def test_another_content_or_schema_is_refused(tmp_path):
    log().save(tmp_path / "log")
    with pytest.raises(DataError, match="must hold split of schema 1, not interactions of schema 1"):
        Split.load(tmp_path / "log")
    meta = tmp_path / "log" / "meta.json"
    meta.write_text(json.dumps(json.loads(meta.read_text()) | {"schema": 2}))
    with pytest.raises(DataError, match="not interactions of schema 2; write it again"):
        Interactions.load(tmp_path / "log")

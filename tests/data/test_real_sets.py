"""The published counts, where KDREC_DATA names a folder that holds ml-100k/, ml-1m/, gowalla/ and citeulike-t/."""

import os
from pathlib import Path

import pytest

from kdrec.data import sets
from kdrec.data.splits import leave_last_out

HOME = os.environ.get("KDREC_DATA")


def folder(name):
    if not HOME or not Path(HOME, name).is_dir():
        pytest.skip(f"KDREC_DATA does not name a folder that holds {name}/")
    return Path(HOME, name)


def sizes(log):
    return log.n_users, log.n_items, len(log)


def test_ml_100k():
    log = sets.get("ml_100k")(folder("ml-100k"))
    assert sizes(log) == (943, 1682, 100_000)
    assert log.titles()[0] == "Toy Story (1995)"
    assert len(log.item_features["genres"].vocabulary) == 19
    split = leave_last_out(log)
    assert (len(split.test), split.options["users_left_in_train"]) == (943, 0)


def test_ml_1m():
    path = folder("ml-1m")
    log = sets.get("ml_1m")(path)
    if (path / "ratings.dat").is_file():
        assert sizes(log) == (6040, 3706, 1_000_209)
    else:  # rebuilt from public splits, which lack eleven films and 141 pairs of the published set
        assert sizes(log) == (6040, 3695, 1_000_068)
        assert int((log.ratings == 3).sum()) == 836_374
    assert len(log.item_features["genres"].vocabulary) == 18


def test_gowalla():
    split = sets.get("lightgcn")(folder("gowalla"))
    assert (split.train.n_users, split.train.n_items) == (29_858, 40_981)
    assert sum(map(len, (split.train, split.valid, split.test))) == 1_027_370
    assert len(split.test) == 217_242
    assert split.options["valid_taken_from_train"] == len(split.valid)


def test_citeulike():
    split = sets.get("citeulike")(folder("citeulike-t") / "td_loo_fullrank")
    assert (split.train.n_users, split.train.n_items) == (5219, 25_181)
    assert (len(split.train), len(split.valid), len(split.test)) == (115_142, 5219, 5219)
    tags = split.train.item_features["tags"]
    assert (len(tags.vocabulary), len(tags.indices)) == (51_896, 285_709)
    first = tags.vocabulary[tags.indices[tags.indptr[6] : tags.indptr[7]]]
    assert {"community-detection", "synchronization", "network_science"} <= set(first.tolist())

"""Options of a run become a split with the features that were named."""

import pandas as pd
import pytest

from kdrec.config import Config
from kdrec.data.sets import base, ml_100k
from kdrec.errors import DataError, UnknownNameError
from kdrec.load import load, source_of


@pytest.fixture
def files(tmp_path):
    rows = [f"u{user},{item},{10 * user + item}" for user in range(4) for item in range(user, user + 5)]
    (tmp_path / "log.csv").write_text("who,what,when\n" + "\n".join(rows) + "\n")
    items = [f"{item};Item {item};{'even' if item % 2 == 0 else 'odd'};a|b;{item}.5;1 {item}" for item in range(8)]
    (tmp_path / "items.csv").write_text("id;name;kind;tags;price;text\n" + "\n".join(items) + "\n")
    (tmp_path / "users.csv").write_text("id,age,size\n" + "".join(f"u{user},young,{user}\n" for user in range(4)))
    return tmp_path


def test_features_of_items_and_users_arrive(files):
    (files / "items.csv").write_text((files / "items.csv").read_text().replace(";", ","))
    config = Config(
        data=str(files / "log.csv"), user_column="who", item_column="what", time_column="when",
        item_features=str(files / "items.csv"), item_id_column="id", title_column="name", category_columns=("kind",),
        tag_columns=("tags",), numeric_columns=("price",), vector_column="text",
        user_features=str(files / "users.csv"), user_id_column="id", user_category_columns=("age",),
        user_numeric_columns=("size",),
    )  # fmt: skip
    split, counts = load(config)
    assert split.method == "leave_last_out" and len(split.train) == 12
    assert {name: feature.kind for name, feature in split.train.item_features.items()} == {
        "title": "title", "kind": "categorical", "tags": "tags", "price": "numeric", "vector": "vector",
    }  # fmt: skip
    assert list(split.train.user_features) == ["age", "size"]
    assert split.train.titles()[3] == "Item 3"
    assert [count.name for count in counts]
    assert set(source_of(config)) == {str(files / name) for name in ("log.csv", "items.csv", "users.csv")}


def test_feature_files_need_their_id_column(files):
    for kind in ("item", "user"):
        options = {f"{kind}_features": str(files / f"{kind}s.csv")}
        with pytest.raises(DataError, match=f"{kind}_features needs {kind}_id_column"):
            load(Config(data=str(files / "log.csv"), user_column="who", item_column="what", **options))


def test_unknown_data_and_split_say_which_exist(files):
    known = "citeulike, demo, lightgcn, ml_100k, ml_1m, ml_latest"
    with pytest.raises(UnknownNameError, match=f"one of {known}; 'nothing' is none"):
        load(Config(data="nothing"))
    config = Config(data=str(files / "log.csv"), user_column="who", item_column="what", split="half")
    with pytest.raises(UnknownNameError, match="split has no 'half'; it has auto, leave_last_out, by_time"):
        load(config)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"user_column": "nope"}, "user_column='nope' has no effect: demo is a data set by name, which knows its own"),
        ({"item_features": "absent.csv"}, "item_features='absent.csv' has no effect: demo is a data set by name"),
        ({"rating_column": "r"}, "rating_column='r' has no effect: demo is"),
        ({"context_columns": ("zzz",)}, r"context_columns=\('zzz',\) has no effect: demo is"),
        ({"delimiter": ";"}, "delimiter=';' has no effect: demo is"),
        ({"test": "test.csv"}, "test='test.csv' has no effect: demo is"),
        ({"lists": True}, "lists=True has no effect: demo is"),
        ({"data_dir": "here"}, "data_dir='here' has no effect: demo is made, not read; leave it out"),
        ({"data": "lightgcn", "download": True}, "download=True has no effect: lightgcn is not downloaded by kdrec"),
        ({"data": "lightgcn", "split": "by_time"}, "split='by_time' has no effect: data lightgcn come split"),
        ({"data": "lightgcn", "minimum_rating": 3.0}, "minimum_rating=3.0 has no effect: data lightgcn come split"),
        ({"data": "lightgcn", "min_user_items": 5}, "min_user_items=5 has no effect: data lightgcn come split"),
        ({"data": "lightgcn", "min_item_users": 5}, "min_item_users=5 has no effect: data lightgcn come split"),
    ],
)
def test_options_that_a_named_set_does_not_follow_are_refused(options, message):
    with pytest.raises(DataError, match=message):
        load(Config(**options))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"data_dir": "here"}, "data_dir='here' has no effect: data .*log.csv is no data set by name; leave it out"),
        ({"download": True}, "download=True has no effect: data .*log.csv is no data set by name"),
        ({"title_column": "name"}, "title_column='name' has no effect: the file item_features is not given"),
        ({"item_id_column": "id"}, "item_id_column='id' has no effect: the file item_features is not given"),
        ({"vector_column": "v"}, "vector_column='v' has no effect: the file item_features is not given"),
        ({"user_id_column": "id"}, "user_id_column='id' has no effect: the file user_features is not given"),
        ({"valid": "valid.csv"}, "valid='valid.csv' has no effect: the test pairs are not given; give them by test"),
        ({"test": "test.csv", "split": "by_time"}, "split='by_time' has no effect: data .*log.csv come split"),
        ({"test": "test.csv", "min_user_items": 5}, "min_user_items=5 has no effect: data .*log.csv come split"),
        ({"lists": True}, "user_column='who' has no effect: lists have no columns"),
    ],
)
def test_options_that_a_file_does_not_follow_are_refused(files, options, message):
    with pytest.raises(DataError, match=message):
        load(Config(**{"data": str(files / "log.csv"), "user_column": "who", "item_column": "what"} | options))


def test_the_delimiter_reaches_the_feature_files(files):
    (files / "log.csv").write_text((files / "log.csv").read_text().replace(",", ";"))
    items = {"item_features": str(files / "items.csv"), "item_id_column": "id"}
    log = {"data": str(files / "log.csv"), "user_column": "who", "item_column": "what", "delimiter": ";"}
    assert load(Config(**log, **items, title_column="name"))[0].train.titles()[2] == "Item 2"
    frame = pd.DataFrame({"id": range(8), "name": [f"Film {item}" for item in range(8)]})
    frame.to_parquet(files / "items.parquet")
    items["item_features"] = str(files / "items.parquet")
    assert load(Config(**log, **items, title_column="name"))[0].train.titles()[2] == "Film 2"


@pytest.fixture
def parts(tmp_path):
    rows = {"train": ["a,1,1", "a,2,2", "b,2,1", "b,3,3", "b,3,4"], "valid": ["a,3,5"], "test": ["a,4,9", "b,1,9"]}
    for name, lines in rows.items():
        (tmp_path / f"{name}.csv").write_text("user,item,t\n" + "\n".join(lines) + "\n")
    return {name: str(tmp_path / f"{name}.csv") for name in rows}


def test_a_split_of_the_users_own(parts):
    """`b,3` is in train twice and counts once."""
    config = Config(data=parts["train"], valid=parts["valid"], test=parts["test"], time_column="t")
    split, counts = load(config)
    assert (split.method, split.ordered, counts) == ("given", True, [])
    assert [len(part) for part in (split.train, split.valid, split.test)] == [4, 1, 2]
    assert split.options["repeated_pairs_left_out"] == 1
    assert split.train.item_ids.tolist() == [1, 2, 3, 4]
    assert set(source_of(config)) == set(parts.values())
    split, _ = load(Config(data=parts["train"], test=parts["test"]))
    assert (split.ordered, len(split.valid), len(split.test)) == (False, 0, 2)


def test_pairs_that_are_in_two_parts_are_refused(parts):
    with pytest.raises(DataError, match="train and test must have no pair in common, and share 5"):
        load(Config(data=parts["train"], test=parts["train"]))


def test_lists_are_read(tmp_path):
    (tmp_path / "train.txt").write_text("0 5 3 4\n1 5 4\n")
    (tmp_path / "test.txt").write_text("0 6\n1 3\n")
    split, _ = load(Config(data=str(tmp_path / "train.txt"), test=str(tmp_path / "test.txt"), lists=True))
    assert split.train.item_ids.tolist() == [3, 4, 5, 6]
    assert (len(split.train), len(split.test), split.ordered) == (5, 2, False)
    assert len(load(Config(data=str(tmp_path / "train.txt"), lists=True, min_user_items=2))[0].train) == 5


def test_a_set_is_downloaded_when_asked(monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(base, "fetch_zip", lambda url, folder, md5: asked.append((url, folder)))
    for download in (False, True):
        with pytest.raises(DataError, match="has no u.data, u.item, u.user"):
            load(Config(data="ml-100k", data_dir=str(tmp_path), download=download))
    assert asked == [(ml_100k.SOURCE[0], tmp_path)]

"""Options of a run become a split with the features that were named."""

import pytest

from kdrec.config import Config
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
    with pytest.raises(UnknownNameError, match="one of demo, lightgcn, ml_100k, ml_1m, ml_latest; 'nothing' is none"):
        load(Config(data="nothing"))
    config = Config(data=str(files / "log.csv"), user_column="who", item_column="what", split="half")
    with pytest.raises(UnknownNameError, match="split has no 'half'; it has auto, leave_last_out, by_time"):
        load(config)

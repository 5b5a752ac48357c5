import hashlib
import zipfile

import pytest

from kdrec.data import sets
from kdrec.data.filters import minimum_rating
from kdrec.data.sets import base, ml_100k
from kdrec.errors import DataError, UnknownNameError


def write(folder, files, encoding="utf-8"):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content.encode(encoding))
    return folder


def film_row(number, title, *genres):
    flags = "|".join(str(int(genre in genres)) for genre in ml_100k.GENRES)
    return f"{number}|{title}|01-Jan-1995||http://x|{flags}\n"


ML_100K = {
    "u.data": "9\t20\t5\t881250949\n7\t3\t2\t881250000\n9\t3\t4\t881250001\n",
    "u.item": film_row(3, 'Amélie "x', "Comedy", "Drama") + film_row(20, "Heat (1995)") + film_row(21, "Gone", "War"),
    "u.user": "7|24|M|writer|85711\n9|53|F|other|T8H1N\n",
}
ML_1M = {
    "movies.dat": "3::Amélie: a (2001)::Comedy|Drama\n20::Heat (1995)::Crime\n",
    "users.dat": "7::F::1::10::48067\n9::M::56::16::70072\n",
}
LATEST = {
    "ratings.csv": "userId,movieId,rating,timestamp\n9,20,4.5,5\n7,3,2.0,7\n",
    "movies.csv": 'movieId,title,genres\n3,"Heat, The",Crime|Drama\n20,Gone,(no genres listed)\n',
}


def test_names_are_the_files():
    assert {"citeulike", "demo", "lightgcn", "ml_100k", "ml_1m", "ml_latest"} <= set(sets.names())
    assert sets.get("ml-100k") is ml_100k.ml_100k
    with pytest.raises(UnknownNameError, match="sets has no 'netflix'; it has citeulike, demo, lightgcn"):
        sets.get("netflix")


def test_ml_100k(tmp_path):
    log = sets.get("ml-100k")(write(tmp_path / "s", ML_100K, "latin-1"))
    assert (log.user_ids.tolist(), log.item_ids.tolist(), log.titles()) == (
        [7, 9],
        [3, 20],
        ['Amélie "x', "Heat (1995)"],
    )
    assert (log.users.tolist(), log.items.tolist(), log.ratings.tolist()) == ([0, 1, 1], [0, 0, 1], [2, 4, 5])
    assert log.times.tolist() == [881250000, 881250001, 881250949]
    genres = log.item_features["genres"]
    assert (genres.vocabulary.tolist(), genres.dense().tolist()) == (["Comedy", "Drama"], [[1, 1], [0, 0]])
    assert log.user_features["age"].values.tolist() == [24, 53]
    assert log.user_features["gender"].vocabulary[log.user_features["gender"].codes].tolist() == ["M", "F"]
    assert log.user_features["occupation"].vocabulary.tolist() == ["other", "writer"]


def test_ml_1m_as_published(tmp_path):
    ratings = "9::20::5::978300760\n7::3::2::978302109\n"
    log = sets.get("ml-1m")(write(tmp_path / "s", ML_1M | {"ratings.dat": ratings}, "latin-1"))
    assert (log.times.tolist(), log.ratings.tolist()) == ([978302109, 978300760], [2, 5])
    assert log.titles() == ["Amélie: a (2001)", "Heat (1995)"]
    assert log.item_features["genres"].dense().tolist() == [[1, 0, 1], [0, 1, 0]]
    assert list(log.user_features) == ["gender", "age", "occupation"]


def test_ml_1m_without_exact_ratings(tmp_path):
    rows = "user_id\tmovie_id\tge3\teq5\n9\t20\t1\t-1\n7\t3\t0\t0\n"
    log = sets.get("ml-1m")(write(tmp_path / "s", ML_1M | {"interactions.tsv": rows}, "latin-1"))
    assert (log.times, log.ratings.tolist()) == (None, [1, 3])
    assert minimum_rating(log, 3)[0].item_ids.tolist() == [20]


def test_ml_latest(tmp_path):
    log = sets.get("ml-latest")(write(tmp_path / "s", LATEST))
    assert (log.titles(), log.times.tolist(), log.ratings.tolist()) == (["Heat, The", "Gone"], [7, 5], [2, 4.5])
    assert log.item_features["genres"].dense().tolist() == [[1, 1], [0, 0]]


LISTS = {"train.txt": "0 0 1 2\n1 2 3\n2 0\n", "test.txt": "0 3\n1 0\n"}


def items_of(log, user):
    return log.item_ids[log.items[log.users == log.user_ids.tolist().index(user)]].tolist()


def test_lightgcn_without_valid(tmp_path):
    split = sets.get("lightgcn")(write(tmp_path / "s", LISTS))
    assert (len(split.train), len(split.valid), len(split.test)) == (6, 0, 2)
    assert (split.ordered, split.method) == (False, "given")
    assert items_of(split.train, 0) == [0, 1, 2]


def test_lightgcn_valid_is_taken_out_of_train(tmp_path):
    split = sets.get("lightgcn")(write(tmp_path / "s", LISTS | {"valid_other.txt": "0 2 4\n1 3\n"}))
    assert split.options == {"valid_taken_from_train": 2}
    assert (items_of(split.train, 0), items_of(split.train, 1), items_of(split.valid, 0)) == ([0, 1], [2], [2, 4])
    assert items_of(split.test, 0) == [3]


@pytest.mark.parametrize(
    "maps",
    [
        {
            "item_list.txt": "org_id remap_id\n50 0\n40 1\n30 2\n20 3\n",
            "user_list.txt": "org_id remap_id\n9 0\n8 1\n7 2\n",
        },
        {
            "item_map.tsv": "item\tmovie_id\tcertain\n0\t50\t1\n1\t40\t1\n2\t30\t0\n3\t20\t1\n",
            "user_map.tsv": "user\tuser_id\n0\t9\n1\t8\n2\t7\n",
        },
    ],
    ids=["lightgcn", "lightgcnpp"],
)
def test_lightgcn_original_ids(tmp_path, maps):
    split = sets.get("lightgcn")(write(tmp_path / "s", LISTS | maps))
    assert (split.train.item_ids.tolist(), split.train.user_ids.tolist()) == ([20, 30, 40, 50], [7, 8, 9])
    assert (items_of(split.train, 9), items_of(split.test, 9), items_of(split.train, 7)) == ([50, 40, 30], [20], [50])


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            {"valid_a.txt": "0 2\n", "valid_b.txt": "0 2\n"},
            "must have one valid.*txt at most, and has valid_a.txt, valid_b",
        ),
        ({"item_list.txt": "org_id remap_id\n50 0\n"}, "item_list.txt has no row for 1; map every id, or move it away"),
        ({"item_list.txt": "a b\n50 0\n"}, "must have two columns, one of them named remap_id, user, item, not a, b"),
        (
            {"test.txt": "0 1\n"},
            "train and test must have no pair in common, and share 1, for example user 0 with item 1",
        ),
    ],
)
def test_wrong_lightgcn_folders_are_refused(tmp_path, files, message):
    with pytest.raises(DataError, match=message):
        sets.get("lightgcn")(write(tmp_path / "s", LISTS | files))


TOPOLOGY = {
    "train.tsv": "user\titem\n0\t2\n0\t1\n1\t0\n",
    "valid.tsv": "user\titem\n0\t3\n1\t1\n",
    "test.tsv": "user\titem\n0\t0\n1\t4\n",
    "item_map.tsv": "item\traw_item_row\n0\t7\n1\t5\n2\t1\n3\t0\n4\t2\n",
}
CITEULIKE_TAGS = {"tags.dat": "web\nunused\ncells\nart\n", "tag-item.dat": "3 1 7 9\n1 3\n2 5 1\n1 99\n"}


@pytest.mark.parametrize("place", ["s", "raw"])
def test_citeulike(tmp_path, place):
    folder = write(tmp_path / "s", TOPOLOGY)
    write(tmp_path / place, CITEULIKE_TAGS)
    split = sets.get("citeulike")(folder)
    assert (split.method, split.ordered, split.options) == ("given", False, {"valid_masked": True})
    assert (items_of(split.train, 0), items_of(split.valid, 0), items_of(split.test, 0)) == ([2, 1], [3], [0])
    assert split.masked_source("test").items.tolist() == [2, 1, 3, 0, 1]
    tags = split.test.item_features["tags"]
    assert tags.vocabulary.tolist() == ["web"]  # of rows 3, 9 and 99 there is no item, "cells" is user 0's alone
    assert tags.dense().tolist() == [[1], [0], [1], [0], [0]]


@pytest.mark.parametrize("lacking", ["item_map.tsv", "tags.dat", "tag-item.dat"])
def test_citeulike_without_all_files_of_tags_has_none(tmp_path, lacking):
    files = {name: content for name, content in (TOPOLOGY | CITEULIKE_TAGS).items() if name != lacking}
    assert sets.get("citeulike")(write(tmp_path / "s", files)).train.item_features is None


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"tags.dat": "web\n"}, "tag-item.dat must have a line for each of the 1 tags, not 4; repair it"),
        ({"tag-item.dat": "3 1 7 9\n1 3\n3 5 1\n1 99\n"}, "must have lines `count row row …`, and line 3 has not"),
        ({"tag-item.dat": "3 1 7 9\n\n2 5 1\n1 99\n"}, "must have lines `count row row …`, and line 2 has not"),
        ({"item_map.tsv": "row\titem\n7\t0\n"}, "must have two columns, item and its row, not row, item"),
        ({"item_map.tsv": "item\trow\n0\tseven\n"}, "item_map.tsv must hold whole numbers; repair it, or move it away"),
    ],
)
def test_damaged_citeulike_tags_are_refused(tmp_path, files, message):
    with pytest.raises(DataError, match=message):
        sets.get("citeulike")(write(tmp_path / "s", TOPOLOGY | CITEULIKE_TAGS | files))


@pytest.mark.parametrize("name", ["citeulike", "lightgcn", "ml_100k", "ml_1m", "ml_latest"])
def test_a_folder_is_needed(name):
    with pytest.raises(DataError, match=f"data_dir must be given for {name}: a folder with "):
        sets.get(name)()


@pytest.mark.parametrize(
    ("name", "files", "message"),
    [
        ("ml_100k", {"u.data": ""}, r"has no u.item, u.user; ml_100k is a folder with u.data, u.item and u.user"),
        ("ml_1m", ML_1M, r"has no ratings.dat or interactions.tsv; ml_1m is a folder with ratings.dat"),
        ("ml_latest", {}, r"has no ratings.csv, movies.csv; ml_latest is a folder with ratings.csv and movies.csv"),
        (
            "citeulike",
            {"train.tsv": "user\titem\n"},
            r"has no valid.tsv, test.tsv; citeulike is a folder with train.tsv",
        ),
        ("lightgcn", {"train.txt": "0 1\n"}, r"has no test.txt; lightgcn is a folder with train.txt and test.txt"),
    ],
)
def test_missing_files_are_named_with_the_layout(tmp_path, name, files, message):
    with pytest.raises(DataError, match=message):
        sets.get(name)(write(tmp_path / "s", files))


def test_download_fills_the_folder(tmp_path, monkeypatch):
    folder = write(tmp_path / "published", ML_100K, "latin-1")
    archive = tmp_path / "ml-100k.zip"
    with zipfile.ZipFile(archive, "w") as files:
        for path in folder.iterdir():
            files.write(path, f"ml-100k/{path.name}")
    monkeypatch.setattr(ml_100k, "SOURCE", (archive.as_uri(), hashlib.md5(archive.read_bytes()).hexdigest()))
    assert len(ml_100k.ml_100k(tmp_path / "mine", download=True)) == 3
    archive.unlink()
    assert len(ml_100k.ml_100k(tmp_path / "mine", download=True)) == 3  # nothing to download any more


def test_nothing_is_downloaded_unasked(tmp_path, monkeypatch):
    monkeypatch.setattr(base, "fetch_zip", lambda *_, **__: pytest.fail("downloaded"))
    with pytest.raises(DataError, match="has no u.data"):
        ml_100k.ml_100k(tmp_path / "mine")

import numpy as np
import pandas as pd
import pytest

from kdrec.data.feature_tables import features_from_frame, read_features
from kdrec.errors import DataError

IDS = np.array([3, 5, 7, 9])
CSV = (
    'id,name,kind,genres,price,vec\n7,Tent,big,out|night,9,1 2\n3,Pan,small,,5,"3,4"\n8,Cup,small,in,1,5 6\n5,,,out,,\n'
)


def table(tmp_path, **kinds):
    (tmp_path / "items.csv").write_text(CSV)
    return read_features(tmp_path / "items.csv", IDS, "id", **kinds)


def test_every_kind_follows_the_ids_and_fills_what_is_absent(tmp_path):
    features = table(tmp_path, title="name", category=["kind"], tags=["genres"], numeric=["price"], vector="vec")
    assert list(features) == ["title", "kind", "genres", "price", "vector"]
    assert features["title"].values.tolist() == ["Pan", "5", "Tent", "9"]
    assert features["kind"].vocabulary.tolist() == ["big", "small"]
    assert features["kind"].codes.tolist() == [1, -1, 0, -1]
    assert features["genres"].vocabulary.tolist() == ["night", "out"]
    assert features["genres"].dense().tolist() == [[0, 0], [0, 1], [1, 1], [0, 0]]
    assert features["price"].values.tolist() == [5, 7, 9, 7]  # 7 is the mean of 5 and 9
    assert features["vector"].values.tolist() == [[3, 4], [0, 0], [1, 2], [0, 0]]


def test_vector_of_several_columns():
    frame = pd.DataFrame({"id": [5, 3], "a": [1.0, 2.0], "b": [3.0, 4.0]})
    features = features_from_frame(frame, [3, 5, 7], "id", vector=["a", "b"])
    assert features["vector"].values.tolist() == [[2, 4], [1, 3], [0, 0]]


def test_parquet_lists_are_vectors(tmp_path):
    pd.DataFrame({"id": ["a", "b"], "e": [[1.0, 2.0], [3.0, 4.0]]}).to_parquet(tmp_path / "items.parquet")
    features = read_features(tmp_path / "items.parquet", ["b", "c", "a"], "id", vector="e")
    assert features["vector"].values.tolist() == [[3, 4], [0, 0], [1, 2]]


def test_other_tag_separator():
    frame = pd.DataFrame({"id": [1], "t": ["a; b;"]})
    assert features_from_frame(frame, [1], "id", tags=["t"], tag_separator=";")["t"].vocabulary.tolist() == ["a", "b"]


@pytest.mark.parametrize(
    ("kinds", "message"),
    [
        ({"title": "nam"}, "a feature='nam' is not a column of .*items.csv; it has id, name, kind, genres, price, vec"),
        ({"numeric": ["name"]}, "numeric column 'name' of .* must hold finite numbers, and has Pan; repair it"),
        ({"vector": "name"}, "vector='name' of .* must hold finite vectors of one width, not .*; repair it"),
        ({}, r"must be named; give title=, category=, tags=, numeric= or vector="),
    ],
)
def test_wrong_columns_are_refused(tmp_path, kinds, message):
    with pytest.raises(DataError, match=message):
        table(tmp_path, **kinds)


def test_vectors_of_two_widths_are_refused():
    frame = pd.DataFrame({"id": [1, 2], "v": ["1 2", "1"]})
    with pytest.raises(DataError, match=r"of one width, not widths \[1, 2\]"):
        features_from_frame(frame, [1, 2], "id", vector="v")


def test_repeated_id_is_refused():
    frame = pd.DataFrame({"id": [1, 1], "t": ["a", "b"]})
    with pytest.raises(DataError, match="id_column='id' of the frame has '1' twice; give one row an id"):
        features_from_frame(frame, [1], "id", title="t")


def test_a_table_of_other_ids_is_refused():
    frame = pd.DataFrame({"id": ["x1"], "t": ["a"]})
    with pytest.raises(DataError, match="has none of the 2 ids; it holds 'x1' where the log has '1'"):
        features_from_frame(frame, [1, 2], "id", title="t")


def test_missing_id_column_is_refused(tmp_path):
    (tmp_path / "items.csv").write_text(CSV)
    with pytest.raises(DataError, match="id_column='key' is not a column of .*items.csv"):
        read_features(tmp_path / "items.csv", IDS, "key", title="name")

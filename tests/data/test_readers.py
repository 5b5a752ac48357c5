import gzip

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kdrec.data.readers import read_list_files, read_lists, read_table, read_tables
from kdrec.errors import DataError

ROWS = [("bob", 7, 50), ("ann", 3, 40), ("bob", 10, 30)]


def text(delimiter: str, header: bool = True) -> str:
    lines = [["user", "item", "time"]] * header + [list(map(str, row)) for row in ROWS]
    return "".join(delimiter.join(line) + "\n" for line in lines)


def write(path, content, encoding="utf-8"):
    path.write_bytes(content.encode(encoding))
    return path


def check_rows(log):
    """Every format gives the same log."""
    assert (log.user_ids.tolist(), log.item_ids.tolist(), log.item_ids.dtype) == (["ann", "bob"], [3, 7, 10], np.int64)
    assert (log.users.tolist(), log.items.tolist(), log.times.tolist()) == ([0, 1, 1], [0, 2, 1], [40, 30, 50])


@pytest.mark.parametrize(("name", "delimiter"), [("log.csv", ","), ("log.tsv", "\t"), ("LOG.CSV", ",")])
def test_text_by_extension(tmp_path, name, delimiter):
    check_rows(read_table(write(tmp_path / name, text(delimiter)), time_column="time"))


@pytest.mark.parametrize("delimiter", ["|", ";", "::", " ", "\t"])
def test_text_by_delimiter(tmp_path, delimiter):
    path = write(tmp_path / "log.dat", text(delimiter))
    check_rows(read_table(path, time_column="time", delimiter=delimiter))


@pytest.mark.parametrize("delimiter", [",", "::"])
def test_text_without_a_header(tmp_path, delimiter):
    path = write(tmp_path / "log.dat", text(delimiter, header=False))
    check_rows(read_table(path, "a", "b", "c", delimiter=delimiter, columns=["a", "b", "c"]))


@pytest.mark.parametrize("delimiter", [",", "::"])
@pytest.mark.parametrize("chunk_rows", [1, 2, 3, 4])
def test_chunks_do_not_change_the_log(tmp_path, delimiter, chunk_rows):
    path = write(tmp_path / "log.csv", text(delimiter))
    check_rows(read_table(path, time_column="time", delimiter=delimiter, chunk_rows=chunk_rows))


def test_compressed_text(tmp_path):
    path = tmp_path / "log.csv.gz"
    path.write_bytes(gzip.compress(text(",").encode()))
    check_rows(read_table(path, time_column="time"))


@pytest.mark.parametrize("chunk_rows", [1, 2, 100])
def test_parquet_file_and_folder(tmp_path, chunk_rows):
    frame = pd.DataFrame(ROWS, columns=["user", "item", "time"])
    frame.to_parquet(tmp_path / "log.parquet")
    check_rows(read_table(tmp_path / "log.parquet", time_column="time", chunk_rows=chunk_rows))
    (tmp_path / "parts" / "b").mkdir(parents=True)
    frame[:1].to_parquet(tmp_path / "parts" / "a.parquet")
    frame[1:].to_parquet(tmp_path / "parts" / "b" / "b.parquet")
    check_rows(read_table(tmp_path / "parts", time_column="time", chunk_rows=chunk_rows))


def test_parquet_text_stays_text(tmp_path):
    pq.write_table(pa.table({"user": ["1", "2"], "item": pa.array(["5", "5"]).dictionary_encode()}), tmp_path / "l.pq")
    log = read_table(tmp_path / "l.pq")
    assert (log.user_ids.tolist(), log.item_ids.tolist()) == (["1", "2"], ["5"])


def test_ids_that_look_like_absent_values_are_ids(tmp_path):
    path = write(tmp_path / "log.csv", "user,item\nNA,null\n007,None\n")
    log = read_table(path)
    assert (log.user_ids.tolist(), log.item_ids.tolist()) == (["007", "NA"], ["None", "null"])


def test_columns_by_name_with_ratings_weights_and_context(tmp_path):
    path = write(tmp_path / "log.csv", 'u,i,r,w,part,extra\n1,"a,b",3.5,2,day,x\n2,c,1,1,,y\n')
    log = read_table(path, "u", "i", rating_column="r", weight_column="w", context_columns=["part"])
    assert (log.item_ids.tolist(), log.ratings.tolist(), log.weights.tolist()) == (["a,b", "c"], [3.5, 1], [2, 1])
    assert log.context["part"].codes.tolist() == [0, -1]


@pytest.mark.parametrize("names", [("user_id", "item_id"), ("userId", "movieId"), ("UID", "IID")])
def test_usual_names_are_found(tmp_path, names):
    log = read_table(write(tmp_path / "log.csv", f"x,{names[0]},{names[1]}\n9,1,2\n"))
    assert (log.user_ids.tolist(), log.item_ids.tolist()) == ([1], [2])


def test_iso_dates(tmp_path):
    path = write(tmp_path / "log.csv", "user,item,time\n1,1,1970-01-02\n1,2,1970-01-01T00:00:01Z\n")
    assert read_table(path, time_column="time").times.tolist() == [1, 86_400]


def test_byte_order_mark_is_not_part_of_a_name(tmp_path):
    path = write(tmp_path / "log.csv", text(","), encoding="utf-8-sig")
    check_rows(read_table(path, time_column="time"))


def test_latin_1(tmp_path):
    path = write(tmp_path / "log.csv", "user,item\né,1\n", encoding="latin-1")
    assert read_table(path, encoding="latin-1").user_ids.tolist() == ["é"]


def test_files_read_together_share_vocabularies(tmp_path):
    first = write(tmp_path / "train.csv", "user,item\n1,5\n2,6\n")
    second = write(tmp_path / "test.csv", "item,user\n4,2\n")
    train, test = read_tables([first, second])
    assert train.item_ids.tolist() == test.item_ids.tolist() == [4, 5, 6]
    assert (train.items.tolist(), test.items.tolist(), test.users.tolist()) == ([1, 2], [0], [1])


@pytest.mark.parametrize(
    ("name", "content", "options", "message"),
    [
        ("l.csv", "a,b\n1,2\n", {"user_column": "u"}, r"user_column='u' is not a column of .*l.csv; it has a, b"),
        ("l.csv", "a,item\n1,2\n", {}, r"user_column must be given for .*l.csv; its columns are a, item"),
        ("l.csv", "user,b\n1,2\n", {}, r"item_column must be given for .*l.csv; its columns are user, b"),
        ("l.csv", "user,item\n1,2\n", {"time_column": "t"}, "time_column='t' is not a column of .*; it has user, item"),
        ("l.csv", "user,item\n1,2\n", {"context_columns": ["c"]}, "context_columns='c' is not a column"),
        ("l.csv", "", {}, "l.csv is empty; give a file that holds rows"),
        ("l.csv", "\n\n", {}, "l.csv is empty; give a file that holds rows"),
        ("l.csv", "user,item\n", {}, "l.csv has a header and no rows"),
        (
            "l.csv",
            "user,item\n1,2\n,3\n",
            {},
            "column 'user' of .*l.csv must have a value in every row; row 2 has none",
        ),
        ("l.csv", "user,item\n1,2\n4\n", {}, "column 'item' of .*l.csv must have a value in every row; row 2 has none"),
        ("l.csv", "user,item\n1,2,3,4\n1,2\n", {}, "l.csv cannot be read"),
        ("l.csv", "user,item\n1,2\n1,2,3\n", {}, "l.csv cannot be read .*Expected 2 fields in line 3, saw 3"),
        ("l.csv", 'user,item\n1,"2\n', {}, "l.csv cannot be read .*; check that it is whole and its format"),
        ("l.dat", "user,item\n1,2\n", {}, r"l.dat has none of the extensions .csv, .tsv, .*; give delimiter="),
        ("l.pq", "no parquet", {}, "l.pq cannot be read"),
        ("l.csv.gz", "no gzip", {}, "l.csv.gz cannot be read"),
        ("l.csv", "user,item,t\n1,2,\n", {"time_column": "t"}, "time column 't' of .*; row 1 has nan: repair or drop"),
        ("l.csv", "user,item,t\n1,2,3\n1,2,-3\n", {"time_column": "t"}, "none absent or negative; row 2 has -3"),
        ("l.csv", "user,item,r\n1,2,good\n", {"rating_column": "r"}, "column 'r' of .* must be finite numbers; row 1"),
        ("l.csv", "user,item,w\n1,2,1\n2,2,0\n", {"weight_column": "w"}, "finite positive numbers; row 2 has 0"),
        ("l.csv", "user,item,w\n1,2,NaN\n", {"weight_column": "w"}, "finite positive numbers; row 1 has nan"),
        ("l.csv", "1,2,3\n", {"columns": ["user", "item"]}, r"columns names 2 columns \(user, item\) and .* has 3"),
    ],
)
def test_wrong_files_are_refused(tmp_path, name, content, options, message):
    path = write(tmp_path / name, content)
    with pytest.raises(DataError, match=message):
        read_table(path, **options)


def test_seconds_and_dates_may_not_mix_between_chunks(tmp_path):
    path = write(tmp_path / "log.csv", "user,item,t\n1,2,3\n1,2,1970-01-01\n")
    with pytest.raises(DataError, match="either seconds or dates, and mixes numbers with dates from row 2 on"):
        read_table(path, time_column="t", chunk_rows=1)


@pytest.mark.parametrize("delimiter", [None, "::"])
def test_another_encoding_is_refused(tmp_path, delimiter):
    path = write(tmp_path / "log.csv", text(delimiter or ",") + (delimiter or ",").join("éé1"), encoding="latin-1")
    with pytest.raises(DataError, match="cannot be read in its encoding .*; give encoding=, for example 'latin-1'"):
        read_table(path, delimiter=delimiter)


def test_absent_file_and_empty_folder_are_refused(tmp_path):
    with pytest.raises(DataError, match="no.csv does not exist; give the path"):
        read_table(tmp_path / "no.csv")
    with pytest.raises(DataError, match="is a folder without .parquet files"):
        read_table(tmp_path)


def test_damaged_parquet_is_refused(tmp_path):
    path = tmp_path / "log.parquet"
    pd.DataFrame(ROWS, columns=["user", "item", "time"]).to_parquet(path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match="log.parquet cannot be read"):
        read_table(path)


def test_float_ids_are_refused(tmp_path):
    pd.DataFrame({"user": [1.0, 2.0], "item": [1, 2]}).to_parquet(tmp_path / "log.parquet")
    with pytest.raises(DataError, match="column 'user' of .*log.parquet must be integers or strings, not 1.0"):
        read_table(tmp_path / "log.parquet")


def test_lists_keep_the_order_of_each_line(tmp_path):
    log = read_lists(write(tmp_path / "train.txt", "5 30 7 20\n2\n\n4 7 \n"))
    assert (log.user_ids.tolist(), log.item_ids.tolist()) == ([4, 5], [7, 20, 30])
    assert (log.users.tolist(), log.items.tolist()) == ([0, 1, 1, 1], [0, 2, 0, 1])


def test_lists_of_strings_with_a_delimiter(tmp_path):
    log = read_lists(write(tmp_path / "l.txt", "new york,b,a\n"), delimiter=",")
    assert (log.user_ids.tolist(), log.item_ids[log.items].tolist()) == (["new york"], ["b", "a"])


def test_list_files_share_vocabularies(tmp_path):
    paths = [write(tmp_path / "train.txt", "0 1\n"), write(tmp_path / "test.txt", "1 0\n0 2\n")]
    train, test = read_list_files(paths)
    assert (train.items.tolist(), test.items.tolist()) == ([1], [2, 0])
    assert train.item_ids.tolist() == test.item_ids.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("content", "message"), [(b"", "is empty"), (b"1\n2\n", "has no line `user item item"), (b"1 \xff\n", "encoding")]
)
def test_wrong_lists_are_refused(tmp_path, content, message):
    path = tmp_path / "train.txt"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_lists(path)

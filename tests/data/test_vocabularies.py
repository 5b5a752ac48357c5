import numpy as np
import pandas as pd
import pytest

from kdrec.data.vocabularies import VocabularyBuilder, vocabulary
from kdrec.errors import DataError


def built(*chunks, text=False, optional=False):
    builder = VocabularyBuilder("item", text=text, optional=optional)
    codes = [builder.add(pd.Series(chunk)) for chunk in chunks]
    ids, position = builder.finish()
    return ids, [position[chunk].tolist() for chunk in codes]


def test_integers_stay_integers_in_ascending_order():
    ids, positions = built([30, 4], [4, 100])
    assert (ids.dtype, ids.tolist(), positions) == (np.int64, [4, 30, 100], [[1, 0], [0, 2]])


def test_strings_are_sorted_across_chunks():
    ids, positions = built(["b", "c"], ["a", "b"])
    assert (ids.tolist(), positions) == (["a", "b", "c"], [[1, 2], [0, 1]])


@pytest.mark.parametrize(
    ("texts", "expected"),
    [(["10", "9"], [9, 10]), (["-1", "0"], [-1, 0]), (["007", "9"], ["007", "9"]), (["9", "x"], ["9", "x"])],
)
def test_text_of_a_file_is_an_integer_only_when_every_value_is(texts, expected):
    assert built(texts, text=True)[0].tolist() == expected


def test_text_of_a_frame_stays_text():
    assert built(["10", "9"])[0].tolist() == ["10", "9"]


def test_absent_optional_values_are_unknown():
    assert built(["b", None, "", "a"], optional=True)[1] == [[1, -1, -1, 0]]


def test_absent_id_names_its_row():
    builder = VocabularyBuilder("item")
    with pytest.raises(DataError, match=r"column 'item' of log.csv must have a value in every row; row 12 has none"):
        builder.add(pd.Series(["a", None]), "log.csv", first_row=11)


@pytest.mark.parametrize("wrong", [1.5, True])
def test_other_types_are_refused(wrong):
    with pytest.raises(DataError, match="must be integers or strings, not .*; convert the column first"):
        built([wrong])


def test_a_mixture_is_refused():
    with pytest.raises(DataError, match="must be all integers or all strings, and it mixes 3 with 'x'"):
        built(pd.Series([3, "x"], dtype=object))


def test_integers_beyond_64_bits_are_refused():
    with pytest.raises(DataError, match="beyond 64 bits; convert the column to strings"):
        vocabulary([2**70])


def test_vocabulary_repeats_are_refused():
    with pytest.raises(DataError, match="item_ids must be distinct; 'a' occurs twice"):
        vocabulary(["a", "b", "a"], "item_ids")


def test_vocabulary_is_read_only_and_kept():
    ids = vocabulary(["a", "b"])
    with pytest.raises(ValueError, match="read-only"):
        ids[0] = "c"
    assert vocabulary(ids) is ids

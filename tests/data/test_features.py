import numpy as np
import pytest

from kdrec.data.features import Categorical, FeatureTable, Numeric, Tags, Title, Vector, tags_from_lists
from kdrec.errors import DataError

FEATURES = {
    "title": Title(["x", "y", "z"]),
    "category": Categorical([1, -1, 0], ["a", "b"]),
    "tags": tags_from_lists([["q", "p"], [], ["q"]]),
    "price": Numeric([1.0, 2.0, 3.0]),
    "vector": Vector([[1, 2], [3, 4], [5, 6]]),
}


@pytest.mark.parametrize("name", FEATURES)
@pytest.mark.parametrize("rows", [[2, 0, 0, 1], [False, True, True]], ids=["positions", "mask"])
def test_take_is_indexing(name, rows):
    feature = FEATURES[name]
    taken = feature.take(np.array(rows))

    def row(some, i):
        return some.dense()[i].tolist() if some.kind == "tags" else next(iter(some.arrays().values()))[i].tolist()

    def plain(some):
        if some.kind == "title":
            return some.values.tolist()
        return [row(some, i) for i in range(len(some))]

    expected = np.arange(3)[np.array(rows)]
    assert plain(taken) == [plain(feature)[i] for i in expected]


@pytest.mark.parametrize("name", FEATURES)
def test_arrays_make_it_again_and_cannot_be_written(name):
    feature = FEATURES[name]
    again = type(feature)(**feature.arrays())
    for part, array in feature.arrays().items():
        assert np.array_equal(again.arrays()[part], array)
        assert not array.flags.writeable


def test_tokens_leave_zero_for_unknown():
    category = FEATURES["category"]
    assert (category.tokens.tolist(), category.n_tokens, category.tokens.dtype) == ([2, 0, 1], 3, np.int32)


def test_tags_are_multi_hot_over_a_sorted_vocabulary():
    tags = FEATURES["tags"]
    assert tags.vocabulary.tolist() == ["p", "q"]
    assert tags.dense().tolist() == [[1, 1], [0, 0], [0, 1]]


def test_a_tag_named_twice_counts_once():
    assert tags_from_lists([["a", "a"]]).indices.tolist() == [0]


def test_table_is_a_mapping_of_equal_rows():
    table = FeatureTable(FEATURES)
    assert (table.rows, len(table), list(table)) == (3, 5, list(FEATURES))
    assert table.take([1]).rows == 1
    assert table.describe() == (
        "title (title), category (2 categories), tags (2 tags), price (numeric), vector (vector of 2)"
    )


def test_table_of_different_rows_is_refused():
    with pytest.raises(DataError, match=r"equally many rows, not \{'a': 1, 'b': 2\}"):
        FeatureTable({"a": Numeric([1]), "b": Numeric([1, 2])})


def test_empty_table_is_refused():
    with pytest.raises(DataError, match="features must be at least one"):
        FeatureTable({})


def test_codes_outside_the_vocabulary_are_refused():
    with pytest.raises(DataError, match="codes must be one row of -1 to 1, not 0 to 2; they index the vocabulary"):
        Categorical([0, 2], ["a", "b"])


def test_broken_indptr_is_refused():
    with pytest.raises(DataError, match="indptr must rise from 0 to the number of indices"):
        Tags([0, 2, 1], [0], ["a"])


@pytest.mark.parametrize(
    ("make", "found"),
    [
        (lambda: Numeric([1.0, np.nan]), "NaN or infinity"),
        (lambda: Vector([[np.inf]]), "NaN or infinity"),
        (lambda: Vector([1.0]), "1 dimensions"),
    ],
)
def test_numbers_that_are_not_finite_are_refused(make, found):
    with pytest.raises(DataError, match=f"must be finite in . dimension.*not {found}"):
        make()

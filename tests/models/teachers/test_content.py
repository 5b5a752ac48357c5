"""Features of items in EASE: the rows that they become, the regression, and its memory-saving solution."""

import numpy as np
import pytest

from kdrec.data.features import Categorical, FeatureTable, Numeric, Tags, Title, Vector
from kdrec.data.interactions import Interactions
from kdrec.errors import DataError
from kdrec.models.content import item_content
from kdrec.models.teachers import ease as ease_module
from kdrec.models.teachers.ease import ease

USERS, ITEMS = 30, 6
TAGS = Tags([0, 2, 3, 3, 4, 5, 6], [0, 1, 0, 1, 2, 0], ["a", "b", "c"])  # ab, a, none, b, c, a
KINDS = Categorical([0, 0, 1, -1, 1, 0], ["x", "y"])
VECTORS = Vector(np.random.default_rng(1).normal(size=(ITEMS, 4)) + 5.0)


def log(features=None):
    taken = np.random.default_rng(0).random((USERS, ITEMS)) < 0.4
    who, what = np.nonzero(taken)
    made = Interactions(who, what, np.arange(USERS), np.arange(ITEMS))
    return made if features is None else made.with_features(items=FeatureTable(features))


def slow_words(table):
    """tf-idf of a table of 0 and 1, row by row."""
    rows = np.zeros(table.shape)
    for item, row in enumerate(table):
        weights = [has * np.log(ITEMS / table[:, word].sum()) for word, has in enumerate(row)]
        rows[item] = np.array(weights) / max(np.sqrt(sum(weight**2 for weight in weights)), 1e-12)
    return rows


def slow_vectors(values):
    centred = values - values.mean(axis=0)
    return centred / np.sqrt((centred**2).sum(axis=1, keepdims=True))


CATEGORIES = np.array([[1, 0], [1, 0], [0, 1], [0, 0], [0, 1], [1, 0]], dtype=float)


def test_content_against_a_slow_oracle():
    words, vectors = item_content(FeatureTable({"tags": TAGS, "kind": KINDS, "look": VECTORS}), ITEMS)
    expected = np.hstack([slow_words(TAGS.dense()), slow_words(CATEGORIES)])
    np.testing.assert_allclose(words.toarray(), expected, rtol=1e-5)
    np.testing.assert_allclose(vectors, slow_vectors(VECTORS.values), rtol=1e-4)
    assert (words.dtype, vectors.dtype) == (np.float32, np.float32)


def test_titles_and_numbers_are_not_read():
    words, vectors = item_content(FeatureTable({"name": Title(list("abcdef")), "price": Numeric(range(ITEMS))}), ITEMS)
    assert words.shape == vectors.shape == (ITEMS, 0)


def test_a_vector_that_all_items_have_says_nothing():
    _, vectors = item_content(FeatureTable({"look": Vector(np.ones((ITEMS, 2)))}), ITEMS)
    assert np.array_equal(vectors, np.zeros((ITEMS, 2)))


@pytest.mark.parametrize(
    "features", [{"tags": TAGS}, {"look": VECTORS}, {"tags": TAGS, "kind": KINDS, "look": VECTORS}]
)
def test_ease_with_content_is_a_regression_on_users_and_features(features):
    made = log(features)
    taken = np.zeros((USERS, ITEMS))
    taken[made.users, made.items] = 1.0
    parts = {"tags": slow_words(TAGS.dense()), "kind": slow_words(CATEGORIES), "look": slow_vectors(VECTORS.values)}
    stacked = np.vstack([taken, *(np.sqrt(7.0) * parts[name].T for name in features)])
    expected = np.zeros((ITEMS, ITEMS))
    for item in range(ITEMS):
        others = [other for other in range(ITEMS) if other != item]
        x = stacked[:, others]
        expected[others, item] = np.linalg.solve(x.T @ x + 3.0 * np.eye(ITEMS - 1), x.T @ stacked[:, item])
    np.testing.assert_allclose(ease(made, l2=3.0, content_weight=7.0).weights, expected, atol=1e-5)


def test_ease_recommends_an_item_that_nobody_took_by_its_tags():
    made = Interactions([0, 0, 1], [0, 1, 0], [1, 2], [10, 11, 12, 13]).with_features(
        items=FeatureTable({"tags": Tags([0, 1, 2, 3, 4], [0, 1, 0, 1], ["a", "b"])})
    )
    history = {"history": np.array([[1]])}
    scores = ease(made, l2=1.0, content_weight=5.0)(history)[0]
    assert scores[2] > 0 and scores[3] < 0.1 * scores[2]
    assert ease(made, l2=1.0)(history)[0, 2] == 0


def test_content_weight_0_does_without():
    assert np.array_equal(ease(log({"tags": TAGS})).weights, ease(log()).weights)


def test_content_weight_needs_features():
    for made in (log(), log({"price": Numeric(range(ITEMS))})):
        with pytest.raises(
            DataError, match=r"content_weight=2.0 needs tags, categories or vectors of items, and these"
        ):
            ease(made, content_weight=2.0)
    with pytest.raises(DataError, match="content_weight must be at least 0, not -1.0; 0 does without features"):
        ease(log({"tags": TAGS}), content_weight=-1.0)


@pytest.mark.parametrize(("double_items", "error"), [(ITEMS, 0.0), (ITEMS - 1, 1e-5)])
def test_ease_in_blocks_and_in_float32_is_the_same(monkeypatch, double_items, error):
    made = log({"tags": TAGS, "look": VECTORS})
    expected = ease(made, l2=1.0, content_weight=2.0).weights
    monkeypatch.setattr(ease_module, "DOUBLE_ITEMS", double_items)
    monkeypatch.setattr(ease_module, "BLOCK", 4)  # does not divide the items
    got = ease(made, l2=1.0, content_weight=2.0).weights
    assert got.dtype == np.float32 and got.flags.c_contiguous
    assert 0 < np.abs(got - expected).max() < error if error else np.allclose(got, expected, rtol=1e-6, atol=1e-9)


def test_ease_refuses_a_gram_matrix_without_inverse():
    made = Interactions([0, 0], [0, 1], [1], [10, 11])
    with pytest.raises(DataError, match="l2=1e-20 is too small for these pairs, the Gram matrix cannot be inverted"):
        ease(made, l2=1e-20)

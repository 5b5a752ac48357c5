"""What is known of items, as rows of unit length: the dot product of two says how alike they are."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from kdrec.data.features import FeatureTable


class Content(NamedTuple):
    """The features of every item.

    Args:
        words: (items, words) sparse float32: tags and categories, each feature's row of length 1 or, without any, 0.
        vectors: (items, width) float32: dense vectors, likewise.
    """

    words: sparse.csr_matrix
    vectors: np.ndarray


def item_content(table: FeatureTable | None, n_items: int) -> Content:
    """Tags and categories by tf-idf, log(items / items that have it), and dense vectors less their mean.

    Titles and numbers are not read.

    >>> from kdrec.data.features import Tags
    >>> tags = Tags([0, 1, 2, 4], [0, 0, 0, 1], ["common", "rare"])
    >>> item_content(FeatureTable({"tags": tags}), 3).words.toarray().tolist()  # what all have says nothing
    [[0.0, 0.0], [0.0, 0.0], [0.0, 1.0]]
    """
    words: list[Any] = [sparse.csr_matrix((n_items, 0), dtype=np.float32)]
    vectors = [np.zeros((n_items, 0), dtype=np.float32)]
    for feature in (table or {}).values():
        if feature.kind in WORDS:
            words.append(weighed(WORDS[feature.kind](feature)))
        elif feature.kind == "vector":
            centred = feature.arrays()["values"] - feature.arrays()["values"].mean(axis=0)
            vectors.append(centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-9))
    return Content(sparse.hstack(words, format="csr", dtype=np.float32), np.concatenate(vectors, axis=1))


def weighed(counts: sparse.csr_matrix) -> sparse.csr_matrix:
    """Rows of 0 and 1 by tf-idf, each divided by its length."""
    items = counts.shape[0]
    frequency = np.maximum(np.asarray(counts.sum(axis=0)).ravel(), 1.0)
    rows = counts @ sparse.diags(np.log(items / frequency))
    length = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)).ravel())
    return sparse.diags(1.0 / np.where(length > 0, length, 1.0)) @ rows


def _tags(feature: Any) -> sparse.csr_matrix:
    ones = np.ones(len(feature.indices), dtype=np.float64)
    return sparse.csr_matrix((ones, feature.indices, feature.indptr), shape=(len(feature), len(feature.vocabulary)))


def _categories(feature: Any) -> sparse.csr_matrix:
    rows = np.flatnonzero(feature.codes >= 0)
    shape = (len(feature), len(feature.vocabulary))
    return sparse.csr_matrix((np.ones(len(rows)), (rows, feature.codes[rows])), shape=shape)


WORDS: Mapping[str, Callable[[Any], sparse.csr_matrix]] = {"tags": _tags, "categorical": _categories}

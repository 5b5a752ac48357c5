"""Feature tables as arrays that a tower reads: tokens to embed, and numbers."""

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from kdrec.data.features import Feature, FeatureTable
from kdrec.errors import UnknownNameError

TITLE_TOKENS = 2_048  # words are hashed into so many, so that a new title needs no new table
TITLE_WORDS = 16


@dataclass(frozen=True, eq=False)
class TowerFeatures:
    """All features of the rows (items or users) that one tower embeds.

    Args:
        tokens: (rows, width) int32 into one table of n_tokens rows; 0 is padding.
        weights: (rows, width) float32, 1 / √(tokens of that feature), so that each feature speaks as loud.
        numbers: (rows, m) float32, standardised.
        n_tokens: rows of the table.
    """

    tokens: np.ndarray
    weights: np.ndarray
    numbers: np.ndarray
    n_tokens: int

    def arrays(self) -> dict[str, np.ndarray]:
        """What is saved."""
        return {"tokens": self.tokens, "weights": self.weights, "numbers": self.numbers}

    def with_unknown(self) -> "TowerFeatures":
        """The same with a row 0 of nothing, for who is unknown."""
        padded = {name: np.pad(array, [(1, 0), (0, 0)]) for name, array in self.arrays().items()}
        return TowerFeatures(**padded, n_tokens=self.n_tokens)


def tower_features(table: FeatureTable | None, rows: int) -> TowerFeatures:
    """Encode every feature of a table; None gives no tokens and no numbers.

    >>> from kdrec.data.features import Categorical, Numeric
    >>> table = FeatureTable({"kind": Categorical([1, -1], ["a", "b"]), "price": Numeric([1.0, 3.0])})
    >>> features = tower_features(table, 2)
    >>> features.tokens.tolist(), features.numbers.tolist()
    ([[2], [0]], [[-1.0], [1.0]])
    """
    bags: list[np.ndarray] = []
    numbers: list[np.ndarray] = []
    used = 1
    for name, feature in (table or {}).items():
        if feature.kind not in ENCODERS:
            raise UnknownNameError(f"feature {name!r} has kind {feature.kind!r}; a tower reads {', '.join(ENCODERS)}")
        bag, size, columns = ENCODERS[feature.kind](feature)
        bags.append(np.where(bag > 0, bag + used - 1, 0))
        numbers.append(columns)
        used += size
    nothing = np.zeros((rows, 0))
    weights = [(bag > 0) / np.sqrt(np.maximum((bag > 0).sum(axis=1, keepdims=True), 1)) for bag in bags]
    return TowerFeatures(
        np.concatenate([nothing, *bags], axis=1).astype(np.int32),
        np.concatenate([nothing, *weights], axis=1).astype(np.float32),
        np.concatenate([nothing, *numbers], axis=1).astype(np.float32),
        used,
    )


Encoded = tuple[np.ndarray, int, np.ndarray]  # tokens from 1, how many there are, numbers


def _title(feature: Any) -> Encoded:
    rows = [[1 + zlib.crc32(word.encode()) % TITLE_TOKENS for word in words(title)] for title in feature.values]
    return padded(rows), TITLE_TOKENS, _none(feature)


def _categorical(feature: Any) -> Encoded:
    return feature.tokens[:, None], len(feature.vocabulary), _none(feature)


def _tags(feature: Any) -> Encoded:
    rows = np.split(feature.indices + 1, feature.indptr[1:-1])
    return padded([row.tolist() for row in rows]), len(feature.vocabulary), _none(feature)


def _numeric(feature: Any) -> Encoded:
    return _none(feature), 0, standardised(feature.values[:, None])


def _vector(feature: Any) -> Encoded:
    # As a whole, so that its directions keep their proportions.
    centred = feature.values - feature.values.mean(axis=0)
    return _none(feature), 0, centred / max(float(centred.std()), 1e-6)


ENCODERS: Mapping[str, Any] = {
    "title": _title, "categorical": _categorical, "tags": _tags, "numeric": _numeric, "vector": _vector,
}  # fmt: skip


def words(title: str) -> list[str]:
    """The first words of a title, in lower case.

    >>> words("The Matrix (1999)")
    ['the', 'matrix', '1999']
    """
    return re.findall(r"\w+", title.lower())[:TITLE_WORDS]


def padded(rows: list[list[int]]) -> np.ndarray:
    """Lists of tokens as (rows, longest), 0 on the right."""
    table = np.zeros((len(rows), max((len(row) for row in rows), default=0)), dtype=np.int32)
    for number, row in enumerate(rows):
        table[number, : len(row)] = row
    return table


def standardised(columns: np.ndarray) -> np.ndarray:
    """Mean 0 and standard deviation 1 a column; a constant column becomes 0."""
    return (columns - columns.mean(axis=0)) / np.maximum(columns.std(axis=0), 1e-6)


def _none(feature: Feature) -> np.ndarray:
    return np.zeros((len(feature), 0))

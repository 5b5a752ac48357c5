"""What is known of users, items or events: titles, categories, tags, numbers and vectors, one row each."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import ClassVar, Self

import numpy as np
import pandas as pd

from kdrec.data.checks import check_codes, check_finite
from kdrec.data.vocabularies import read_only, vocabulary
from kdrec.errors import DataError


@dataclass(frozen=True, eq=False)
class Feature(ABC):
    """One feature of every row; each kind is a small final class below."""

    kind: ClassVar[str]

    @abstractmethod
    def __len__(self) -> int:
        """Rows."""

    @abstractmethod
    def take(self, rows: np.ndarray) -> Self:
        """The same feature for the given rows, in their order."""

    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays that the feature is made of; `type(feature)(**arrays)` makes it again."""
        return {part.name: getattr(self, part.name) for part in fields(self)}

    def describe(self) -> str:
        """A few words for a summary."""
        return self.kind

    def _set(self, **arrays: np.ndarray) -> None:
        for name, array in arrays.items():
            object.__setattr__(self, name, read_only(array))


@dataclass(frozen=True, eq=False)
class Title(Feature):
    """A readable name: values (rows,) str.

    >>> Title(["Classic Tent", "Bold Kettle"]).take([1]).values.tolist()
    ['Bold Kettle']
    """

    values: np.ndarray
    kind: ClassVar[str] = "title"

    def __post_init__(self) -> None:
        values = np.empty(len(self.values), dtype=object)
        values[:] = [str(value) for value in self.values]
        self._set(values=values)

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: np.ndarray) -> Self:
        return type(self)(self.values[np.asarray(rows)])


@dataclass(frozen=True, eq=False)
class Categorical(Feature):
    """One category a row: codes (rows,) int32 into vocabulary; −1 is unknown.

    >>> daypart = Categorical([1, -1], ["evening", "morning"])
    >>> daypart.tokens.tolist(), daypart.n_tokens
    ([2, 0], 3)
    """

    codes: np.ndarray
    vocabulary: np.ndarray
    kind: ClassVar[str] = "categorical"

    def __post_init__(self) -> None:
        self._set(
            codes=np.asarray(self.codes, dtype=np.int32),
            vocabulary=vocabulary(self.vocabulary, "vocabulary of a categorical feature"),
        )
        check_codes("codes", self.codes, -1, len(self.vocabulary))

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def tokens(self) -> np.ndarray:
        """codes + 1, (rows,) int32: what an embedding reads; 0 is unknown."""
        return self.codes + np.int32(1)

    @property
    def n_tokens(self) -> int:
        """Rows that an embedding of `tokens` needs."""
        return len(self.vocabulary) + 1

    def take(self, rows: np.ndarray) -> Self:
        return type(self)(self.codes[np.asarray(rows)], self.vocabulary)

    def describe(self) -> str:
        return f"{len(self.vocabulary):,} categories"


@dataclass(frozen=True, eq=False)
class Tags(Feature):
    """Any number of tags a row: those of row i are indices[indptr[i]:indptr[i+1]] into vocabulary.

    >>> genres = Tags([0, 2, 2], [0, 1], ["Comedy", "Drama"])
    >>> genres.dense().tolist()
    [[1.0, 1.0], [0.0, 0.0]]
    """

    indptr: np.ndarray
    indices: np.ndarray
    vocabulary: np.ndarray
    kind: ClassVar[str] = "tags"

    def __post_init__(self) -> None:
        self._set(
            indptr=np.asarray(self.indptr, dtype=np.int64),
            indices=np.asarray(self.indices, dtype=np.int32),
            vocabulary=vocabulary(self.vocabulary, "vocabulary of a tags feature"),
        )
        if self.indptr[0] != 0 or self.indptr[-1] != len(self.indices) or (np.diff(self.indptr) < 0).any():
            raise DataError("indptr must rise from 0 to the number of indices; build it with np.cumsum of the counts")
        check_codes("indices", self.indices, 0, len(self.vocabulary))

    def __len__(self) -> int:
        return len(self.indptr) - 1

    def dense(self) -> np.ndarray:
        """(rows, tags) float32 of 0 and 1."""
        table = np.zeros((len(self), len(self.vocabulary)), dtype=np.float32)
        table[np.repeat(np.arange(len(self)), np.diff(self.indptr)), self.indices] = 1.0
        return table

    def take(self, rows: np.ndarray) -> Self:
        rows = np.arange(len(self))[np.asarray(rows)]
        counts = np.diff(self.indptr)[rows]
        indptr = np.concatenate([[0], np.cumsum(counts)])
        at = np.arange(indptr[-1]) + np.repeat(self.indptr[rows] - indptr[:-1], counts)
        return type(self)(indptr, self.indices[at], self.vocabulary)

    def describe(self) -> str:
        return f"{len(self.vocabulary):,} tags"


@dataclass(frozen=True, eq=False)
class Numeric(Feature):
    """One finite number a row: values (rows,) float32."""

    values: np.ndarray
    kind: ClassVar[str] = "numeric"

    def __post_init__(self) -> None:
        self._set(values=np.asarray(self.values, dtype=np.float32))
        check_finite("values of a numeric feature", self.values, 1)

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: np.ndarray) -> Self:
        return type(self)(self.values[np.asarray(rows)])


@dataclass(frozen=True, eq=False)
class Vector(Feature):
    """One dense vector a row: values (rows, width) float32, finite."""

    values: np.ndarray
    kind: ClassVar[str] = "vector"

    def __post_init__(self) -> None:
        self._set(values=np.asarray(self.values, dtype=np.float32))
        check_finite("values of a vector feature", self.values, 2)

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: np.ndarray) -> Self:
        return type(self)(self.values[np.asarray(rows)])

    def describe(self) -> str:
        return f"vector of {self.values.shape[1]}"


KINDS: dict[str, type[Feature]] = {kind.kind: kind for kind in (Title, Categorical, Tags, Numeric, Vector)}


@dataclass(frozen=True, eq=False)
class FeatureTable(Mapping[str, Feature]):
    """Features by name, all of the same rows.

    >>> table = FeatureTable({"title": Title(["a", "b"]), "price": Numeric([1.0, 2.5])})
    >>> table.rows, list(table), table.take([1])["price"].values.tolist()
    (2, ['title', 'price'], [2.5])
    """

    features: Mapping[str, Feature] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "features", dict(self.features))
        sizes = {name: len(feature) for name, feature in self.features.items()}
        if len(set(sizes.values())) != 1:
            raise DataError(
                f"features must be at least one and have equally many rows, not {sizes}; give every row each"
            )

    @property
    def rows(self) -> int:
        """Rows of every feature."""
        return len(next(iter(self.features.values())))

    def __getitem__(self, name: str) -> Feature:
        return self.features[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.features)

    def __len__(self) -> int:
        return len(self.features)

    def take(self, rows: np.ndarray) -> "FeatureTable":
        """The given rows of every feature."""
        return FeatureTable({name: feature.take(rows) for name, feature in self.items()})

    def describe(self) -> str:
        """Names and kinds in one line."""
        return ", ".join(f"{name} ({feature.describe()})" for name, feature in self.items())


def tags_from_lists(lists: Iterable[Iterable[str]]) -> Tags:
    """Tags from one list of words a row; the vocabulary is sorted.

    >>> tags_from_lists([["b", "a"], []]).vocabulary.tolist()
    ['a', 'b']
    """
    rows = [list(dict.fromkeys(words)) for words in lists]
    known = sorted({word for words in rows for word in words})
    flat = [word for words in rows for word in words]
    indices = pd.Index(known, dtype=object).get_indexer(pd.Index(flat, dtype=object))
    return Tags(np.concatenate([[0], np.cumsum([len(words) for words in rows])]), indices, vocabulary(known))

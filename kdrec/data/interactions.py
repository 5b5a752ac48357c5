"""The interaction log: who took what, when, and what is known of both."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd

from kdrec.data import store
from kdrec.data.checks import check_codes, check_finite, check_sizes, check_times, check_weights
from kdrec.data.features import Categorical, FeatureTable
from kdrec.data.log_builder import LogBuilder, LogColumns
from kdrec.data.summary import summary
from kdrec.data.vocabularies import read_only, vocabulary
from kdrec.errors import DataError


@dataclass(frozen=True, eq=False, repr=False)
class Interactions:
    """(user, item) pairs, sorted by user and then time (pairs of one time keep the order of the log).

    Args:
        users: (pairs,) positions in `user_ids`.
        items: (pairs,) positions in `item_ids`.
        user_ids: distinct ids, all integers or all strings.
        item_ids: likewise.
        times: (pairs,) seconds since 1970, or None.
        ratings: (pairs,) finite, or None; only `minimum_rating` reads them.
        weights: (pairs,) positive, or None: how much a pair counts in training.
        context: what is known of each event, by name, (pairs,) categories each.
        user_features: one row a user, or None.
        item_features: one row an item, or None.

    Raises:
        DataError: arrays of different lengths, positions outside the vocabulary, NaN or negative times, …

    >>> log = Interactions([1, 0, 1], [0, 0, 1], ["ann", "bob"], [40, 50], times=[9, 5, 3])
    >>> log.users.tolist(), log.items.tolist(), log.indptr.tolist()
    ([0, 1, 1], [0, 1, 0], [0, 1, 3])
    """

    users: np.ndarray
    items: np.ndarray
    user_ids: np.ndarray
    item_ids: np.ndarray
    times: np.ndarray | None = None
    ratings: np.ndarray | None = None
    weights: np.ndarray | None = None
    context: Mapping[str, Categorical] = field(default_factory=dict)
    user_features: FeatureTable | None = None
    item_features: FeatureTable | None = None

    def __post_init__(self) -> None:
        pairs: dict[str, Any] = {
            "users": np.asarray(self.users),
            "items": np.asarray(self.items),
            "times": None if self.times is None else np.asarray(self.times),
            "ratings": None if self.ratings is None else np.asarray(self.ratings, dtype=np.float32),
            "weights": None if self.weights is None else np.asarray(self.weights, dtype=np.float32),
        }
        ids = {name: vocabulary(getattr(self, name), name) for name in ("user_ids", "item_ids")}
        check_sizes(**pairs, **{name: column.codes for name, column in self.context.items()})
        check_codes("users", pairs["users"], 0, len(ids["user_ids"]))
        check_codes("items", pairs["items"], 0, len(ids["item_ids"]))
        for name in ("users", "items"):
            pairs[name] = pairs[name].astype(np.int32, copy=False)
        if pairs["times"] is not None:
            check_times(pairs["times"])
            whole = pairs["times"].dtype.kind in "iu"
            pairs["times"] = pairs["times"].astype(np.int64 if whole else np.float64, copy=False)
        if pairs["ratings"] is not None:
            check_finite("ratings", pairs["ratings"], 1)
        if pairs["weights"] is not None:
            check_weights(pairs["weights"])
        for name, n in (("user", len(ids["user_ids"])), ("item", len(ids["item_ids"]))):
            table = getattr(self, f"{name}_features")
            if table is not None and table.rows != n:
                raise DataError(f"{name}_features must have one row for each of the {n} {name}_ids, not {table.rows}")
        order = order_of(pairs["users"], pairs["times"])
        context = dict(self.context)
        if order is not None:
            pairs = {name: None if array is None else array[order] for name, array in pairs.items()}
            context = {name: column.take(order) for name, column in context.items()}
        frozen = {name: None if array is None else read_only(array) for name, array in pairs.items()}
        for name, value in {**frozen, **ids, "context": context}.items():
            object.__setattr__(self, name, value)

    @classmethod
    def from_frame(
        cls,
        frame: pd.DataFrame,
        user_column: str | None = None,
        item_column: str | None = None,
        time_column: str | None = None,
        rating_column: str | None = None,
        weight_column: str | None = None,
        context_columns: Sequence[str] = (),
    ) -> Self:
        """Interactions from a pandas frame; ids and columns as in `kdrec.read_table`.

        >>> import pandas as pd
        >>> frame = pd.DataFrame({"user": ["bob", "ann"], "item": [7, 3], "when": ["2024-01-02", "2024-01-01"]})
        >>> log = Interactions.from_frame(frame, time_column="when")
        >>> log.user_ids.tolist(), log.item_ids[log.items].tolist(), log.times.tolist()
        (['ann', 'bob'], [3, 7], [1704067200, 1704153600])
        """
        columns = LogColumns(
            user_column, item_column, time_column, rating_column, weight_column, tuple(context_columns)
        ).found_in(list(frame.columns), "the frame")
        if len(frame) == 0:
            raise DataError("the frame has columns and no rows; give a frame that holds rows")
        builder = LogBuilder(columns)
        builder.add(frame, "the frame")
        return cls(**builder.fields())

    def __len__(self) -> int:
        return len(self.users)

    def __repr__(self) -> str:
        return f"<Interactions: {len(self):,} pairs of {self.n_users:,} users and {self.n_items:,} items>"

    def __str__(self) -> str:
        return self.summary()

    @property
    def n_users(self) -> int:
        """Users in the vocabulary, with or without a pair."""
        return len(self.user_ids)

    @property
    def n_items(self) -> int:
        """Items in the vocabulary, with or without a pair."""
        return len(self.item_ids)

    @cached_property
    def indptr(self) -> np.ndarray:
        """(n_users + 1,) int64: the pairs of user u are indptr[u] … indptr[u + 1] − 1."""
        counts = np.bincount(self.users, minlength=self.n_users)
        return read_only(np.concatenate([[0], np.cumsum(counts)]).astype(np.int64))

    def summary(self) -> str:
        """Users, items, pairs, density, pairs a user, time span and features, in a few lines."""
        return summary(self)

    def item_counts(self) -> np.ndarray:
        """Pairs of each item, (n_items,) int64."""
        return np.bincount(self.items, minlength=self.n_items)

    def pair_keys(self) -> pd.Index:
        """One number a pair, (pairs,) int64: equal for equal (user, item) of logs that share vocabularies."""
        return pd.Index(self.users.astype(np.int64) * self.n_items + self.items)

    def titles(self) -> list[str]:
        """A readable name of each item: its first title feature, else its id."""
        for feature in (self.item_features or {}).values():
            if feature.kind == "title":
                return feature.arrays()["values"].tolist()
        return [str(item) for item in self.item_ids.tolist()]

    def select(self, pairs: np.ndarray) -> Self:
        """The given pairs (a mask or positions), with the same vocabularies."""
        rows = np.asarray(pairs)
        context = {name: column.take(rows) for name, column in self.context.items()}
        arrays: dict[str, Any] = {
            name: getattr(self, name)[rows] for name in store.PAIRS if getattr(self, name) is not None
        }
        return replace(self, **arrays, context=context)

    def compact(self) -> Self:
        """The same pairs without the ids (and their features) that no pair has."""
        kept_users = np.flatnonzero(np.diff(self.indptr))
        kept_items = np.flatnonzero(self.item_counts())
        if len(kept_users) == self.n_users and len(kept_items) == self.n_items:
            return self
        return replace(
            self,
            users=np.searchsorted(kept_users, self.users),
            items=np.searchsorted(kept_items, self.items),
            user_ids=self.user_ids[kept_users],
            item_ids=self.item_ids[kept_items],
            user_features=self.user_features and self.user_features.take(kept_users),
            item_features=self.item_features and self.item_features.take(kept_items),
        )

    def with_features(self, users: FeatureTable | None = None, items: FeatureTable | None = None) -> Self:
        """The same pairs with feature tables; None keeps the table there is."""
        return replace(
            self,
            user_features=self.user_features if users is None else users,
            item_features=self.item_features if items is None else items,
        )

    def arrays(self) -> dict[str, np.ndarray]:
        """Every array by name, features' too: what is saved and what the fingerprint covers."""
        return {**store.pair_arrays(self), **store.shared_arrays(self)}

    def fingerprint(self) -> str:
        """sha256, in hex, of all content: equal logs, equal fingerprints."""
        return self._fingerprint

    @cached_property
    def _fingerprint(self) -> str:
        return store.digest(self.arrays())

    def save(self, folder: str | Path) -> None:
        """Write a folder of .npy files, whole or not at all; `load` maps it instead of reading it."""
        store.write(folder, "interactions", self.arrays(), {})

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """What `save` wrote; the pairs stay on disk and are read as they are used."""
        arrays, _ = store.read(folder, "interactions")
        return cls(**store.pair_fields(arrays), **store.shared_fields(arrays))


def order_of(users: np.ndarray, times: np.ndarray | None) -> np.ndarray | None:
    """The stable order by user, then time; None when the pairs have it already, so that mapped arrays stay on disk."""
    same = users[1:] == users[:-1]
    is_sorted = (users[1:] >= users[:-1]).all()
    if times is not None:
        is_sorted = is_sorted and (times[1:] >= times[:-1])[same].all()
    if is_sorted:
        return None
    return np.argsort(users, kind="stable") if times is None else np.lexsort((times, users))


def joined(first: Interactions, second: Interactions) -> Interactions:
    """The pairs of both, which share vocabularies; pairs of one time keep this order."""
    if len(second) == 0:
        return first
    context = {
        name: Categorical(np.concatenate([column.codes, second.context[name].codes]), column.vocabulary)
        for name, column in first.context.items()
    }
    arrays: dict[str, Any] = {
        name: np.concatenate([getattr(first, name), getattr(second, name)])
        for name in store.PAIRS
        if getattr(first, name) is not None
    }
    return replace(first, **arrays, context=context)

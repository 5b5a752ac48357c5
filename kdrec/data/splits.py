"""A log divided into train, valid and test, and the four ways to divide it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np

from kdrec.data import store
from kdrec.data.checks import check_shares
from kdrec.data.interactions import Interactions, joined
from kdrec.data.split_checks import check_apart, check_has_times, same_ids
from kdrec.errors import DataError, UnknownNameError
from kdrec.files import sha256_of

PARTS = ("train", "valid", "test")
TIMED = ("leave_last_out", "by_time")


@dataclass(frozen=True, eq=False)
class Split:
    """Three logs over the same vocabularies; no pair is in two of them.

    Held-out items that never occur in train stay in valid and test: no model can know them from train, and leaving
    them out would flatter every model alike.

    Args:
        train, valid, test: the parts; valid and test may be empty.
        ordered: whether a history is ordered by time, else it is a set.
        method: how it was made.
        options: the arguments of the method, and what it did.
        histories: what users are known by when they are judged, if that is not `train`; see `leave_users_out`.

    Raises:
        DataError: different vocabularies, an empty train, or a pair that is in two parts.
    """

    train: Interactions
    valid: Interactions
    test: Interactions
    ordered: bool
    method: str
    options: Mapping[str, Any] = field(default_factory=dict)
    histories: Interactions | None = None

    def __post_init__(self) -> None:
        if len(self.train) == 0:
            raise DataError("train must hold pairs, and it is empty; hold out less")
        for name in ("valid", "test"):
            part = getattr(self, name)
            for ids in ("user_ids", "item_ids"):
                if not same_ids(getattr(self.train, ids), getattr(part, ids)):
                    raise DataError(
                        f"{name} must have the {ids} of train, and has others; read the parts together (read_tables)"
                    )
        for first, second in (("train", "valid"), ("train", "test"), ("valid", "test")):
            check_apart(first, getattr(self, first), second, getattr(self, second))

    def part(self, name: str) -> Interactions:
        """The part of that name: train, valid or test."""
        if name not in PARTS:
            raise UnknownNameError(f"part has no {name!r}; it has {', '.join(PARTS)}")
        return getattr(self, name)

    def users(self, part: str) -> np.ndarray:
        """Positions of the users who have at least one pair in the part, ascending, int32."""
        return np.flatnonzero(np.diff(self.part(part).indptr)).astype(np.int32)

    def history_source(self, part: str) -> Interactions:
        """The pairs that are a user's history when judged on `part`.

        That is train; on test, of a split by time, what came before: train and valid.
        """
        if part not in ("valid", "test"):
            raise UnknownNameError(f"part to be judged has no {part!r}; it has valid, test")
        if part == "test" and self.method in TIMED:
            return self._before_test
        return self.train if self.histories is None else self.histories

    def masked_source(self, part: str) -> Interactions:
        """The pairs whose items are no candidates when their user is judged on `part`.

        They are the histories; on test also the validation items, where the split's protocol has it so (an option
        `valid_masked` of `given`).
        """
        source = self.history_source(part)
        return joined(source, self.valid) if part == "test" and self.options.get("valid_masked") else source

    @cached_property
    def _before_test(self) -> Interactions:
        return joined(self.train, self.valid)

    def fingerprint(self) -> str:
        """sha256, in hex, of the three parts and whether they are ordered."""
        prints = [self.part(name).fingerprint() for name in PARTS]
        prints += [] if self.histories is None else [self.histories.fingerprint()]
        return sha256_of(f"{prints} {self.ordered} {self.method}".encode())

    def __str__(self) -> str:
        parts = ", ".join(f"{name} {len(self.part(name)):,}" for name in PARTS)
        options = ", ".join(f"{name}={value}" for name, value in self.options.items())
        return f"{self.method}({options}): {parts} pairs; histories are {'ordered' if self.ordered else 'sets'}"

    def save(self, folder: str | Path) -> None:
        """Write a folder of .npy files, whole or not at all; vocabularies and features once."""
        arrays = store.shared_arrays(self.train)
        for name in PARTS:
            arrays |= {f"{name}:{key}": array for key, array in store.pair_arrays(self.part(name)).items()}
        if self.histories is not None:
            raise DataError("split must be saved before leave_users_out leaves users out; save that one, and leave out")
        store.write(
            folder, "split", arrays, {"ordered": self.ordered, "method": self.method, "options": dict(self.options)}
        )

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """What `save` wrote; the pairs stay on disk and are read as they are used."""
        arrays, meta = store.read(folder, "split")
        shared = store.shared_fields(arrays)
        train, valid, test = (
            Interactions(
                **shared,
                **store.pair_fields(
                    {key.removeprefix(f"{name}:"): array for key, array in arrays.items() if key.startswith(f"{name}:")}
                ),
            )
            for name in PARTS
        )
        return cls(train, valid, test, meta["ordered"], meta["method"], meta["options"])


def leave_last_out(interactions: Interactions, n_valid: int = 1, n_test: int = 1) -> Split:
    """Hold out each user's last pairs: the very last `n_test` for test, the `n_valid` before them for valid.

    A user with fewer than 1 + n_valid + n_test pairs stays in train whole; `options` says how many did.

    Args:
        interactions: a log with times.
        n_valid, n_test: pairs a user.

    Raises:
        DataError: no times, or a pair that occurs twice and so would be in two parts.

    >>> log = Interactions([0, 0, 0, 1], [0, 1, 2, 0], [10, 11], [20, 21, 22], times=[3, 1, 2, 1])
    >>> split = leave_last_out(log)
    >>> split.test.items.tolist(), split.valid.items.tolist(), split.train.items.tolist()
    ([0], [2], [1, 0])
    >>> print(split)
    leave_last_out(n_valid=1, n_test=1, users_left_in_train=1): train 2, valid 1, test 1 pairs; histories are ordered
    """
    check_has_times(interactions, "leave_last_out")
    if min(n_valid, n_test) < 0 or n_valid + n_test == 0:
        raise DataError(
            f"n_valid and n_test must be at least 0 and not both 0, not {n_valid} and {n_test}; hold out one"
        )
    counts = np.diff(interactions.indptr)
    few = counts < 1 + n_valid + n_test
    from_end = interactions.indptr[interactions.users + 1] - 1 - np.arange(len(interactions))
    part = np.where(from_end < n_test, 2, np.where(from_end < n_test + n_valid, 1, 0))
    part[few[interactions.users]] = 0
    left = int((few & (counts > 0)).sum())
    options = {"n_valid": n_valid, "n_test": n_test, "users_left_in_train": left}
    return divided(interactions, part, True, "leave_last_out", options)


def by_time(interactions: Interactions, valid: float = 0.1, test: float = 0.1) -> Split:
    """Hold out the last share of all pairs by time: train, then valid, then test; pairs of one time stay together.

    A user whose first pair is held out has an empty history.

    Args:
        interactions: a log with times.
        valid, test: shares of the pairs.

    Raises:
        DataError: no times, shares that leave nothing, or a pair that occurs twice.

    >>> log = Interactions([0, 1, 1, 2], [0, 1, 2, 2], [1, 2, 3], [4, 5, 6], times=[1, 2, 3, 4])
    >>> split = by_time(log, valid=0.25, test=0.25)
    >>> split.train.times.tolist(), split.valid.times.tolist(), split.test.times.tolist()
    ([1, 2], [3], [4])
    """
    times = check_has_times(interactions, "by_time")
    check_shares(valid, test)
    ascending = np.sort(times)
    n = len(ascending)
    part = np.zeros(n, dtype=np.int64)
    for number, share in ((1, valid + test), (2, test)):
        held_out = int(share * n + 1e-9)  # 1e-9: 0.29 · 100 is 28.999999999999996
        if held_out:
            part[times >= ascending[n - held_out]] = number
    return divided(interactions, part, True, "by_time", {"valid": valid, "test": test})


def random_per_user(interactions: Interactions, valid: float = 0.1, test: float = 0.2, seed: int = 0) -> Split:
    """Hold out a random share of each user's pairs, rounded down; histories are sets.

    Args:
        interactions: a log, with or without times.
        valid, test: shares of each user's pairs.
        seed: of the draw.

    Raises:
        DataError: shares that leave nothing, or a pair that occurs twice.
    """
    check_shares(valid, test)
    counts = np.diff(interactions.indptr)
    keys = np.random.default_rng(seed).random(len(interactions))
    order = np.lexsort((keys, interactions.users))
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order)) - interactions.indptr[interactions.users]
    n_test, n_valid = (np.floor(share * counts + 1e-9).astype(np.int64)[interactions.users] for share in (test, valid))
    part = np.where(rank < n_test, 2, np.where(rank < n_test + n_valid, 1, 0))
    return divided(interactions, part, False, "random_per_user", {"valid": valid, "test": test, "seed": seed})


def given(
    train: Interactions, valid: Interactions | None, test: Interactions, ordered: bool = False, **options
) -> Split:
    """A split that somebody else made; read the parts together so that they share vocabularies.

    Args:
        train, valid, test: the parts; valid may be None.
        ordered: whether a history is ordered by time.
        **options: kept in `Split.options`; `valid_masked=True` says that validation items are no candidates on test.

    Raises:
        DataError: different vocabularies, or a pair that is in two parts.
    """
    if ordered:
        check_has_times(train, "given(ordered=True)")
    nothing = train.select(np.zeros(len(train), dtype=bool))
    return Split(train, nothing if valid is None else valid, test, ordered, "given", options)


def divided(log: Interactions, part: np.ndarray, ordered: bool, method: str, options: dict[str, Any]) -> Split:
    """A split from the part, 0 … 2, of each pair."""
    train, valid, test = (log.select(part == number) for number in range(3))
    return Split(train, valid, test, ordered, method, options)

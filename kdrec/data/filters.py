"""What is left out of a log before it is split, each filter reported as counts."""

from dataclasses import dataclass

import numpy as np

from kdrec.data.interactions import Interactions
from kdrec.errors import DataError


@dataclass(frozen=True)
class Counts:
    """What a filter left: pairs, users and items before and after.

    >>> print(Counts("minimum_rating(4)", (9, 3, 5), (4, 2, 3)))
    minimum_rating(4): pairs 9 to 4, users 3 to 2, items 5 to 3
    """

    name: str
    before: tuple[int, int, int]
    after: tuple[int, int, int]

    def __str__(self) -> str:
        changes = zip(("pairs", "users", "items"), self.before, self.after, strict=True)
        return f"{self.name}: " + ", ".join(f"{what} {before:,} to {after:,}" for what, before, after in changes)


def minimum_rating(interactions: Interactions, minimum: float) -> tuple[Interactions, Counts]:
    """Keep the pairs rated at least `minimum`.

    Raises:
        DataError: the log has no ratings, or none is high enough.
    """
    if interactions.ratings is None:
        raise DataError(
            f"minimum_rating={minimum:g} needs ratings, and the log has none; name their column with rating_column="
        )
    return kept(interactions, interactions.ratings >= minimum, f"minimum_rating({minimum:g})")


_minimum_rating = minimum_rating  # `prepare` has an argument of that name


def deduplicate(interactions: Interactions) -> tuple[Interactions, Counts]:
    """Keep the first pair, by time, of each (user, item).

    Raises:
        DataError: the log is empty.
    """
    return kept(interactions, ~interactions.pair_keys().duplicated(), "deduplicate")


def k_core(interactions: Interactions, min_user_items: int = 5, min_item_users: int = 5) -> tuple[Interactions, Counts]:
    """The largest part of the log in which every user has so many pairs and every item too.

    Users and items below the minimum leave in turns until none is left below. Pairs are counted: deduplicate first.

    Args:
        interactions: the log.
        min_user_items: pairs that a user must have.
        min_item_users: pairs that an item must have.

    Raises:
        DataError: nothing is left.

    >>> log = Interactions([0, 0, 1, 1, 2], [0, 1, 0, 1, 2], [10, 11, 12], [20, 21, 22])
    >>> core, counts = k_core(log, min_user_items=2, min_item_users=2)
    >>> core.user_ids.tolist(), core.item_ids.tolist(), str(counts)
    ([10, 11], [20, 21], 'k_core(2, 2): pairs 5 to 4, users 3 to 2, items 3 to 2')
    """
    users, items = interactions.users, interactions.items
    mask = np.ones(len(users), dtype=bool)
    while True:
        user_counts = np.bincount(users[mask], minlength=interactions.n_users)
        item_counts = np.bincount(items[mask], minlength=interactions.n_items)
        stays = mask & (user_counts >= min_user_items)[users] & (item_counts >= min_item_users)[items]
        if stays.sum() == mask.sum():
            return kept(interactions, mask, f"k_core({min_user_items}, {min_item_users})")
        mask = stays


def prepare(
    interactions: Interactions,
    minimum_rating: float | None = None,
    min_user_items: int = 1,
    min_item_users: int = 1,
) -> tuple[Interactions, list[Counts]]:
    """The usual order: rating threshold (if one is given), deduplication, k-core.

    Args:
        interactions: the log.
        minimum_rating: pairs rated lower are left out; None keeps all.
        min_user_items, min_item_users: as of `k_core`.

    Returns:
        What is left, and one Counts a filter.

    Raises:
        DataError: a filter left nothing; the message names it and what there was before.

    >>> log = Interactions([0, 0, 1], [1, 1, 0], [10, 11], [20, 21], ratings=[5, 4, 2])
    >>> left, counts = prepare(log, minimum_rating=3)
    >>> [str(count) for count in counts][1]
    'deduplicate: pairs 2 to 1, users 1 to 1, items 1 to 1'
    """
    counts = []
    if minimum_rating is not None:
        interactions, count = _minimum_rating(interactions, minimum_rating)
        counts.append(count)
    interactions, count = deduplicate(interactions)
    counts.append(count)
    interactions, count = k_core(interactions, min_user_items, min_item_users)
    return interactions, [*counts, count]


def sizes(interactions: Interactions) -> tuple[int, int, int]:
    """Pairs, and the users and items that have one."""
    return (
        len(interactions),
        int(np.count_nonzero(np.diff(interactions.indptr))),
        int(np.count_nonzero(interactions.item_counts())),
    )


def kept(interactions: Interactions, mask: np.ndarray, name: str) -> tuple[Interactions, Counts]:
    """The pairs of the mask, without the ids that have none left, and the counts."""
    before = sizes(interactions)
    if not mask.any():
        raise DataError(
            f"{name} left no pair of {before[0]:,} pairs, {before[1]:,} users and {before[2]:,} items; "
            f"lower it or give a larger log"
        )
    left = interactions.select(mask).compact()
    return left, Counts(name, before, sizes(left))

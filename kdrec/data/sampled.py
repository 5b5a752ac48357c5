"""Histories of users who do not exist: a student asks the teacher about them, too, and so hears more than the log."""

from collections.abc import Sequence

import numpy as np

from kdrec.data.features import Categorical
from kdrec.data.interactions import Interactions
from kdrec.errors import DataError, UnknownNameError

KINDS = ("subset", "mixture", "walk")
LEAST_SHARE = 0.1  # of a user's items in a subset
TRIES = 3  # steps of a walk for each item that it looks for


def sampled_histories(
    train: Interactions, rows: int, *, kinds: Sequence[str] = KINDS, ordered: bool = False, seed: int = 0
) -> Interactions:
    """Synthetic users, named "sampled-000000" and so on: histories without a target, made of the items of `train`.

    - subset: a share of a user's items, uniform in (0.1, 1], at least one item;
    - mixture: items of two or three users, about as many as one of them has;
    - walk: from an item, drawn by √popularity, to a random item of a random user who has it, and on from there or from
      an item before; the length is some user's (shorter where the walk meets too few new items).

    No history holds an item twice. Kinds take turns, so that every part of the users holds all of them.

    Args:
        train: the pairs to sample from; its weights, ratings and contexts are not read.
        rows: how many histories.
        kinds: of `subset`, `mixture`, `walk`.
        ordered: histories keep the order of those they are made of, a mixture interleaves, a walk is as it went; times
            count items. Else histories are sets, without times.
        seed: equal seeds give equal histories.

    Returns:
        `rows` users with at least one item each, over the items of `train`.

    Raises:
        DataError: no row, or no pair to sample from.
        UnknownNameError: a kind that does not exist.

    >>> log = Interactions([0, 0, 0, 1, 1], [0, 1, 2, 3, 4], ["ann", "bob"], list("abcde"))
    >>> sampled = sampled_histories(log, 3, kinds=("subset", "walk"))
    >>> sampled.user_ids.tolist()
    ['sampled-000000', 'sampled-000001', 'sampled-000002']
    >>> sets = [set(sampled.items[sampled.users == user].tolist()) for user in range(3)]
    >>> [items <= {0, 1, 2} or items <= {3, 4} for items in sets]  # nobody has items of both: only a mixture would
    [True, True, True]
    """
    if rows < 1 or len(train) == 0:
        raise DataError(f"rows and the pairs of train must be at least 1, not {rows} and {len(train)}")
    for kind in kinds:
        if kind not in KINDS:
            raise UnknownNameError(f"kinds has no {kind!r}; it has {', '.join(KINDS)}")
    if not kinds:
        raise UnknownNameError(f"kinds must name one of {', '.join(KINDS)}, and is empty")
    rng = np.random.default_rng(seed)
    users, items = [], []
    for number, kind in enumerate(kinds[:rows]):
        mine = np.arange(number, rows, len(kinds))
        row, found = MAKERS[kind](train, len(mine), rng)
        users.append(mine[row])
        items.append(found)
    who, what = first_of_each(np.concatenate(users), np.concatenate(items), train.n_items)
    order = np.argsort(who, kind="stable")
    _, place = spread(np.bincount(who, minlength=rows))
    return Interactions(
        who[order],
        what[order],
        np.array([f"sampled-{row:06d}" for row in range(rows)], dtype=object),
        train.item_ids,
        times=place if ordered else None,
        item_features=train.item_features,
    )


def with_sampled(train: Interactions, sampled: Interactions) -> Interactions:
    """The pairs of both, the users of `train` first: position `train.n_users` is the first sampled user.

    Args:
        train: keeps its items, weights, times and contexts; user ids become text, user features and ratings are left
            out, for a sampled user has none.
        sampled: from `sampled_histories`; where `train` has them, a pair of it weighs 1, has time 0 if histories are
            sets, and an unknown context.

    Raises:
        DataError: other items.

    >>> log = Interactions([0, 0, 1], [0, 1, 2], ["ann", "bob"], list("abc"))
    >>> both = with_sampled(log, sampled_histories(log, 2))
    >>> both.user_ids.tolist()
    ['ann', 'bob', 'sampled-000000', 'sampled-000001']
    >>> (np.arange(both.n_users) >= log.n_users).tolist()  # who is unlabelled
    [False, False, True, True]
    """
    if not np.array_equal(train.item_ids, sampled.item_ids):
        raise DataError("sampled must have the item_ids of train, and has others; sample it from this train")
    count = len(sampled)
    times = np.zeros(count, dtype=np.int64) if sampled.times is None else sampled.times
    ids = np.array([*map(str, train.user_ids.tolist()), *map(str, sampled.user_ids.tolist())], dtype=object)
    context = {
        name: Categorical(np.append(column.codes, np.full(count, -1)), column.vocabulary)
        for name, column in train.context.items()
    }
    return Interactions(
        np.append(train.users, sampled.users + train.n_users),
        np.append(train.items, sampled.items),
        ids,
        train.item_ids,
        times=None if train.times is None else np.append(train.times, times),
        weights=None if train.weights is None else np.append(train.weights, np.ones(count)),
        context=context,
        item_features=train.item_features,
    )


def subset(train: Interactions, rows: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A share of a random user's items each, in their order: row, ascending, and item of each pair."""
    users = rng.choice(np.flatnonzero(np.diff(train.indptr)), rows)
    share = 1.0 - (1.0 - LEAST_SHARE) * rng.random(rows)  # in (0.1, 1]
    return drawn(train, users, share, rng)


def mixture(train: Interactions, rows: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Shares of two or three users' items each, shares of sum 1, at least an item of each user, in any interleaving."""
    users = np.flatnonzero(np.diff(train.indptr))
    many = np.minimum(rng.integers(2, 4, rows), len(users))
    row, place = spread(many)
    # The circle of users is cut somewhere, and each of as many equal stretches gives one: so they are distinct.
    stretch = (len(users) // many)[row]
    at = rng.integers(len(users), size=rows)[row] + place * stretch + rng.integers(stretch)
    who = users[at % len(users)]
    amount = rng.exponential(size=len(row))
    part, items = drawn(train, who, amount / np.bincount(row, amount)[row], rng)
    when = np.sort(part + rng.random(len(part))) - part  # a moment in [0, 1), ascending within a part
    order = np.argsort(row[part] + when)
    return row[part][order], items[order]


def walk(train: Interactions, rows: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Items that follow from each other: each is a random one of a random user who has the last item, or one before."""
    sizes, popularity = np.diff(train.indptr), train.item_counts()
    wanted = np.sort(rng.choice(sizes[sizes > 0], rows))[::-1]
    steps = TRIES * wanted  # descending, so that those who still walk come first
    starts = np.cumsum(steps) - steps
    takers = train.users[np.argsort(train.items, kind="stable")]  # by item
    first = np.cumsum(popularity) - popularity  # taker of each item
    chance = np.cumsum(popularity**0.5)
    met = np.empty(steps.sum(), dtype=np.int32)
    met[starts] = np.searchsorted(chance, rng.random(rows) * chance[-1], side="right")
    for step in range(1, steps[0]):
        here = starts[: np.searchsorted(-steps, -step)]
        back = np.where(rng.random(len(here)) < 0.5, step - 1, rng.integers(step, size=len(here)))
        item = met[here + back]
        user = takers[first[item] + rng.integers(popularity[item])]
        met[here + step] = train.items[train.indptr[user] + rng.integers(sizes[user])]
    row, items = first_of_each(np.repeat(np.arange(rows), steps), met, train.n_items)
    _, place = spread(np.bincount(row, minlength=rows))
    kept = place < wanted[row]
    return rng.permutation(rows)[row[kept]], items[kept]


MAKERS = {"subset": subset, "mixture": mixture, "walk": walk}


def drawn(
    train: Interactions, users: np.ndarray, share: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """A random share of the items of each of some users, at least one, in their order.

    Args:
        train: the pairs.
        users: (rows,) positions, each of a user with a pair.
        share: (rows,) in (0, 1].
        rng: draws.

    Returns:
        Row, ascending, and item of each pair.
    """
    counts = np.diff(train.indptr)[users]
    row, place = spread(counts)
    rank = np.empty_like(place)
    rank[np.argsort(row + rng.random(len(row)))] = place
    kept = rank < np.maximum(np.round(share * counts), 1)[row]
    return row[kept], train.items[train.indptr[users][row] + place][kept]


def spread(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Row and place in the row of each of so many entries a row.

    >>> [part.tolist() for part in spread(np.array([2, 0, 3]))]
    [[0, 0, 2, 2, 2], [0, 1, 0, 1, 2]]
    """
    row = np.repeat(np.arange(len(counts)), counts)
    return row, np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)


def first_of_each(rows: np.ndarray, items: np.ndarray, n_items: int) -> tuple[np.ndarray, np.ndarray]:
    """Pairs as they are, but only the first of equal ones.

    >>> [part.tolist() for part in first_of_each(np.array([0, 0, 0, 1]), np.array([4, 3, 4, 4]), 5)]
    [[0, 0, 1], [4, 3, 4]]
    """
    _, at = np.unique(rows * np.int64(n_items) + items, return_index=True)
    at.sort()
    return rows[at], items[at]

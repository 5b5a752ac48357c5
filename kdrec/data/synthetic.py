"""A generated log of a shop: long-tailed popularity, several tastes a user, tastes that drift, items that follow items.

Every user has a few categories of interest, which come and go, and a few styles. A session stays mostly in one
category. Within it the next item is drawn from the softmax of

    popularity + taste for the style + novelty + (it continues the previous item: the next kind, the same style).
"""

from dataclasses import dataclass

import numpy as np

from kdrec.data.features import Categorical, FeatureTable, Numeric, Title, tags_from_lists
from kdrec.data.interactions import Interactions
from kdrec.data.synthetic_words import CATEGORIES, STYLES
from kdrec.errors import DataError

DAY = 86_400
START = 1_672_531_200  # 2023-01-01
DAYS = 540
DAYPARTS = ("morning", "afternoon", "evening", "night")
AGES = ("18-25", "26-35", "36-50", "51-65", "66+")
INTERESTS = 3
FEWEST, MOST = 15, 60
STAY = 0.72  # chance that a new session stays in its category
TURN = 0.07  # chance that any event changes it
SESSIONS = 0.35  # chance that an event begins a session
WANDER = 0.08  # chance that a change of category leads anywhere


@dataclass(frozen=True)
class Catalogue:
    """What the generator knows of the items, (items,) each."""

    category: np.ndarray
    noun: np.ndarray
    style: np.ndarray
    popularity: np.ndarray
    release: np.ndarray
    price: np.ndarray


def catalogue(n_items: int, n_categories: int, rng: np.random.Generator) -> Catalogue:
    """Items of all categories, kinds and styles; popularity ∝ 1 / (rank + 8)^0.9, a third appears in time."""
    number = np.arange(n_items)
    category, within = number % n_categories, number // n_categories
    popularity = -0.9 * np.log(rng.permutation(n_items) + 8.0)
    late = rng.random(n_items) < 1 / 3
    release = np.where(late, rng.uniform(0, 0.9 * DAYS, n_items), 0.0)
    style = (within // 6 + within) % len(STYLES)
    price = np.round(np.exp(rng.normal(3.0 + 0.1 * style, 0.5)), 2)
    return Catalogue(category, within % 6, style, popularity, release, price)


def synthetic(users: int = 3000, items: int = 1200, seed: int = 0) -> Interactions:
    """Generate the log.

    Args:
        users: at least 2.
        items: at least 40.
        seed: of everything.

    Returns:
        Interactions with times, item titles, categories, tags and prices, users' age groups, and a `daypart` context.

    Raises:
        DataError: too few users or items.

    >>> log = synthetic(users=20, items=60)
    >>> log.item_ids[0], log.titles()[0]
    ('I0000', 'Classic Coffee Grinder')
    """
    if users < 2 or items < 40:
        raise DataError(f"users and items must be at least 2 and 40, not {users} and {items}; the demo needs a crowd")
    rng = np.random.default_rng(seed)
    n_categories = min(len(CATEGORIES), items // 10)
    goods = catalogue(items, n_categories, rng)
    age = rng.integers(len(AGES), size=users)
    who, what, days, daypart = events(goods, n_categories, age, rng)
    return Interactions(
        who,
        what,
        np.array([f"U{number:0{width(users)}}" for number in range(users)], dtype=object),
        np.array([f"I{number:0{width(items)}}" for number in range(items)], dtype=object),
        times=START + np.round(days * DAY).astype(np.int64),
        context={"daypart": Categorical(daypart, np.array(DAYPARTS, dtype=object))},
        user_features=FeatureTable({"age_group": Categorical(age, np.array(AGES, dtype=object))}),
        item_features=item_features(goods),
    )


def events(
    goods: Catalogue, n_categories: int, age: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """All users' events, one step of every user at a time.

    Returns:
        user, item, day (fractional) and part of the day, (events,) each.
    """
    users, items = len(age), len(goods.category)
    most = min(MOST, items // 3)
    wanted = np.clip(np.round(rng.lognormal(3.35, 0.4, users)), min(FEWEST, most), most).astype(int)
    interests, style_taste = tastes(n_categories, age, rng)
    shelf = shelves(goods.category, n_categories)
    best_part = rng.integers(len(DAYPARTS), size=n_categories)
    habit = rng.integers(len(DAYPARTS), size=users)

    taken = np.zeros((users, items), dtype=bool)
    day = rng.uniform(0, 0.6 * DAYS, users)
    part = habit.copy()
    current = np.zeros(users, dtype=int)
    previous = np.full(users, -1)
    log: list[tuple[np.ndarray, ...]] = []
    for step in range(most):
        new_session = (rng.random(users) < SESSIONS) | (step == 0)
        sessions_left = 1 + SESSIONS * np.maximum(wanted - step, 0)
        pause = rng.uniform(0, 2, users) * np.maximum(DAYS - day, 0) / sessions_left
        gap = np.where(new_session, pause, rng.uniform(0.002, 0.01, users))
        fresh = np.where(rng.random(users) < 0.6, habit, rng.integers(len(DAYPARTS), size=users))
        part = np.where(new_session, fresh, part)
        hour = (part + rng.uniform(0.1, 0.7, users)) / len(DAYPARTS)
        day = np.where(new_session, np.floor(day + gap) + 1 + hour, day + gap)

        moves = new_session & (rng.random(users) > STAY) | (rng.random(users) < TURN) | (step == 0)
        phase = step / wanted
        strength = np.exp(-(((phase[:, None] - np.linspace(0, 1, INTERESTS)) / 0.45) ** 2))  # (users, interests)
        strength = strength * np.where(best_part[interests] == part[:, None], 3.0, 1.0)
        chosen = interests[np.arange(users), pick(np.log(strength + 1e-9), rng)]
        chosen = np.where(rng.random(users) < WANDER, rng.integers(n_categories, size=users), chosen)
        current = np.where(moves, chosen, current)

        options = shelf[current]  # (users, widest)
        score = appeal(goods, options, current, previous, day, style_taste)
        possible = (options >= 0) & (goods.release[options] <= day[:, None])
        possible &= ~taken[np.arange(users)[:, None], options]
        item = options[np.arange(users), pick(np.where(possible, score, -np.inf), rng)]
        acts = (step < wanted) & possible.any(axis=1)
        who = np.flatnonzero(acts)
        taken[who, item[who]] = True
        previous = np.where(acts, item, previous)
        log.append((who, item[who], day[who], part[who]))
    who, what, when, parts = (np.concatenate(column) for column in zip(*log, strict=True))
    return who, what, when, parts


def shelves(category: np.ndarray, n_categories: int) -> np.ndarray:
    """The items of each category, (n_categories, most items of one), −1 for padding."""
    order = np.argsort(category, kind="stable")
    counts = np.bincount(category, minlength=n_categories)
    shelf = np.full((n_categories, counts.max()), -1)
    shelf[np.arange(counts.max()) < counts[:, None]] = order
    return shelf


def appeal(
    goods: Catalogue,
    options: np.ndarray,
    current: np.ndarray,
    previous: np.ndarray,
    day: np.ndarray,
    style_taste: np.ndarray,
) -> np.ndarray:
    """How much each user wants each option, (users, options): popularity + style + novelty + continuation."""
    score = 1.6 * goods.popularity[options] + 1.6 * np.take_along_axis(style_taste, goods.style[options], axis=1)
    release = goods.release[options]
    score += 0.8 * (release > 0) * np.exp(-np.maximum(day[:, None] - release, 0) / 30)
    follows = ((previous >= 0) & (goods.category[previous] == current))[:, None]
    score += 1.8 * (follows & (goods.noun[options] == (goods.noun[previous][:, None] + 1) % 6))
    score += 1.2 * (follows & (goods.style[options] == goods.style[previous][:, None]))
    return score


def tastes(n_categories: int, age: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Each user's categories of interest, (users, INTERESTS), and taste for each style, (users, styles)."""
    popularity = -0.7 * np.log(rng.permutation(n_categories) + 3.0)
    by_age = rng.normal(0, 0.8, (len(AGES), n_categories))
    keys = popularity + by_age[age] + rng.gumbel(size=(len(age), n_categories))
    interests = np.argsort(-keys, axis=1)[:, :INTERESTS]
    interests = rng.permuted(interests, axis=1)
    return interests, rng.normal(0, 1, (len(age), len(STYLES)))


def pick(scores: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One column a row, drawn from the softmax of its scores (rows, columns)."""
    return (scores + rng.gumbel(size=scores.shape)).argmax(axis=1)


def item_features(goods: Catalogue) -> FeatureTable:
    """Readable titles, and the category, tags and price of each item."""
    names = list(CATEGORIES)
    titles: list[str] = []
    seen: dict[str, int] = {}
    for category, noun, style in zip(goods.category, goods.noun, goods.style, strict=True):
        title = f"{STYLES[style]} {CATEGORIES[names[category]][1][noun]}"
        seen[title] = seen.get(title, 0) + 1
        titles.append(title if seen[title] == 1 else f"{title} No. {seen[title]}")
    tags = [
        [STYLES[style].lower(), CATEGORIES[names[category]][0]]
        for category, style in zip(goods.category, goods.style, strict=True)
    ]
    return FeatureTable(
        {
            "title": Title(np.array(titles, dtype=object)),
            "category": Categorical(goods.category, np.array(names, dtype=object)),
            "tags": tags_from_lists(tags),
            "price": Numeric(goods.price),
        }
    )


def width(n: int) -> int:
    """Digits of an id, so that ids sort as numbers do.

    >>> width(1200)
    4
    """
    return max(4, len(str(n - 1)))

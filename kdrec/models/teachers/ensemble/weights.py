"""Weights of an ensemble's members that rank validation items best."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from kdrec.data.histories import inputs
from kdrec.data.splits import Split
from kdrec.errors import DataError
from kdrec.models.teachers.base import Teacher
from kdrec.models.teachers.ensemble.teacher import standardised, unseen_items

BATCH = 256  # users who are scored at a time
POOL = 100  # best items of each member that are candidates of a user, beside the held-out ones
DRAWN = 400  # items drawn from all others, which stand for these
SHARES = np.linspace(0.0, 1.0, 11)  # of one member beside the others, that are tried
ROUNDS = 10
METRICS = ("ndcg", "recall")


class Candidates(NamedTuple):
    """The unseen items by which weights are judged, for some users: the best of each member, the held-out, and others.

    Args:
        scores: (members, users, candidates) float32, standardised.
        held_out: (users, candidates) bool.
        stands_for: (users, candidates) float32: 1, of one that was drawn the items that it stands for, of padding 0.
    """

    scores: np.ndarray
    held_out: np.ndarray
    stands_for: np.ndarray


Asked = Sequence[Candidates]


def candidates(members: Sequence[Teacher], validation: Split, sample: int, seed: int) -> list[Candidates]:
    """Candidates of so many users who have a validation item, drawn at random, in batches."""
    rng, users = np.random.default_rng(seed), validation.users("valid")
    if len(users) > sample:
        users = np.sort(rng.choice(users, sample, replace=False))
    return [_batch(members, validation, users[start : start + BATCH], rng) for start in range(0, len(users), BATCH)]


def _batch(members: Sequence[Teacher], validation: Split, users: np.ndarray, rng: np.random.Generator) -> Candidates:
    x, pairs = inputs(validation, "valid", users), validation.valid
    unseen = unseen_items(x["history"], pairs.n_items)  # (users, n_items)
    of_these = np.isin(pairs.users, users)
    held_out = np.zeros_like(unseen)
    held_out[np.searchsorted(users, pairs.users[of_these]), pairs.items[of_these]] = True
    scores = [standardised(member(x), x["history"]) for member in members]
    chosen = held_out.copy()
    for each in scores:
        chosen |= highest(each, unseen, POOL)
    others = unseen & ~chosen
    drawn = highest(rng.random(others.shape, dtype=np.float32), others, DRAWN)
    counts = others.sum(axis=1, keepdims=True) / np.maximum(drawn.sum(axis=1, keepdims=True), 1)
    stands_for = np.where(chosen, 1.0, drawn * counts).astype(np.float32)
    # The candidates of each user first, as many columns as the user with most of them has.
    columns = np.argsort(stands_for == 0, axis=1, kind="stable")[:, : (stands_for > 0).sum(axis=1).max()]
    taken = [np.take_along_axis(each, columns, axis=1) for each in (*scores, held_out, stands_for)]
    return Candidates(np.stack(taken[:-2]), taken[-2], taken[-1])


def highest(values: np.ndarray, among: np.ndarray, count: int) -> np.ndarray:
    """(rows, columns) bool: the `count` highest of each row among some columns, or all of these if they are fewer.

    >>> highest(np.array([[3.0, 2.0, 1.0]]), np.array([[False, True, True]]), 1).tolist()
    [[False, True, False]]
    """
    count = min(count, values.shape[1])
    found = np.zeros_like(among)
    np.put_along_axis(found, np.argpartition(np.where(among, -values, np.inf), count - 1, axis=1)[:, :count], True, 1)
    return found & among


def check_metric(metric: str) -> tuple[str, int]:
    """Name and k of a metric `name@k`.

    >>> check_metric("recall@50")
    ('recall', 50)
    """
    name, _, k = metric.partition("@")
    if name not in METRICS or not k.isdecimal() or int(k) < 1:
        raise DataError(f"metric must be ndcg@k or recall@k with a k of at least 1, not {metric!r}; ndcg@10 is one")
    return name, int(k)


def reached(asked: Asked, weights: np.ndarray, metric: str) -> float:
    """NDCG or recall at k of the weighted sum, over all users, among their candidates."""
    name, k = check_metric(metric)
    gains = 1.0 / np.log2(2.0 + np.arange(k)) if name == "ndcg" else np.ones(k)
    total, users = 0.0, 0
    for scores, held_out, stands_for in asked:
        summed = np.where(stands_for > 0, np.tensordot(weights, scores, 1), -np.inf)  # (users, candidates)
        best = np.argsort(-summed, axis=1, kind="stable")[:, :k]
        found, relevant = np.take_along_axis(held_out, best, axis=1), held_out.sum(axis=1)
        most = np.cumsum(gains)[np.minimum(relevant, k) - 1] if name == "ndcg" else relevant
        total += float((found @ gains[: found.shape[1]] / most).sum())
        users += len(found)
    return total / users


def searched(asked: Asked, members: int, metric: str) -> np.ndarray:
    """Weights that reach most, from the best of all alike and one alone, by the share of one member after the other.

    A member's share is set to each of SHARES, the others sharing the rest as before, until no share gains.
    """
    alone = np.eye(members)
    starts = [np.full(members, 1.0 / members), *alone]
    best, weights = max(((reached(asked, start, metric), start) for start in starts), key=lambda pair: pair[0])
    for _ in range(ROUNDS):
        before = best
        for one in alone:
            rest = weights * (1.0 - one)
            for share in SHARES if rest.any() else []:
                tried = share * one + (1.0 - share) * rest / rest.sum()
                if (value := reached(asked, tried, metric)) > best:
                    weights, best = tried, value
        if best == before:
            break
    return weights


def likeliest(asked: Asked, members: int, metric: str) -> np.ndarray:
    """Weights w ≥ 0 that maximise the mean over users and their held-out items of log softmax(Σ_m w_m z_m).

    z are standardised scores; the softmax is over all unseen items, of whom a candidate that was drawn stands for many.
    The problem is concave, so its solution is the only one; it is divided by its sum, since the size of w sharpens the
    softmax and ranks nothing. `metric` is not read.
    """
    from scipy.optimize import minimize

    found = minimize(
        lambda weights: _unlikelihood(asked, weights), np.ones(members), jac=True, method="L-BFGS-B",
        bounds=[(0.0, None)] * members,
    ).x  # fmt: skip
    return found / found.sum() if found.any() else np.full(members, 1.0 / members)


def _unlikelihood(asked: Asked, weights: np.ndarray) -> tuple[float, np.ndarray]:
    """The negative of what `likeliest` maximises, and its gradient."""
    value, gradient, users = 0.0, np.zeros(len(weights)), 0
    for scores, held_out, stands_for in asked:
        summed = np.tensordot(weights, scores, 1)  # (users, candidates)
        shifted = summed - np.where(stands_for > 0, summed, -np.inf).max(axis=1, keepdims=True)
        parts = stands_for * np.exp(np.where(stands_for > 0, shifted, 0.0))
        total = parts.sum(axis=1, keepdims=True)
        share = held_out / held_out.sum(axis=1, keepdims=True)  # of each held-out item in the mean of its user
        value -= float((share * (shifted - np.log(total))).sum())
        gradient -= np.tensordot(scores, share - parts / total, 2)
        users += len(summed)
    return value / users, gradient / users


METHODS: dict[str, Callable[[Asked, int, str], np.ndarray]] = {"validation": searched, "learned": likeliest}

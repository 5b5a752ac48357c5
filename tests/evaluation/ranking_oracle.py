"""The slow, obvious way: write down every order that the scores allow, judge each with loops, take the mean."""

from itertools import groupby, permutations, product
from math import log2


def orders(scores, seen=()):
    """All rankings of the unseen items in which no item stands above one with a better score."""
    items = sorted((item for item in range(len(scores)) if item not in seen), key=lambda item: -scores[item])
    groups = [list(group) for _, group in groupby(items, key=lambda item: scores[item])]
    for choice in product(*(permutations(group) for group in groups)):
        yield [item for group in choice for item in group]


def recall(order, relevant, k):
    return sum(item in relevant for item in order[:k]) / len(relevant)


def precision(order, relevant, k):
    return sum(item in relevant for item in order[:k]) / k


def f1(order, relevant, k):
    p, r = precision(order, relevant, k), recall(order, relevant, k)
    return 2 * p * r / (p + r) if p + r > 0 else 0.0


def ndcg(order, relevant, k):
    gain = sum(1 / log2(rank + 1) for rank, item in enumerate(order[:k], 1) if item in relevant)
    return gain / sum(1 / log2(rank + 1) for rank in range(1, min(len(relevant), k) + 1))


def hr(order, relevant, k):
    return float(any(item in relevant for item in order[:k]))


def mrr(order, relevant, k):
    return next((1 / rank for rank, item in enumerate(order[:k], 1) if item in relevant), 0.0)


def map(order, relevant, k):
    total = sum(
        precision(order, relevant, rank)
        for rank in range(1, k + 1)
        if order[rank - 1 : rank] and order[rank - 1] in relevant
    )
    return total / min(len(relevant), k)


def auc(order, relevant, k):
    won = [order.index(a) < order.index(b) for a in relevant for b in order if b not in relevant]
    return sum(won) / len(won) if won else float("nan")


METRICS = {f.__name__: f for f in (recall, precision, f1, ndcg, hr, mrr, map, auc)}


def values(name, scores, relevant, seen, k):
    """The metric's value in every order."""
    return [METRICS[name](order, relevant, k) for order in orders(scores, seen)]


def lists(scores, seen, k):
    """The set of listed items in every order."""
    return [frozenset(order[:k]) for order in orders(scores, seen)]

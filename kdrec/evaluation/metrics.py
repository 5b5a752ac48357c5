"""Every metric, one function each: write it, name it in a tuple below, and it is a column of every table.

Ties: relevance metrics are means over all orders of tied items, in closed form; the same function applied
to `groups.pessimistic()` gives the pessimistic value. In the formulas n is the user's number of held-out
items, rel(i) is 1 if rank i holds one of them and else 0, and hits = Σ_{i<=k} rel(i). A list is shorter than
k when a user has seen nearly everything: its missing places count as misses.

The examples rank one user's four items, of which item 1, tied with item 2 for ranks 2 and 3, is held out:

>>> from kdrec.evaluation.candidates import candidates
>>> from kdrec.evaluation.item_lists import ItemLists
>>> from kdrec.evaluation.ties import tie_groups
>>> one = np.array([0])
>>> ready = candidates(np.array([[5.0, 2.0, 2.0, 1.0]]), ItemLists.of([[]]), 4, one)
>>> groups = tie_groups(ready, ItemLists.of([[1]]), one)
>>> [float(metric(groups, 2)[0]) for metric in (recall, precision, hr, mrr, map)]
[0.5, 0.25, 0.5, 0.25, 0.25]
>>> float(recall(groups.pessimistic(), 2)[0]), float(auc(groups)[0])
(0.0, 0.5)
"""

from collections.abc import Callable

import numpy as np

from kdrec.evaluation.exposure import Exposure
from kdrec.evaluation.ties import TieGroups


def recall(groups: TieGroups, k: int) -> np.ndarray:
    """Share of the held-out items that are listed: hits / n. (users,)"""
    return groups.every_hit(np.ones(k)) / groups.n_held_out


def precision(groups: TieGroups, k: int) -> np.ndarray:
    """Share of the list that is held out: hits / k. (users,)"""
    return groups.every_hit(np.ones(k)) / k


def f1(groups: TieGroups, k: int) -> np.ndarray:
    """Harmonic mean of precision and recall: 2 hits / (k + n), which is 0 without a hit. (users,)"""
    return 2.0 * groups.every_hit(np.ones(k)) / (k + groups.n_held_out)


def ndcg(groups: TieGroups, k: int) -> np.ndarray:
    """Discounted gain over the best possible one. (users,)

    Σ_{i<=k} rel(i) / log2(i + 1)  /  Σ_{i<=min(n,k)} 1 / log2(i + 1)

    Source: Järvelin and Kekäläinen, Cumulated gain-based evaluation of IR techniques, 2002; binary gains.
    """
    discount = 1.0 / np.log2(np.arange(2, k + 2))
    return groups.every_hit(discount) / np.cumsum(discount)[np.minimum(groups.n_held_out, k) - 1]


def hr(groups: TieGroups, k: int) -> np.ndarray:
    """Hit rate: the probability that the list holds any held-out item. (users,)"""
    return groups.first_hit(np.ones(k))


def mrr(groups: TieGroups, k: int) -> np.ndarray:
    """One over the rank of the first held-out item, 0 if it is not listed. (users,)"""
    return groups.first_hit(1.0 / np.arange(1, k + 1))


def map(groups: TieGroups, k: int) -> np.ndarray:
    """Average precision at the hits: Σ_{i<=k} rel(i) · (hits among the first i) / i / min(n, k). (users,)

    In a group after rank a, with R held-out items above it, place j is a hit with probability r / g; it
    then counts the R, itself and in the mean (j - 1) (r - 1) / (g - 1) of its own group. Over the m places
    within k, Σ_j 1 / (a + j) = H(a + m) - H(a), and Σ_j (j - 1) / (a + j) = m - (a + 1) (H(a + m) - H(a)).
    """
    harmonic = np.concatenate([[0.0], np.cumsum(1.0 / np.arange(1, k + 1))])
    places, first = groups.places(k), np.minimum(groups.above, k)
    inverse_ranks = harmonic[first + places] - harmonic[first]
    earlier_places = places - (groups.above + 1) * inverse_ranks
    pair = (groups.held_out - 1) / np.maximum(groups.size - 1, 1)
    precisions = (groups.held_out_above + 1) * inverse_ranks + pair * earlier_places
    total = groups.sum_users(groups.held_out / groups.size * precisions)
    return total / np.minimum(groups.n_held_out, k)


AT_K: tuple[Callable[[TieGroups, int], np.ndarray], ...] = (
    recall,
    precision,
    f1,
    ndcg,
    hr,
    mrr,
    map,
)


def auc(groups: TieGroups) -> np.ndarray:
    """Probability that a held-out item outranks an unseen other one, a tie counting half. (users,)

    Undefined (NaN, left out of the mean) for a user all of whose unseen items are held out.
    Source: Rendle et al., BPR: Bayesian personalized ranking from implicit feedback, 2009.
    """
    others = groups.n_candidates - groups.n_held_out
    lost = (groups.above - groups.held_out_above) + 0.5 * (groups.size - groups.held_out)
    won = groups.sum_users(groups.held_out * (others[groups.user] - lost))
    return won / np.where(others > 0, groups.n_held_out * others, np.nan)


WITHOUT_K: tuple[Callable[[TieGroups], np.ndarray], ...] = (auc,)


def coverage(lists: Exposure) -> float:
    """Share of the catalogue in anybody's list: mean over items of 1 - Π_users (1 - p(item in list))."""
    return float(np.mean(1.0 - lists.missed))


def popularity(lists: Exposure) -> float:
    """Popularity bias: the mean training popularity of the listed items; the catalogue's mean is no bias."""
    return float(lists.expected @ lists.popularity / lists.expected.sum())


OF_LISTS: tuple[Callable[[Exposure], float], ...] = (coverage, popularity)

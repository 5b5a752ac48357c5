"""What the top-k lists of all users hold together, in expectation over the orders of tied items."""

from dataclasses import dataclass

import numpy as np

from kdrec.evaluation.candidates import Candidates


@dataclass(frozen=True, eq=False)
class Exposure:
    """How the catalogue is shown by lists of k items; every user breaks ties on his own.

    Args:
        expected: (n_items,) in how many users' lists an item is, on average over tie orders.
        missed: (n_items,) probability that an item is in no list.
        tied: users whose k-th and next candidate have equal scores, so that a tie decides which is listed.
        users: how many lists there are.
        popularity: (n_items,) the items' popularity in training.
    """

    expected: np.ndarray
    missed: np.ndarray
    tied: int
    users: int
    popularity: np.ndarray

    def plus(self, other: "Exposure") -> "Exposure":
        """The lists of both."""
        return Exposure(
            self.expected + other.expected,
            self.missed * other.missed,
            self.tied + other.tied,
            self.users + other.users,
            self.popularity,
        )

    def tied_share(self) -> float:
        """Share of users whose list is decided by a tie."""
        return self.tied / self.users


def exposure(ready: Candidates, k: int, popularity: np.ndarray) -> Exposure:
    """The lists of one batch: an item is listed with probability 1 above the k-th score, and 0 below it.

    The g items that share the k-th score split the m places left: each is listed with probability m / g.

    Args:
        ready: the masked scores of a batch of users.
        k: length of the lists.
        popularity: (n_items,).

    >>> from kdrec.evaluation.candidates import candidates
    >>> from kdrec.evaluation.item_lists import ItemLists
    >>> ready = candidates(np.array([[5.0, 2.0, 2.0]]), ItemLists.of([[]]), 3, np.array([0]))
    >>> lists = exposure(ready, 2, np.ones(3))
    >>> lists.expected.tolist(), lists.tied
    ([1.0, 0.5, 0.5], 1)
    """
    last = ready.ordered[:, -k]  # the k-th best score, (rows,)
    row, item = np.nonzero((ready.scores >= last[:, None]) & ~ready.seen)
    edge = ready.scores[row, item] == last[row]
    n_inside, n_edge = (np.bincount(row[part], minlength=len(last)) for part in (~edge, edge))
    places = np.minimum(k - n_inside, n_edge)
    # A row with fewer than k candidates lists them all; its edge may be empty, and no item reads the share.
    share = places / np.maximum(n_edge, 1)

    inside, row, item = np.bincount(item[~edge], minlength=ready.n_items), row[edge], item[edge]
    expected = inside + np.bincount(item, weights=share[row], minlength=ready.n_items)
    missed = np.where(inside > 0, 0.0, 1.0)
    np.multiply.at(missed, item, 1.0 - share[row])
    return Exposure(expected, missed, int(np.sum(n_edge > places)), len(last), popularity)

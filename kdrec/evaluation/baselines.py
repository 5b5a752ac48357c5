"""Scorers that any model must beat; they take the same inputs and give the same scores as a model."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from kdrec.data.interactions import Interactions

Scorer = Callable[[dict[str, np.ndarray]], np.ndarray]


def popularity(interactions: "Interactions") -> Scorer:
    """Score an item by its number of pairs, for every user alike: s_j = count_j.

    Args:
        interactions: the training pairs.

    Returns:
        x -> (rows, n_items) float32.

    >>> from kdrec.data.interactions import Interactions
    >>> log = Interactions(users=[0, 0, 1], items=[0, 2, 2], user_ids=["ann", "bob"], item_ids=[10, 11, 12])
    >>> popularity(log)({"user": np.array([1])}).tolist()
    [[1.0, 0.0, 2.0]]
    """
    counts = np.asarray(interactions.item_counts(), dtype=np.float32)

    def scorer(x: dict[str, np.ndarray]) -> np.ndarray:
        return np.broadcast_to(counts, (len(x["user"]), len(counts)))

    return scorer


def random(n_items: int, seed: int = 0) -> Scorer:
    """Score every item by a uniform draw of its own: s_uj ~ U(0, 1), the same for a user in any batch.

    Args:
        n_items: size of the catalogue.
        seed: other seeds, other scores.

    Returns:
        x -> (rows, n_items) float32.

    >>> scorer = random(4, seed=1)
    >>> both, alone = scorer({"user": np.array([3, 5])}), scorer({"user": np.array([5])})
    >>> bool((both[1] == alone[0]).all()), bool((both[0] == alone[0]).all())
    (True, False)
    """

    def scorer(x: dict[str, np.ndarray]) -> np.ndarray:
        rows = [np.random.default_rng((seed, int(user))).random(n_items, dtype=np.float32) for user in x["user"]]
        return np.stack(rows)

    return scorer

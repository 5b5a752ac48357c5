"""Refusals that more than one entrance of the package shares."""

from collections.abc import Sequence

import numpy as np

from kdrec.errors import DataError
from kdrec.evaluation.item_lists import ItemLists


def check_k(k: int, n_items: int) -> None:
    """Refuse a list length outside 1 … n_items."""
    if not 1 <= k <= n_items:
        raise DataError(f"k must be from 1 to the catalogue's {n_items} items, received {k}; choose a smaller k")


def check_ks(ks: Sequence[int], n_items: int) -> None:
    """Refuse an empty or repeated choice of list lengths, or one outside 1 … n_items."""
    if not ks or len(set(ks)) != len(ks):
        raise DataError(f"ks must name at least one k and none twice, received {tuple(ks)}; for example ks=(10, 20)")
    for k in ks:
        check_k(k, n_items)


def check_positions(name: str, lists: ItemLists, n_items: int) -> None:
    """Refuse item positions outside the catalogue."""
    items = np.asarray(lists.items)
    outside = items[(items < 0) | (items >= n_items)]
    if len(outside):
        raise DataError(
            f"{name} must hold item positions from 0 to {n_items - 1}, received {outside[0]}; "
            f"pass positions in the catalogue, neither ids nor tokens"
        )

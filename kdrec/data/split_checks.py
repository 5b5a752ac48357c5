"""Rules that the parts of a split keep."""

import numpy as np

from kdrec.data.interactions import Interactions
from kdrec.data.vocabularies import shown
from kdrec.errors import DataError


def same_ids(first: np.ndarray, second: np.ndarray) -> bool:
    """Whether two vocabularies are one; usually they are the same array."""
    return first is second or np.array_equal(first, second)


def check_apart(first: str, a: Interactions, second: str, b: Interactions) -> None:
    """No pair may be in both logs."""
    common = b.pair_keys().isin(a.pair_keys())
    if common.any():
        at = int(common.argmax())
        raise DataError(
            f"{first} and {second} must have no pair in common, and share {int(common.sum())}, for example user "
            f"{shown(b.user_ids, b.users[at])} with item {shown(b.item_ids, b.items[at])}; deduplicate first"
        )


def check_has_times(interactions: Interactions, method: str) -> np.ndarray:
    """The times, which the method needs."""
    if interactions.times is None:
        raise DataError(f"{method} needs times, and the log has none; give time_column=, or split by random_per_user")
    return interactions.times

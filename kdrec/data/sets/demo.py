"""The embedded data set: generated, seeded, free to ship."""

from kdrec.data.interactions import Interactions
from kdrec.data.synthetic import synthetic


def demo(*, users: int = 3000, items: int = 1200, seed: int = 0) -> Interactions:
    """A shop's log of a year and a half; see `kdrec.data.synthetic`.

    Args:
        users, items: how many.
        seed: of everything.

    Returns:
        Interactions with times, features and a `daypart` context.

    >>> log = demo(users=50, items=100)
    >>> log.n_users, log.n_items, list(log.context)
    (50, 100, ['daypart'])
    """
    return synthetic(users, items, seed)

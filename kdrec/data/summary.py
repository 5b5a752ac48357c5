"""A few lines that say what a log holds."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from kdrec.data.interactions import Interactions


def summary(log: "Interactions") -> str:
    """Users, items, pairs, density, pairs a user, time span and features, one line each.

    Density is pairs / (users · items).
    """
    density = len(log) / max(1, log.n_users * log.n_items)
    lines = [f"{len(log):,} pairs of {log.n_users:,} users and {log.n_items:,} items (density {density:.3%})"]
    counts = np.diff(log.indptr)
    if log.n_users:
        lines.append(f"pairs a user: median {np.median(counts):g}, from {counts.min():,} to {counts.max():,}")
    if log.times is not None and len(log):
        lines.append(f"times: {date(log.times.min())} to {date(log.times.max())}")
    if log.ratings is not None and len(log):
        lines.append(f"ratings: {log.ratings.min():g} to {log.ratings.max():g}")
    if log.weights is not None and len(log):
        lines.append(f"weights: {log.weights.min():g} to {log.weights.max():g}")
    if log.context:
        names = (f"{name} ({column.describe()})" for name, column in log.context.items())
        lines.append(f"context: {', '.join(names)}")
    if log.user_features is not None:
        lines.append(f"user features: {log.user_features.describe()}")
    if log.item_features is not None:
        lines.append(f"item features: {log.item_features.describe()}")
    return "\n".join(lines)


def date(seconds: float) -> str:
    """The UTC date of a time.

    >>> date(1704067200)
    '2024-01-01'
    """
    return str(np.datetime64(int(seconds), "s").astype("datetime64[D]"))

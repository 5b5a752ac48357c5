"""What an evaluation found."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class RankingResult:
    """The metrics of one model on one part of the data; every name is `name@k`, but for `auc`.

    Args:
        metrics: name -> mean over users, each tied list counted by its mean over all orders.
        pessimistic: name -> mean over users with ties broken against the model; not for coverage and
            popularity, which do not ask what is relevant.
        tied_share: `tied@k` -> share of users for whom a tie decides which items are among the first k.
        per_user: name -> (users,) float64, for metrics that have a value a user.
        users: (users,) positions of the users judged, in the order of `per_user`.
        left_out: users without a held-out item, for whom nothing is defined.
        by_items: for each set of items that was asked for, name -> mean over the users with a held-out item in it, who
            are judged by these items alone.

    >>> one = np.ones(1)
    >>> result = RankingResult({"hr@2": 1.0}, {"hr@2": 0.5}, {"tied@2": 1.0}, {"hr@2": one}, one, left_out=0)
    >>> print(result)
    1 users, 0 without a held-out item
    hr@2             1.0000   pessimistic 0.5000
    tied@2           1.0000
    """

    metrics: dict[str, float]
    pessimistic: dict[str, float]
    tied_share: dict[str, float]
    per_user: dict[str, np.ndarray]
    users: np.ndarray
    left_out: int
    by_items: dict[str, dict[str, float]] = field(default_factory=dict)

    def __str__(self) -> str:
        lines = [f"{len(self.users)} users, {self.left_out} without a held-out item"]
        for name, value in {**self.metrics, **self.tied_share}.items():
            worst = f"   pessimistic {self.pessimistic[name]:.4f}" if name in self.pessimistic else ""
            lines.append(f"{name:16} {value:.4f}{worst}")
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """The figures without the per-user values, ready for JSON."""
        return {
            "users": len(self.users),
            "left_out": self.left_out,
            "metrics": dict(self.metrics),
            "pessimistic": dict(self.pessimistic),
            "tied_share": dict(self.tied_share),
        }

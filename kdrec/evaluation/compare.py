"""One model against another: what is kept, whether a difference is more than chance, how far seeds spread."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kdrec.errors import DataError
from kdrec.evaluation.result import RankingResult


def keep(result: RankingResult, teacher: RankingResult, metric: str = "ndcg@10") -> float:
    """Share of the teacher's metric that a model keeps: metric(model) / metric(teacher); 1.0 loses nothing.

    Args:
        result: the model's figures.
        teacher: the teacher's figures, on the same users.
        metric: name, for example "ndcg@10".

    Raises:
        DataError: the metric was not measured, the teacher's is zero, or other users were judged.

    >>> one = np.ones(1)
    >>> teacher = RankingResult({"hr@1": 0.5}, {}, {}, {"hr@1": one}, one, left_out=0)
    >>> student = RankingResult({"hr@1": 0.4}, {}, {}, {"hr@1": one}, one, left_out=0)
    >>> keep(student, teacher, "hr@1")
    0.8
    """
    check_same_users(result, teacher)
    for one in (result, teacher):
        check_measured(metric, one.metrics)
    if teacher.metrics[metric] == 0.0:
        raise DataError(f"teacher must score above zero, received {metric} = 0.0; no share of nothing can be kept")
    return result.metrics[metric] / teacher.metrics[metric]


@dataclass(frozen=True)
class Difference:
    """A mean difference over users and its bootstrap confidence interval.

    Args:
        mean: first minus second.
        low: lower end of the interval.
        high: upper end of the interval.
        confidence: probability mass between the ends.
    """

    mean: float
    low: float
    high: float
    confidence: float

    def is_beyond_chance(self) -> bool:
        """Whether the interval leaves zero out."""
        return self.low > 0.0 or self.high < 0.0


def paired_bootstrap(
    first: RankingResult,
    second: RankingResult,
    metric: str = "ndcg@10",
    samples: int = 2000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Difference:
    """Mean over users of first minus second, and the percentile interval of its mean over redrawn users.

    Users are redrawn with replacement, each with both of its values.

    Args:
        first: per-user values of one model.
        second: of the other, on the same users in the same order.
        metric: name of a per-user metric.
        samples: how often the users are redrawn.
        confidence: of the interval, between 0 and 1.
        seed: of the redrawing.

    Raises:
        DataError: other users, a metric without per-user values, or one that is defined for no user.

    Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13.

    >>> users = np.arange(4)
    >>> better = RankingResult({}, {}, {}, {"hr@1": np.array([1.0, 1, 1, 0])}, users, left_out=0)
    >>> worse = RankingResult({}, {}, {}, {"hr@1": np.array([0.0, 0, 0, 0])}, users, left_out=0)
    >>> difference = paired_bootstrap(better, worse, "hr@1")
    >>> difference.mean, 0.0 <= difference.low < 0.75 < difference.high <= 1.0
    (0.75, True)
    """
    check_same_users(first, second)
    for one in (first, second):
        check_measured(metric, one.per_user)
    gaps = first.per_user[metric] - second.per_user[metric]
    gaps = gaps[~np.isnan(gaps)]
    if len(gaps) == 0:
        raise DataError(f"metric {metric!r} is defined for no user that both results judge; compare another metric")
    rng = np.random.default_rng(seed)
    means = [gaps[rng.integers(len(gaps), size=len(gaps))].mean() for _ in range(samples)]
    low, high = np.quantile(means, [(1.0 - confidence) / 2, (1.0 + confidence) / 2])
    return Difference(float(gaps.mean()), float(low), float(high), confidence)


@dataclass(frozen=True)
class Spread:
    """A metric over runs that differ in their seed only.

    Args:
        mean: over the runs.
        deviation: sample standard deviation over the runs.
        runs: how many.

    >>> print(Spread(0.25, 0.0125, 3))
    0.2500 ± 0.0125 (3 runs)
    """

    mean: float
    deviation: float
    runs: int

    def __str__(self) -> str:
        return f"{self.mean:.4f} ± {self.deviation:.4f} ({self.runs} runs)"


def over_seeds(results: Sequence[RankingResult], metric: str = "ndcg@10") -> Spread:
    """Mean and sample standard deviation, sqrt(Σ (v - mean)² / (runs - 1)), of a metric over runs.

    Raises:
        DataError: fewer than two runs, or a metric that was not measured.

    >>> runs = [RankingResult({"hr@1": v}, {}, {}, {}, np.arange(3), left_out=0) for v in (0.25, 0.75)]
    >>> over_seeds(runs, "hr@1").mean
    0.5
    """
    if len(results) < 2:
        raise DataError(f"results must hold at least two runs to have a spread, received {len(results)}; add seeds")
    for one in results:
        check_measured(metric, one.metrics)
    values = [one.metrics[metric] for one in results]
    return Spread(float(np.mean(values)), float(np.std(values, ddof=1)), len(values))


def check_measured(metric: str, measured: dict) -> None:
    """Refuse a metric name that is not there, and say which are."""
    if metric not in measured:
        raise DataError(f"metric has no {metric!r}; this result has {', '.join(measured)}")


def check_same_users(first: RankingResult, second: RankingResult) -> None:
    """Refuse to compare figures of different users."""
    if not np.array_equal(first.users, second.users):
        raise DataError(
            f"both results must judge the same users in the same order, received {len(first.users)} and "
            f"{len(second.users)} users; evaluate both on one split, part and choice of users"
        )

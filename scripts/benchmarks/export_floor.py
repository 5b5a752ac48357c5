"""What no file can beat by much: numpy on the float table, and reading as many bytes as the int8 table has."""

import statistics
import time
from collections.abc import Callable

import numpy as np
from threadpoolctl import threadpool_limits


def p50_us(work: Callable[[], object], runs: int) -> float:
    """The median run of some work on one thread, in microseconds, after a tenth as many that do not count."""
    taken = []
    with threadpool_limits(1):
        for _ in range(runs // 10 + 1):
            work()
        for _ in range(runs):
            begin = time.perf_counter_ns()
            work()
            taken.append(time.perf_counter_ns() - begin)
    return statistics.median(taken) / 1e3


def numpy_us(n_items: int, width: int, k: int, runs: int) -> float:
    """The k best of n_items by float32 scores, from a query that is there: product, partition, sorting."""
    rng = np.random.default_rng(0)
    items, query = rng.normal(size=(n_items, width)).astype(np.float32), rng.normal(size=width).astype(np.float32)

    def best() -> np.ndarray:
        scores = items @ query
        chosen = np.argpartition(scores, n_items - k)[n_items - k :]
        return chosen[np.argsort(-scores[chosen], kind="stable")]

    return p50_us(best, runs)


def reading_us(n_bytes: int, runs: int) -> float:
    """Reading so many bytes once: the sum of squares by BLAS, whose arithmetic takes less than the memory does.

    The bytes are those of the table, read again and again as a recommender does, so they are where its table would be:
    in a cache if they fit in one.
    """
    values = np.ones(n_bytes // 4, np.float32)
    return p50_us(lambda: np.dot(values, values), runs)

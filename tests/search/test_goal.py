import pytest

from kdrec.errors import DataError
from kdrec.search.goal import Goal, Judged, size_of


def judged(ndcg=0.3, keep=0.9, size=1000, latency=10.0):
    return Judged(ndcg, keep, size, size // 2, latency)


def test_what_keeps_all_limits_comes_before_what_misses_one():
    goal = Goal(keep=0.9, bytes=1000)
    small, large = judged(size=500, keep=0.95), judged(size=900, keep=0.99)
    worse, bigger = judged(size=400, keep=0.8), judged(size=1100, keep=1.0)
    ranked = sorted([bigger, large, worse, small], key=goal.rank)
    assert ranked == [small, large, bigger, worse]  # a tenth too large misses by less than a ninth too bad
    assert [goal.is_kept(one) for one in ranked] == [True, True, False, False]


def test_within_a_size_the_best_is_wanted():
    goal = Goal(bytes=1000)
    assert min([judged(ndcg=0.3, size=500), judged(ndcg=0.35, size=900)], key=goal.rank).bytes == 900
    assert min([judged(ndcg=0.3, size=500), judged(ndcg=0.3, size=900)], key=goal.rank).bytes == 500


def test_latency_is_a_limit_too():
    goal = Goal(latency_us=20.0)
    assert goal.misses(judged(latency=30.0)) == {"latency_us": 0.5}


@pytest.mark.parametrize(
    "limits, said",
    [
        ({}, "a search needs a goal"),
        ({"keep": 98}, r"keep must lie in \(0, 1.5\], not 98"),
        ({"bytes": 0}, "bytes must be above 0, not 0"),
    ],
)
def test_goals_that_make_no_sense_are_refused(limits, said):
    with pytest.raises(DataError, match=said):
        Goal(**limits)


def test_sizes():
    assert [size_of(text) for text in ("48KiB", "1.5 MiB", "2kb", "77", "8 B")] == [49152, 1572864, 2000, 77, 8]
    with pytest.raises(DataError, match="bytes must be a number with a unit of KiB, .* not 'small'"):
        size_of("small")

import numpy as np
import pytest

from kdrec.errors import DataError
from kdrec.evaluation import RankingResult, keep, over_seeds, paired_bootstrap


def result(values, users=None):
    values = np.array(values, dtype=float)
    users = np.arange(len(values)) if users is None else np.array(users)
    return RankingResult({"ndcg@10": float(np.nanmean(values))}, {}, {}, {"ndcg@10": values}, users, left_out=0)


def test_keep_is_the_share_of_the_teachers_metric():
    assert keep(result([0.1, 0.5]), result([0.6, 0.2])) == pytest.approx(0.3 / 0.4)


def test_keep_refuses_a_teacher_at_zero():
    with pytest.raises(DataError, match=r"teacher must score above zero, received ndcg@10 = 0\.0"):
        keep(result([0.1]), result([0.0]))


def test_keep_refuses_a_metric_that_was_not_measured():
    with pytest.raises(DataError, match="metric has no 'ndcg@20'; this result has ndcg@10"):
        keep(result([0.1]), result([0.2]), "ndcg@20")


@pytest.mark.parametrize("compare", [keep, paired_bootstrap])
def test_other_users_are_refused(compare):
    with pytest.raises(DataError, match="both results must judge the same users in the same order, received 2 and 2"):
        compare(result([0.1, 0.2]), result([0.1, 0.2], users=[1, 0]))


def test_bootstrap_of_a_constant_difference_has_no_width():
    values = np.random.default_rng(0).random(30)
    difference = paired_bootstrap(result(values + 0.25), result(values))
    assert (difference.mean, difference.low, difference.high) == pytest.approx((0.25, 0.25, 0.25))
    assert difference.is_beyond_chance()


def test_bootstrap_interval_is_the_normal_one_for_many_users():
    rng = np.random.default_rng(1)
    gaps = rng.normal(0.02, 0.3, size=4000)
    difference = paired_bootstrap(result(gaps), result(np.zeros(4000)))
    half = 1.96 * gaps.std() / np.sqrt(len(gaps))
    assert difference.low == pytest.approx(gaps.mean() - half, abs=0.1 * half)
    assert difference.high == pytest.approx(gaps.mean() + half, abs=0.1 * half)


def test_bootstrap_of_equal_models_is_not_beyond_chance():
    values = np.random.default_rng(0).random(30)
    difference = paired_bootstrap(result(values), result(values))
    assert (difference.low, difference.mean, difference.high) == (0.0, 0.0, 0.0)
    assert not difference.is_beyond_chance()


def test_bootstrap_repeats_under_a_seed_and_differs_under_another():
    rng = np.random.default_rng(2)
    one, other = result(rng.random(50)), result(rng.random(50))
    assert paired_bootstrap(one, other, seed=5) == paired_bootstrap(one, other, seed=5)
    assert paired_bootstrap(one, other, seed=5) != paired_bootstrap(one, other, seed=6)


def test_bootstrap_leaves_undefined_users_out():
    difference = paired_bootstrap(result([0.5, np.nan, 0.5]), result([0.25, 0.1, 0.25]))
    assert difference.mean == 0.25


def test_bootstrap_refuses_a_metric_defined_for_nobody():
    with pytest.raises(DataError, match="'ndcg@10' is defined for no user that both results judge"):
        paired_bootstrap(result([np.nan, 0.1]), result([0.1, np.nan]))


def test_over_seeds_is_mean_and_sample_deviation():
    spread = over_seeds([result([0.1]), result([0.2]), result([0.6])])
    assert spread.mean == pytest.approx(0.3)
    assert spread.deviation == pytest.approx(np.sqrt((0.2**2 + 0.1**2 + 0.3**2) / 2))
    assert str(spread) == "0.3000 ± 0.2646 (3 runs)"


def test_one_run_has_no_spread():
    with pytest.raises(DataError, match="results must hold at least two runs to have a spread, received 1"):
        over_seeds([result([0.1])])

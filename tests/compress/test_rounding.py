import numpy as np
import pytest

from kdrec.compress.rounding import STEPS, _losses, best_scale, rounded


def error(table, scale):
    return np.mean((table - scale * rounded(table, scale)) ** 2)


@pytest.mark.parametrize("tails", [1.5, 3.0, 30.0])
def test_no_scale_is_much_better(tails):
    table = np.random.default_rng(0).standard_t(tails, (200, 8)).astype(np.float32)
    scale = best_scale(table)
    fine = np.linspace(0.02, 1.0, 2000) * np.abs(table).max() / 7
    assert error(table, scale) <= 1.02 * min(error(table, each) for each in fine if each >= fine[-1] * 0.2)
    assert error(table, scale) < 0.95 * error(table, np.abs(table).max() / 7)  # clipping a little is better


def test_losses_by_sorting_once_are_those_of_rounding_every_value():
    table = np.random.default_rng(0).normal(size=(200, 8))
    scales = np.linspace(0.05, 1.0, 30)
    expected = [table.size * error(table, scale) for scale in scales]
    np.testing.assert_allclose(_losses(table, scales, STEPS["int4"]), expected, rtol=1e-10)


@pytest.mark.parametrize("largest", range(1, 8))
def test_a_table_on_the_grid_is_kept(largest):
    stored = np.random.default_rng(largest).integers(-largest, largest + 1, (50, 6))
    stored[0, 0] = largest
    table = np.float32(0.013) * stored.astype(np.float32)
    scale = best_scale(table)
    np.testing.assert_allclose(scale * rounded(table, scale), table, atol=1e-7)


def test_a_table_of_zeros():
    assert best_scale(np.zeros((3, 2))) == 1.0

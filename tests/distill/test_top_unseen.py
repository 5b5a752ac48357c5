import numpy as np
import pytest

from kdrec.distill.top_unseen import top_unseen


def slow_top_unseen(scores, seen, k):
    rows = []
    for row, tokens in zip(scores, seen, strict=True):
        left = [item for item in range(len(row)) if item + 1 not in tokens]
        rows.append(sorted(left, key=lambda item: (-row[item], item))[:k])
    return rows


@pytest.mark.parametrize("seed", range(5))
def test_top_unseen_against_a_slow_oracle(seed):
    rng = np.random.default_rng(seed)
    scores = rng.integers(-3, 4, (20, 9)).astype(np.float32) * np.float32(rng.choice([1.0, 1e-40, 1e30]))
    scores[scores == 0] *= rng.choice([-1.0, 1.0])
    seen = np.sort(np.where(rng.random((20, 5)) < 0.5, rng.integers(1, 10, (20, 5)), 0), axis=1)
    assert top_unseen(scores, seen, 4).tolist() == slow_top_unseen(scores, seen, 4)


@pytest.mark.parametrize("k", [1, 3, 40])
def test_top_unseen_of_many_items_against_a_slow_oracle(k):
    """Wide enough to be cut into blocks, the last one short, and blocks of blocks."""
    rng = np.random.default_rng(k)
    scores = rng.integers(0, rng.choice([3, 1000]), (6, 5_003)).astype(np.float32)
    scores[0] = 7.0  # all alike: positions decide
    scores[1, -3:] = 2_000.0
    scores[2, :5_000] = -5.0
    seen = rng.integers(0, 5_004, (6, 200))
    seen[3, 0] = scores[3].argmax() + 1
    assert top_unseen(scores, seen, k).tolist() == slow_top_unseen(scores, seen, k)

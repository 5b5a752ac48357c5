"""Teacher and student together: what both would reach where both can answer."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from kdrec.errors import DataError
from kdrec.evaluation.ranking import Scorer, evaluate

if TYPE_CHECKING:
    from kdrec.data.splits import Split

GRID = tuple(step / 10 for step in range(11))
USERS = 2_000  # enough to choose one number by


def fuse(teacher: Scorer, student: Scorer, alpha: float) -> Scorer:
    """x -> α z(teacher) + (1 − α) z(student), z a row of scores less its mean, over its standard deviation.

    The fused scorer needs the teacher wherever it serves: it says what the student still lacks, and is no file.

    Args:
        teacher, student: x -> scores (rows, n_items).
        alpha: α in [0, 1]; 0 is the student alone, 1 the teacher.

    Raises:
        DataError: α outside [0, 1].

    >>> both = fuse(lambda x: np.array([[1.0, 3.0]]), lambda x: np.array([[70.0, 50.0]]), 0.75)
    >>> both({}).tolist()
    [[-0.5, 0.5]]
    """
    if not 0 <= alpha <= 1:
        raise DataError(f"alpha must lie in [0, 1], not {alpha}")
    return lambda x: alpha * standardised(teacher(x)) + (1 - alpha) * standardised(student(x))


def standardised(scores: np.ndarray) -> np.ndarray:
    """Each row less its mean, over its standard deviation; a row of equal scores is all 0.

    >>> standardised(np.array([[1.0, 3.0], [5.0, 5.0]])).tolist()
    [[-1.0, 1.0], [0.0, 0.0]]
    """
    scores = np.asarray(scores, np.float64)
    centred = scores - scores.mean(axis=1, keepdims=True)
    deviation = centred.std(axis=1, keepdims=True)
    return np.divide(centred, deviation, out=np.zeros_like(centred), where=deviation > 0)


def choose_alpha(
    teacher: Scorer, student: Scorer, split: "Split", k: int = 10, grid: Sequence[float] = GRID, seed: int = 0
) -> tuple[float, dict[float, float]]:
    """The α of a grid with which `fuse` reaches the best NDCG@k on the validation part; of equal ones the least.

    Args:
        teacher, student: x -> scores (rows, n_items).
        split: its validation items are ranked, by at most 2,000 users.
        k: length of the list.
        grid: values of α.
        seed: of the draw of users.

    Returns:
        α, and the NDCG@k of each value of the grid.

    Raises:
        DataError: nothing held out for validation, or an empty grid.
    """
    users = split.users("valid")
    if len(users) == 0 or not grid:
        raise DataError(
            f"alpha is chosen among {len(grid)} values by {len(users)} users with a validation item, and must have one "
            f"of each; hold some out, or give alpha to fuse"
        )
    if len(users) > USERS:
        users = np.sort(np.random.default_rng(seed).choice(users, USERS, replace=False))
    reached = {
        alpha: evaluate(fuse(teacher, student, alpha), split, "valid", ks=(k,), users=users).metrics[f"ndcg@{k}"]
        for alpha in grid
    }
    return max(sorted(reached), key=lambda alpha: reached[alpha]), reached

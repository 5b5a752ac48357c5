"""A teacher is asked once about every training row, and what the losses need of its answers is kept."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from kdrec.data.interactions import Interactions
from kdrec.data.splits import Split
from kdrec.distill import weightings
from kdrec.distill.calibrate import calibrated_scale
from kdrec.distill.rows import rows_of
from kdrec.distill.teacher_cache import TeacherCache, fingerprint
from kdrec.distill.teacher_fields import longest_top
from kdrec.errors import BundleError
from kdrec.losses.base import DistillationLoss

STORED_TOP = 200  # items of a stored top list, more when a loss asks for more


def ask_teacher(
    folder: str | Path,
    teacher: Callable[[dict[str, np.ndarray]], np.ndarray],
    split: Split,
    losses: Sequence[DistillationLoss],
    *,
    weighting: str = "fixed",
    more_needs: Iterable[str] = (),
    cuts_per_user: int | None = 50,
    sampled: Interactions | None = None,
    scale: float | None = None,
    seed: int = 0,
    resume: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> TeacherCache:
    """Write the cache that `train` listens to: all that some losses need of a teacher, for each training row.

    Args:
        folder: replaced if it exists, unless `resume`.
        teacher: any callable from inputs to scores (rows, n_items); for embeddings or snapshots one that provides them.
        split: the rows of `train` are asked about, `valid` sets the scale.
        losses: those of one training, or of several that share the cache.
        weighting, cuts_per_user, sampled: as of `train`, which must be told the same.
        more_needs: fields beside those of the losses, of an initialiser, say: `kdrec.models.initialisers.needs(name)`.
        scale: factor on the scores; None is `calibrated_scale`.
        seed: of the scale's users.
        resume: take what the folder holds, whichever teacher's it is.
        progress: called with (rows done, rows in all).

    Raises:
        DataError: a loss needs what the teacher does not give, or what the folder holds answers other rows.

    >>> import tempfile
    >>> from kdrec.data.splits import leave_last_out
    >>> from kdrec.losses.rank_softmax import RankSoftmax
    >>> users, items = np.repeat(np.arange(3), 4), [0, 1, 2, 3, 0, 2, 1, 4, 1, 0, 3, 2]
    >>> split = leave_last_out(Interactions(users, items, np.arange(3), np.arange(9), times=np.arange(12)))
    >>> popular = lambda x: np.tile(np.arange(9.0, dtype=np.float32), (len(x["user"]), 1))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     cache = ask_teacher(folder + "/answers", popular, split, [RankSoftmax(top=2)], scale=1.0)
    >>> sorted(cache.fields), len(cache)
    (['top_items', 'top_scores'], 6)
    """
    rows, needs = rows_of(split, cuts_per_user, sampled), needs_of(losses, weighting).union(more_needs)
    if resume:
        try:
            cache = TeacherCache.open(folder, fingerprint(*rows[:3]))
            cache.check_has(needs)
            return cache
        except BundleError:
            pass  # there is none, or not all of it
    return TeacherCache.write(
        folder, teacher, *rows[:3], needs=needs, top=stored_top(losses), unlabelled=rows.unlabelled,
        scale=calibrated_scale(teacher, split, seed) if scale is None else scale, progress=progress,
    )  # fmt: skip


def needs_of(losses: Iterable[DistillationLoss], weighting: str = "fixed") -> frozenset[str]:
    """The fields of a teacher that a training with these losses reads.

    >>> from kdrec.losses.rrd import Rrd
    >>> sorted(needs_of([Rrd()], "teacher_confidence"))
    ['scores', 'top_items']
    """
    return frozenset(weightings.get(weighting).needs).union(*(loss.needs for loss in losses))


def stored_top(losses: Sequence[DistillationLoss]) -> int:
    """How many items of a top list to store: enough for every loss."""
    return max(STORED_TOP, longest_top(losses))

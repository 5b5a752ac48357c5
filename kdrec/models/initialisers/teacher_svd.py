"""The student begins with the item side of a factorisation of the teacher's scores."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tf_keras as keras

from kdrec.models.initialisers.base import asked, check_items, right_singular, set_item_rows, sizes

NEEDS = frozenset({"scores"})


def teacher_svd(student: keras.Model, *, scores: Any = None, item_embedding: Any = None, seed: int = 0) -> None:
    """E = V_d S_d^(1/2), with R ≈ U_d S_d V_dᵀ the teacher's scores: half of each singular value goes to the items.

    Args:
        student: a model of `kdrec.models.students`, whose item tables are set.
        scores: (users, n_items) R, dense or sparse (a top list, for instance: what it leaves out is 0), or a list of
            blocks of its rows.
        item_embedding: not read.
        seed: of the search for V.

    Raises:
        TrainingError: no scores, or scores of other items.

    Source: Halko, Martinsson and Tropp, 2011, arXiv:0909.4061.

    >>> from kdrec.models.students.history import history
    >>> student = history(2, embedding_dim=1, history_length=2)
    >>> teacher_svd(student, scores=np.array([[4.0, 0.0], [4.0, 0.0], [0.0, 1.0]]))
    >>> item, other = student.get_layer("item_table").table.numpy()[1:, 0]
    >>> bool(item > 0), bool(abs(other) < 1e-6)
    (True, True)
    """
    given = asked(scores, "scores", "teacher_svd")
    blocks: Sequence[Any] = given if isinstance(given, (list, tuple)) else [given]
    n_items, width = sizes(student)
    for block in blocks:
        check_items(block.shape, 1, n_items, "scores")
    values, vectors = right_singular(blocks, min(width, n_items), seed)
    set_item_rows(student, vectors * np.sqrt(values))

"""The student begins with those columns of the teacher's item vectors that say most."""

from typing import Any

import numpy as np
import tf_keras as keras

from kdrec.models.initialisers.base import asked, check_items, set_item_rows, sizes

NEEDS = frozenset({"item_embedding"})


def picked_columns(student: keras.Model, *, scores: Any = None, item_embedding: Any = None, seed: int = 0) -> None:
    """E = Y_C, with C the d columns of the teacher's item vectors Y of the largest variance, in their order in Y.

    Args:
        student: a model of `kdrec.models.students`, whose item tables are set.
        scores, seed: not read.
        item_embedding: (n_items, teacher width) Y; of columns that vary alike, the first is taken.

    Raises:
        TrainingError: no item_embedding, or one of other items.

    Source: a plain answer to column subset selection, Boutsidis, Mahoney and Drineas, 2009, arXiv:0812.4293.

    >>> from kdrec.models.students.history import history
    >>> student = history(2, embedding_dim=1, history_length=2)
    >>> picked_columns(student, item_embedding=np.array([[5.0, 1.0], [5.0, -1.0]]))  # the second one varies
    >>> np.sign(student.get_layer("item_table").table.numpy())[:, 0].tolist()
    [0.0, 1.0, -1.0]
    """
    items = np.asarray(asked(item_embedding, "item_embedding", "picked_columns"), np.float64)
    n_items, width = sizes(student)
    check_items(items.shape, 0, n_items, "item_embedding")
    picked = np.sort(np.argsort(-items.var(axis=0), kind="stable")[:width])
    set_item_rows(student, items[:, picked])

"""The student begins with the teacher's item vectors, turned and cut to its width."""

from typing import Any

import numpy as np
import tf_keras as keras

from kdrec.models.initialisers.base import asked, check_items, right_singular, set_item_rows, sizes

NEEDS = frozenset({"item_embedding"})


def item_svd(student: keras.Model, *, scores: Any = None, item_embedding: Any = None, seed: int = 0) -> None:
    """E = Y V_d, with Y = U S Vᵀ the teacher's item vectors: of all tables of width d, E Eᵀ is nearest to Y Yᵀ.

    Nothing is centred, so that dot products are kept; one factor gives E the size of a random table.

    Args:
        student: a model of `kdrec.models.students`, whose item tables are set.
        scores: not read.
        item_embedding: (n_items, teacher width) Y.
        seed: of the search for V.

    Raises:
        TrainingError: no item_embedding, or one of other items.

    Source: Eckart and Young, 1936, doi:10.1007/BF02288367.

    >>> from kdrec.models.students.history import history
    >>> student = history(3, embedding_dim=1, history_length=2)
    >>> item_svd(student, item_embedding=np.array([[3.0, 0.1], [0.0, 0.1], [-3.0, 0.1]]))
    >>> np.sign(student.get_layer("item_table").table.numpy().round(3))[:, 0].tolist()  # padding, then the items
    [0.0, 1.0, 0.0, -1.0]
    """
    items = np.asarray(asked(item_embedding, "item_embedding", "item_svd"), np.float64)
    n_items, width = sizes(student)
    check_items(items.shape, 0, n_items, "item_embedding")
    _, vectors = right_singular([items], min(width, items.shape[1]), seed)
    set_item_rows(student, items @ vectors)

"""Full Topology Distillation: users and items of a batch lie to each other as they do for the teacher."""

from typing import Any

import tensorflow as tf
import tf_keras as keras

from kdrec.losses.base import DistillationLoss


def ftd(teacher_entities, student_entities) -> tf.Tensor:
    """(1/n) Σ_j (cos(e_i, e_j) − cos(e'_i, e'_j))², row i of ‖A_t − A_s‖²_F / n, A the cosines of a batch's n entities.

    The mean over entities in place of the paper's sum leaves the value's size to the batch (Kang et al., KDD 2021,
    arXiv:2106.08700). No projection: the two widths may differ.

    Args:
        teacher_entities: (n, teacher width) e.
        student_entities: (n, student width) e'.

    Returns:
        (n,) float32, at least 0; 0 where the student's entities are the teacher's, turned or scaled.

    >>> ftd(tf.constant([[1.0, 0.0], [0.0, 1.0]]), tf.constant([[3.0], [2.0]])).numpy().tolist()  # cosines 0, but 1
    [0.5, 0.5]
    """
    return tf.reduce_mean(tf.square(cosines(teacher_entities) - cosines(student_entities)), axis=-1)


def cosines(entities: tf.Tensor, others: tf.Tensor | None = None) -> tf.Tensor:
    """The cosine of each entity and each other one, itself among them: (n, width), (m, width) -> (n, m)."""
    units = tf.math.l2_normalize(tf.cast(entities, tf.float32), axis=-1)
    against = units if others is None else tf.math.l2_normalize(tf.cast(others, tf.float32), axis=-1)
    return tf.matmul(units, against, transpose_b=True)


def row_items(held_out: tf.Tensor, seed: int, step: tf.Tensor) -> tf.Tensor:
    """An item for each row: one of its held-out items, or any for a row without.

    The first one from a place that is drawn uniformly, around the end of the catalogue.

    Args:
        held_out: (rows, n_items) bool.
        seed: of the loss that draws.
        step: the optimizer's step.

    Returns:
        (rows,) int32 positions.

    >>> row_items(tf.constant([[False, False, True, False]]), 0, 0).numpy().tolist()
    [2]
    """
    n_items = held_out.shape[-1]
    start = tf.random.stateless_uniform(tf.shape(held_out)[:1], [seed, step], maxval=n_items, dtype=tf.int32)
    nearness = n_items - (tf.range(n_items) - start[:, tf.newaxis]) % n_items  # n_items at the start, down to 1
    first = tf.argmax(tf.where(held_out, nearness, 0), axis=1, output_type=tf.int32)
    return tf.where(tf.reduce_any(held_out, axis=1), first, start)


def entities_of(student, teacher, batch, seed: int) -> tuple[tf.Tensor, tf.Tensor]:
    """A batch's users, then an item for each row, as the teacher and as the student has them: (2 rows, width) each."""
    items = row_items(batch.held_out, seed, batch.step)
    of_teacher = tf.concat([teacher["user_embedding"], tf.gather(teacher["item_embedding"], items)], axis=0)
    of_student = tf.concat([student["query"], tf.gather(student["item_embedding"], items)], axis=0)
    return of_teacher, of_student


def by_row(values: tf.Tensor) -> tf.Tensor:
    """The mean of a row's two entities, its user and its item: (2 rows,) -> (rows,)."""
    return tf.reduce_mean(tf.reshape(values, [2, -1]), axis=0)


@keras.utils.register_keras_serializable("kdrec")
class Ftd(DistillationLoss):
    """`ftd` of the rows' queries and an item for each row, a held-out one where there is.

    A row's value depends on the other rows of its batch, also on those that weigh nothing.
    """

    needs = frozenset({"user_embedding", "item_embedding"})
    reads = frozenset({"query", "item_embedding"})
    rows_alone = False

    def __init__(self, seed: int = 0, **kwargs: Any):
        super().__init__(**kwargs)
        self.seed = seed

    def get_config(self) -> dict:
        return {**super().get_config(), "seed": self.seed}

    def call(self, student, teacher, batch):
        return by_row(ftd(*entities_of(student, teacher, batch, self.seed)))

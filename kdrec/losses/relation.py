"""Relational distillation: the distances between the users of a batch, in units of their mean."""

import tensorflow as tf
import tf_keras as keras

from kdrec.losses.base import DistillationLoss


def relation(teacher_queries, student_queries) -> tf.Tensor:
    """(1/(n−1)) Σ_{j≠i} huber(‖t_i − t_j‖/μ_t − ‖s_i − s_j‖/μ_s), μ the mean distance of all pairs.

    huber(x) = x²/2 up to |x| = 1, and |x| − 1/2 beyond: the distance-wise loss of RKD (Park et al., CVPR 2019,
    arXiv:1904.05068). No projection: the two widths may differ.

    Args:
        teacher_queries: (rows, teacher width) t.
        student_queries: (rows, student width) s.

    Returns:
        (rows,) float32, at least 0; 0 for a batch of one row.

    >>> line = tf.constant([[0.0], [1.0], [3.0]])  # distances 1, 2, 3, mean 2
    >>> values = relation(line, tf.constant([[0.0], [1.0], [2.0]]))  # distances 1, 1, 2, mean 4/3: two differ by 1/4
    >>> tf.round(64 * values).numpy().tolist()
    [1.0, 2.0, 1.0]
    """
    pairs = 1.0 - tf.eye(tf.shape(teacher_queries)[0])  # (rows, rows)
    x = tf.abs(_distances(teacher_queries, pairs) - _distances(student_queries, pairs))
    values = tf.where(x <= 1.0, tf.square(x) / 2.0, x - 0.5)
    return tf.math.divide_no_nan(tf.reduce_sum(pairs * values, axis=1), tf.reduce_sum(pairs, axis=1))


def _distances(queries: tf.Tensor, pairs: tf.Tensor) -> tf.Tensor:
    """The distance of each two rows over their mean, 0 on the diagonal: (rows, width), (rows, rows) -> (rows, rows)."""
    queries = tf.cast(queries, tf.float32)
    squares = tf.reduce_sum(tf.square(queries), axis=1)
    between = squares[:, tf.newaxis] + squares - 2.0 * tf.matmul(queries, queries, transpose_b=True)
    distances = pairs * tf.sqrt(tf.maximum(between, 1e-12))  # equal rows have no gradient
    return tf.math.divide_no_nan(distances, tf.math.divide_no_nan(tf.reduce_sum(distances), tf.reduce_sum(pairs)))


@keras.utils.register_keras_serializable("kdrec")
class Relation(DistillationLoss):
    """`relation` of the rows' queries; a row's value depends on the others, also on those that weigh nothing."""

    needs = frozenset({"user_embedding"})
    reads = frozenset({"query"})
    rows_alone = False

    def call(self, student, teacher, batch):
        return relation(teacher["user_embedding"], student["query"])

"""Mean squared error between the teacher's and the student's scores."""

import tensorflow as tf
import tf_keras as keras

from kdrec.losses.base import DistillationLoss


def score_mse(teacher_scores, student_scores, left_out=None) -> tf.Tensor:
    """(1/|U|) Σ_{i∈U} (t_i − s_i)², U the items that are not left out (Ba & Caruana, 2014, arXiv:1312.6184).

    Args:
        teacher_scores: (rows, n_items) t.
        student_scores: (rows, n_items) s.
        left_out: (rows, n_items) bool, or None for all items.

    Returns:
        (rows,) float32; 0 for a row with every item left out.

    >>> float(score_mse(tf.constant([[1.0, 2.0]]), tf.constant([[0.0, 4.0]]))[0])  # (1 + 4) / 2
    2.5
    """
    squares = tf.square(tf.cast(teacher_scores, tf.float32) - tf.cast(student_scores, tf.float32))
    kept = tf.ones_like(squares) if left_out is None else 1.0 - tf.cast(left_out, tf.float32)
    return tf.math.divide_no_nan(tf.reduce_sum(kept * squares, axis=-1), tf.reduce_sum(kept, axis=-1))


@keras.utils.register_keras_serializable("kdrec")
class ScoreMse(DistillationLoss):
    """`score_mse` over the items that a row has not seen."""

    def call(self, student, teacher, batch):
        return score_mse(teacher["scores"], student["scores"], batch.seen)

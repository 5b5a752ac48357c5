"""Softened Kullback–Leibler divergence between the teacher's and the student's distribution over the catalogue."""

import tensorflow as tf
import tf_keras as keras

from kdrec.losses.base import LEFT_OUT, TemperedLoss


def softened_kl(teacher_scores, student_scores, temperature=1.0, left_out=None) -> tf.Tensor:
    """T² Σ_i p_i (log p_i − log q_i) with p = softmax(t/T), q = softmax(s/T) (Hinton et al., 2015, arXiv:1503.02531).

    Args:
        teacher_scores: (rows, n_items) t.
        student_scores: (rows, n_items) s.
        temperature: T > 0; the factor T² keeps the size of the gradient.
        left_out: (rows, n_items) bool, items that neither distribution holds (those already seen), or None.

    Returns:
        (rows,) float32, at least 0, and 0 when both say the same.

    >>> float(softened_kl(tf.constant([[1.0, 2.0]]), tf.constant([[3.0, 4.0]]), 2.0)[0])  # shifted scores, same softmax
    0.0
    """
    teacher = tf.cast(teacher_scores, tf.float32) / temperature
    student = tf.cast(student_scores, tf.float32) / temperature
    if left_out is not None:
        teacher, student = tf.where(left_out, LEFT_OUT, teacher), tf.where(left_out, LEFT_OUT, student)
    log_p, log_q = tf.nn.log_softmax(teacher), tf.nn.log_softmax(student)
    return temperature**2 * tf.reduce_sum(tf.exp(log_p) * (log_p - log_q), axis=-1)


@keras.utils.register_keras_serializable("kdrec")
class SoftenedKl(TemperedLoss):
    """`softened_kl` over the items that a row has not seen.

    >>> from kdrec.losses.base import Batch
    >>> loss = SoftenedKl(temperature=2.0)
    >>> same = {"scores": tf.constant([[1.0, 2.0, 3.0]])}
    >>> float(loss(same, same, Batch.of([[True, False, False]]))[0])
    0.0
    """

    def call(self, student, teacher, batch):
        return softened_kl(teacher["scores"], student["scores"], self.temperature_at(batch), batch.seen)

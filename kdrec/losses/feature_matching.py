"""Feature matching: the student's query, through a learned projection, is drawn to the teacher's user embedding."""

import tensorflow as tf
import tf_keras as keras

from kdrec.losses.base import DistillationLoss


def feature_matching(teacher_features, projected_features) -> tf.Tensor:
    """‖W h_s − h_t‖² / d_t (the hint loss of FitNets, Romero et al., 2015, arXiv:1412.6550).

    Args:
        teacher_features: (rows, teacher width) h_t.
        projected_features: (rows, teacher width) W h_s.

    Returns:
        (rows,) float32.

    >>> float(feature_matching(tf.constant([[1.0, 0.0]]), tf.constant([[0.0, 2.0]]))[0])  # (1 + 4) / 2
    2.5
    """
    difference = tf.cast(teacher_features, tf.float32) - tf.cast(projected_features, tf.float32)
    return tf.reduce_mean(tf.square(difference), axis=-1)


@keras.utils.register_keras_serializable("kdrec")
class FeatureMatching(DistillationLoss):
    """`feature_matching` with the projection W, which learns along and never ships."""

    needs = frozenset({"user_embedding"})
    reads = frozenset({"query"})

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.projection = None

    def call(self, student, teacher, batch):
        if self.projection is None:  # the teacher's width is known with the first batch
            self.projection = keras.layers.Dense(teacher["user_embedding"].shape[-1], use_bias=False, name="projection")
        return feature_matching(teacher["user_embedding"], self.projection(student["query"]))

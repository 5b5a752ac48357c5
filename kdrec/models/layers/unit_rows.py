"""Item rows of one length, normalised while a student is trained: one scale of a file then fits them all."""

import tensorflow as tf


def unit_rows(table: tf.Tensor) -> tf.Tensor:
    """E_i = T_i / |T_i|; a row of zeros, as that of padding, stays zero.

    >>> unit_rows(tf.constant([[0.0, 0.0], [0.0, 2.0]])).numpy().tolist()
    [[0.0, 0.0], [0.0, 1.0]]
    """
    return tf.math.l2_normalize(table, axis=1)

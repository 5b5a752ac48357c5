"""A stored top list read as scores of the whole catalogue."""

import tensorflow as tf


def dense_scores(top_items: tf.Tensor, top_scores: tf.Tensor, n_items: int) -> tf.Tensor:
    """Scores of all items from a teacher's top list; an item outside of it gets the score of the list's last.

    Args:
        top_items: (rows, K) item positions, best first.
        top_scores: (rows, K).
        n_items: items in the catalogue.

    Returns:
        (rows, n_items) float32: at least what the teacher said, and exactly that for the listed items.

    >>> dense_scores(tf.constant([[2, 0]]), tf.constant([[5.0, 3.0]]), 4).numpy().tolist()
    [[3.0, 3.0, 5.0, 3.0]]
    """
    scores = tf.cast(top_scores, tf.float32)
    last = scores[:, -1:]  # (rows, 1)
    rows, width = tf.shape(top_items)[0], tf.shape(top_items)[1]
    at = tf.stack([tf.repeat(tf.range(rows), width), tf.reshape(tf.cast(top_items, tf.int32), [-1])], axis=1)
    return last + tf.scatter_nd(at, tf.reshape(scores - last, [-1]), [rows, n_items])

"""What a factor model is trained for: its item before items drawn at random. One function a loss, one value a row."""

import tensorflow as tf

from kdrec.losses.base import LEFT_OUT


def bpr(query: tf.Tensor, items: tf.Tensor, item: tf.Tensor, negatives: tf.Tensor) -> tf.Tensor:
    """−log σ(q · c_item − q · c_j), the mean over a row's own negatives j.

    Args:
        query: (rows, d).
        items: (n_items, d), the vectors c.
        item: (rows,) positions of the items that are to win.
        negatives: (rows, n) positions.

    Returns:
        (rows,) float32.

    Source: Rendle et al., BPR: Bayesian Personalized Ranking from Implicit Feedback, UAI 2009.

    >>> items = tf.constant([[1.0], [0.0], [1.0]])
    >>> float(bpr(tf.constant([[1.0]]), items, tf.constant([0]), tf.constant([[2]]))[0])  # log 2
    0.6931471824645996
    """
    own = tf.reduce_sum(query * tf.gather(items, item), axis=1)  # (rows,)
    others = tf.linalg.matvec(tf.gather(items, negatives), query)  # (rows, n)
    return tf.reduce_mean(tf.nn.softplus(others - own[:, tf.newaxis]), axis=1)


def softmax(query: tf.Tensor, items: tf.Tensor, item: tf.Tensor, negatives: tf.Tensor) -> tf.Tensor:
    """−log of the item's share, exp(q · c_item) / (exp(q · c_item) + Σ_j exp(q · c_j)), j the negatives of all rows.

    A negative that is the row's own item does not count against it.

    Args:
        query: (rows, d).
        items: (n_items, d), the vectors c.
        item: (rows,) positions of the items that are to win.
        negatives: (n,) positions.

    Returns:
        (rows,) float32.

    Source: van den Oord et al., Representation Learning with Contrastive Predictive Coding, arXiv:1807.03748.

    >>> items = tf.constant([[1.0], [0.0], [1.0]])
    >>> float(softmax(tf.constant([[1.0]]), items, tf.constant([0]), tf.constant([2, 0]))[0])  # log 2
    0.6931471824645996
    """
    own = tf.reduce_sum(query * tf.gather(items, item), axis=1, keepdims=True)  # (rows, 1)
    others = tf.matmul(query, tf.gather(items, negatives), transpose_b=True)  # (rows, n)
    others = tf.where(negatives == item[:, tf.newaxis], LEFT_OUT, others)
    return tf.reduce_logsumexp(tf.concat([own, others], axis=1), axis=1) - own[:, 0]


LOSSES = {"bpr": bpr, "softmax": softmax}

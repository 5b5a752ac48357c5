"""The hard loss of single items: each score is the log-odds that the user takes the item."""

from typing import Any

import tensorflow as tf
import tf_keras as keras

from kdrec.losses.base import check_at_least, items_mask, scores_of, split_labels
from kdrec.losses.bpr import draw_unseen


def bce(labels: tf.Tensor, scores: tf.Tensor, negatives: int | None = None, seed: int = 0) -> tf.Tensor:
    """−(1/|U|) [Σ_{i∈H} log σ(s_i) + Σ_{j∈U∖H} log(1 − σ(s_j))], U the unseen items, H the held-out ones among them.

    With `negatives` = m, U∖H is replaced by m items drawn from it for each held-out item, as in SASRec (Kang and
    McAuley, 2018, arXiv:1808.09781): the mean is then over |H|(1 + m) terms. Draws depend on the batch's labels.
    A row without held-out items costs 0.

    Args:
        labels: (rows, width) integers: +token for a held-out item, −token for a seen one, 0 for padding.
        scores: (rows, n_items), the student's.
        negatives: m, or None for all unseen items.
        seed: of the draws.

    Returns:
        (rows,) float32.

    >>> round(float(bce([[1, -3]], tf.constant([[0.0, 0.0, 9.0]]))[0]), 6)  # two unseen items at even odds: log 2
    0.693147
    """
    labels = tf.convert_to_tensor(labels)
    n_items = scores.shape[-1]
    if negatives is None:
        held_out, seen = split_labels(labels)
        wanted = items_mask(held_out, n_items)  # (rows, n_items)
        others = ~wanted & ~items_mask(seen, n_items)
        taken, left = _sum(wanted, -scores), _sum(others, scores)
        terms = _count(wanted | others, scores)
    else:
        targets, items, any_free = draw_unseen(labels, n_items, negatives, seed)
        wanted = targets > 0  # (rows, most)
        others = tf.repeat(wanted & any_free[:, tf.newaxis], negatives, axis=1)  # (rows, most · negatives)
        taken, left = _sum(wanted, -scores_of(scores, targets - 1)), _sum(others, scores_of(scores, items))
        terms = _count(wanted, scores) + _count(others, scores)
    has_target = tf.cast(tf.reduce_any(wanted, axis=1), scores.dtype)
    return has_target * tf.math.divide_no_nan(taken + left, terms)


def _sum(counted: tf.Tensor, scores: tf.Tensor) -> tf.Tensor:
    """Σ −log(1 − σ(s)) over the counted scores of each row, (rows,)."""
    return tf.reduce_sum(tf.cast(counted, scores.dtype) * tf.nn.softplus(scores), axis=1)


def _count(counted: tf.Tensor, scores: tf.Tensor) -> tf.Tensor:
    """How many are counted in each row, (rows,)."""
    return tf.math.count_nonzero(counted, axis=1, dtype=scores.dtype)


@keras.utils.register_keras_serializable("kdrec")
class Bce(keras.losses.Loss):
    """`bce` as a Keras loss for `compile(loss=…)`."""

    def __init__(self, negatives: int | None = None, seed: int = 0, **kwargs: Any):
        if negatives is not None:
            check_at_least("negatives", negatives)
        super().__init__(**kwargs)
        self.negatives, self.seed = negatives, seed

    def call(self, labels: tf.Tensor, scores: tf.Tensor) -> tf.Tensor:
        return bce(labels, scores, self.negatives, self.seed)

    def get_config(self) -> dict:
        return {**super().get_config(), "negatives": self.negatives, "seed": self.seed}

"""The hard loss of pairs: a held-out item should stand above unseen items that are drawn."""

from typing import Any

import tensorflow as tf
import tf_keras as keras

from kdrec.losses.base import check_at_least, items_mask, scores_of, split_labels


def labels_seed(labels: tf.Tensor, seed: int = 0) -> tf.Tensor:
    """A seed that depends on the labels of a batch alone, Σ label · place: a loss that keeps no state draws by it.

    Args:
        labels: (rows, width) integers.
        seed: of the loss; another one gives other draws.

    Returns:
        (2,) int64, for `tf.random.stateless_uniform`.

    >>> labels_seed(tf.constant([[3, -1], [0, 2]]), seed=7).numpy().tolist()  # 3·1 − 1·2 + 0·3 + 2·4
    [7, 9]
    """
    flat = tf.reshape(tf.cast(labels, tf.int64), [-1])
    places = tf.range(1, tf.size(flat, out_type=tf.int64) + 1)
    return tf.stack([tf.constant(seed, tf.int64), tf.reduce_sum(flat * places)])


def draw_unseen(
    labels: tf.Tensor, n_items: int, negatives: int, seed: int = 0
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Each held-out item, and items drawn for it, uniformly and with replacement, that its row has not seen.

    Args:
        labels: (rows, width) signed tokens.
        n_items: items in the catalogue.
        negatives: draws for each held-out item.
        seed: of the loss.

    Returns:
        (rows, most) int32 tokens of the held-out items, 0 behind the last one, (rows, most · negatives) int32
        positions drawn for them in turn, and (rows,) bool: whether the row has any item to draw.
    """
    held_out, seen = split_labels(labels)
    free = tf.cast(~(items_mask(held_out, n_items) | items_mask(seen, n_items)), tf.int32)
    ranks = tf.cumsum(free, axis=1)  # (rows, n_items): how many free items stand up to here
    count = tf.cast(ranks[:, -1:], tf.float32)
    most = tf.reduce_max(tf.math.count_nonzero(held_out, axis=1, dtype=tf.int32))
    targets = tf.sort(held_out, axis=1, direction="DESCENDING")[:, :most]
    drawn = tf.random.stateless_uniform([tf.shape(labels)[0], most * negatives], labels_seed(labels, seed))
    # A draw below 1 times the count may round up to the count.
    wanted = tf.cast(tf.minimum(tf.floor(drawn * count), count - 1), tf.int32) + 1
    return targets, tf.minimum(tf.searchsorted(ranks, wanted), n_items - 1), count[:, 0] > 0


def bpr(labels: tf.Tensor, scores: tf.Tensor, negatives: int = 10, seed: int = 0) -> tf.Tensor:
    """−(1/|H|) Σ_{i∈H} (1/m) Σ_j log σ(s_i − s_j), j the m unseen items drawn for i (Rendle, 2009, arXiv:1205.2618).

    Draws are uniform, from the items that the row has neither seen nor held out, and depend on the batch's labels:
    equal batches draw equal items. A row without held-out items, or with nothing to draw, costs 0.

    Args:
        labels: (rows, width) integers: +token for a held-out item, −token for a seen one, 0 for padding.
        scores: (rows, n_items), the student's.
        negatives: m, draws for each held-out item.
        seed: of the draws.

    Returns:
        (rows,) float32.

    >>> float(bpr([[1, -3]], tf.constant([[0.0, 0.0, 9.0]]))[0])  # only item 1 is unseen, at an equal score: log 2
    0.6931471824645996
    """
    labels = tf.convert_to_tensor(labels)
    targets, items, any_free = draw_unseen(labels, scores.shape[-1], negatives, seed)
    above = tf.repeat(scores_of(scores, targets - 1), negatives, axis=1)  # (rows, most · negatives)
    counted = tf.cast(tf.repeat((targets > 0) & any_free[:, tf.newaxis], negatives, axis=1), scores.dtype)
    costs = tf.reduce_sum(counted * tf.nn.softplus(scores_of(scores, items) - above), axis=1)
    return tf.math.divide_no_nan(costs, tf.reduce_sum(counted, axis=1))


@keras.utils.register_keras_serializable("kdrec")
class Bpr(keras.losses.Loss):
    """`bpr` as a Keras loss for `compile(loss=…)`."""

    def __init__(self, negatives: int = 10, seed: int = 0, **kwargs: Any):
        check_at_least("negatives", negatives)
        super().__init__(**kwargs)
        self.negatives, self.seed = negatives, seed

    def call(self, labels: tf.Tensor, scores: tf.Tensor) -> tf.Tensor:
        return bpr(labels, scores, self.negatives, self.seed)

    def get_config(self) -> dict:
        return {**super().get_config(), "negatives": self.negatives, "seed": self.seed}

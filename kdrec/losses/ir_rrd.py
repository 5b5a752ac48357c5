"""Item-side Ranking Regularized Distillation: users in the teacher's order within an item, beside `rrd`'s items."""

from typing import Any

import tensorflow as tf
import tf_keras as keras

from kdrec.losses.base import LEFT_OUT, check_at_least, draw_items
from kdrec.losses.rrd import Rrd, plackett_luce, rrd


def ir_rrd(
    student_scores, top_items, drawn_items, item_users, rows, asked_items, item_weight=1.0, left_out=None
) -> tf.Tensor:
    """rrd(s_u) + w · (1/|I|) Σ_{i∈I} rrd over users of s_{·i}: the same likelihood of the rows of the batch in an item.

    For an asked item the batch's rows that its `item_users` list holds are the ranked ones, best first; the batch's
    other rows that have not seen it stand below them (Kang et al., 2021, Information Sciences 580,
    doi:10.1016/j.ins.2021.08.060). I are the asked items that rank a row of the batch. Every row bears an equal share
    of the item side, so that the mean over rows is the sum of both sides: a row's value depends on the others.

    Args:
        student_scores: (rows, n_items) s.
        top_items, drawn_items: (rows, K) and (rows, draws), as `rrd` takes them.
        item_users: (n_items, R) cache rows in the teacher's order for the item, best first; −1 is padding.
        rows: (rows,) the cache rows that the batch holds, no two equal.
        asked_items: (asked,) positions of the items whose users are compared; −1 asks nothing.
        item_weight: w ≥ 0.
        left_out: (rows, n_items) bool, seen items, or None.

    Returns:
        (rows,) float32.

    >>> scores, top = tf.math.log([[1.0, 2.0], [1.0, 6.0]]), tf.constant([[0], [0]])
    >>> users = tf.constant([[8, 7], [7, -1]])  # row 7 of the cache is the batch's first, 8 its second
    >>> rows, asked, nothing = tf.constant([7, 8]), tf.constant([1]), tf.zeros([2, 0], tf.int32)
    >>> value = ir_rrd(scores, top, nothing, users, rows, asked)  # the items' lists hold one item: they cost 0
    >>> round(float(tf.exp(-value)[0]), 5)  # user 7 above 8 for item 1: 2/(2 + 6)
    0.25
    """
    scores = tf.cast(student_scores, tf.float32)
    by_row = rrd(scores, top_items, drawn_items, left_out)
    columns = tf.maximum(asked_items, 0)
    unseen = tf.ones_like(scores, tf.bool) if left_out is None else ~left_out
    of_items = tf.transpose(tf.gather(scores, columns, axis=1))  # (asked, rows)
    open_to = tf.transpose(tf.gather(unseen, columns, axis=1)) & (asked_items >= 0)[:, tf.newaxis]  # (asked, rows)
    place, found = places(tf.gather(item_users, columns), rows)  # (asked, R)
    listed = found & tf.gather(open_to, place, batch_dims=1)
    at = tf.stack([tf.broadcast_to(tf.range(tf.shape(place)[0])[:, tf.newaxis], tf.shape(place)), place], axis=-1)
    in_list = tf.scatter_nd(at, tf.cast(listed, tf.int32), tf.shape(of_items)) > 0
    rest = tf.reduce_logsumexp(tf.where(open_to & ~in_list, of_items, LEFT_OUT), axis=1)
    by_item = plackett_luce(tf.gather(of_items, place, batch_dims=1), listed, rest)  # (asked,)
    ranking = tf.cast(tf.reduce_any(listed, axis=1), tf.float32)
    return by_row + item_weight * tf.math.divide_no_nan(tf.reduce_sum(by_item), tf.reduce_sum(ranking))


def places(users: tf.Tensor, rows: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Where in the batch the listed cache rows stand, and whether they do; found by a search in the batch's rows.

    Args:
        users: (lists, R) cache rows; −1 is padding.
        rows: (rows,) the cache rows of the batch.

    Returns:
        (lists, R) int32 places in the batch, and (lists, R) bool; a place that is not found means nothing.

    >>> place, found = places(tf.constant([[3, 9, -1]]), tf.constant([9, 5]))
    >>> int(place[0, 1]), found.numpy().tolist()
    (0, [[False, True, False]])
    """
    order = tf.argsort(rows)
    ascending = tf.gather(rows, order)
    at = tf.searchsorted(ascending, tf.reshape(tf.cast(users, rows.dtype), [-1]))
    at = tf.reshape(tf.minimum(at, tf.shape(rows)[0] - 1), tf.shape(users))
    return tf.gather(order, at), tf.gather(ascending, at) == tf.cast(users, rows.dtype)


@keras.utils.register_keras_serializable("kdrec")
class IrRrd(Rrd):
    """`ir_rrd` with the users of `items` items a step, drawn from the top lists of the batch's rows."""

    needs = frozenset({"top_items", "item_users", "row"})
    rows_alone = False

    def __init__(
        self, top: int = 60, negatives: int = 100, items: int = 64, item_weight: float = 1.0, seed: int = 0,
        **kwargs: Any,
    ):  # fmt: skip
        check_at_least("items", items)
        check_at_least("item_weight", item_weight, 0)
        super().__init__(top, negatives, seed, **kwargs)
        self.items, self.item_weight = items, item_weight

    def get_config(self) -> dict:
        return {**super().get_config(), "items": self.items, "item_weight": self.item_weight}

    def call(self, student, teacher, batch):
        scores, listed = student["scores"], teacher["top_items"][:, : self.top]
        drawn = draw_items(tf.shape(scores)[0], scores.shape[-1], self.negatives, self.seed, batch.step)
        asked = draw_items(1, tf.size(listed), self.items, self.seed + 1, batch.step)[0]  # apart from the other draws
        asked_items = tf.gather(tf.reshape(listed, [-1]), asked)
        return ir_rrd(
            scores, listed, drawn, teacher["item_users"], teacher["row"], asked_items, self.item_weight, batch.seen
        )

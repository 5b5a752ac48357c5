"""Unbiased Knowledge Distillation: the teacher's order is taught among items of like popularity only."""

from typing import Any

import tensorflow as tf
import tf_keras as keras

from kdrec.losses.base import LEFT_OUT, DistillationLoss, check_at_least, check_positive, scores_of


def unkd(student_scores, teacher_scores, groups, uniform, decay=10.0, top=50, left_out=None) -> tf.Tensor:
    """−(1/G) Σ_g (1/|P_g|) Σ_{(i⁺, i⁻)∈P_g} log σ(s_{i⁺} − s_{i⁻}), i⁺ what the teacher ranks higher of two of group g.

    Both items of a pair are drawn from the teacher's ranking of the group, rank k with probability ∝ exp(−k/μ), so that
    a popular item never stands against an unpopular one (Chen et al., WSDM 2023, arXiv:2211.14729). Every group
    draws as many pairs, hence the plain mean over groups; two draws of one item are no pair, and a group without a
    pair is not counted.

    Args:
        student_scores: (rows, n_items) s.
        teacher_scores: (rows, n_items), which rank the items of a group.
        groups: (G, n_items) bool, the items of each group.
        uniform: (rows, G, pairs, 2) numbers in [0, 1), the draws.
        decay: μ > 0 in ranks.
        top: pairs come from the best so many of a group.
        left_out: (rows, n_items) bool, seen items, or None.

    Returns:
        (rows,) float32, at least 0.

    >>> halves, draws = tf.constant([[True, True, False], [False, False, True]]), tf.constant([[[[0.0, 0.99]]] * 2])
    >>> value = unkd(tf.math.log([[1.0, 3.0, 9.0]]), tf.constant([[2.0, 1.0, 0.0]]), halves, draws, decay=1.0)
    >>> round(float(tf.exp(-value)[0]), 5)  # items 0 and 1, no pair in the other group: σ(log(1/3)) = 1/4
    0.25
    """
    student, teacher = tf.cast(student_scores, tf.float32), tf.cast(teacher_scores, tf.float32)
    hidden = 0.0 if left_out is None else LEFT_OUT * tf.cast(left_out, tf.float32)
    width, losses, has_pairs = min(top, student.shape[-1]), [], []
    for group in range(groups.shape[0]):
        among = tf.where(groups[group], teacher, LEFT_OUT) + hidden
        values, ranking = tf.math.top_k(among, width)  # (rows, width)
        length = tf.reduce_sum(tf.cast(values > LEFT_OUT / 2, tf.float32), axis=1)[:, tf.newaxis, tf.newaxis]
        ranks = tf.floor(-decay * tf.math.log1p(uniform[:, group] * tf.math.expm1(-length / decay)))
        ranks = tf.cast(tf.clip_by_value(ranks, 0.0, tf.maximum(length - 1.0, 0.0)), tf.int32)  # (rows, pairs, 2)
        better, worse = tf.reduce_min(ranks, axis=-1), tf.reduce_max(ranks, axis=-1)  # (rows, pairs)
        margins = scores_of(student, scores_of(ranking, better)) - scores_of(student, scores_of(ranking, worse))
        pairs = tf.cast(better < worse, tf.float32)
        count = tf.reduce_sum(pairs, axis=1)
        losses.append(tf.math.divide_no_nan(tf.reduce_sum(pairs * tf.nn.softplus(-margins), axis=1), count))
        has_pairs.append(tf.cast(count > 0, tf.float32))
    return tf.math.divide_no_nan(tf.add_n(losses), tf.add_n(has_pairs))


def popularity_groups(item_counts: tf.Tensor, groups: int) -> tf.Tensor:
    """Items from the most to the least popular, cut into groups of equal total popularity.

    An item belongs to the group in which the total of all more popular items ends.

    Args:
        item_counts: (n_items,) how often each was interacted with.
        groups: G.

    Returns:
        (G, n_items) bool, each item in one group.

    >>> popularity_groups(tf.constant([1, 4, 1, 2]), 2).numpy().tolist()  # 4 | 2 + 1 + 1
    [[False, True, False, False], [True, False, True, True]]
    """
    counts = tf.cast(item_counts, tf.float64)
    order = tf.argsort(counts, direction="DESCENDING", stable=True)
    before = tf.cumsum(tf.gather(counts, order), exclusive=True)
    share = tf.math.divide_no_nan(groups * before, tf.reduce_sum(counts))
    group = tf.gather(tf.minimum(tf.cast(share, tf.int32), groups - 1), tf.argsort(order, stable=True))  # (n_items,)
    return group[tf.newaxis, :] == tf.range(groups)[:, tf.newaxis]


@keras.utils.register_keras_serializable("kdrec")
class Unkd(DistillationLoss):
    """`unkd` with `pairs` draws a row, popularity group and step."""

    needs = frozenset({"scores", "item_counts"})

    def __init__(
        self, groups: int = 4, pairs: int = 30, decay: float = 10.0, top: int = 50, seed: int = 0, **kwargs: Any
    ):
        check_at_least("groups", groups, 1)
        check_at_least("pairs", pairs, 1)
        check_at_least("top", top, 2)
        check_positive("decay", decay)
        super().__init__(**kwargs)
        self.groups, self.pairs, self.decay, self.top, self.seed = groups, pairs, decay, top, seed

    def get_config(self) -> dict:
        own = {name: getattr(self, name) for name in ("groups", "pairs", "decay", "top", "seed")}
        return {**super().get_config(), **own}

    def call(self, student, teacher, batch):
        shape = [tf.shape(student["scores"])[0], self.groups, self.pairs, 2]
        uniform = tf.random.stateless_uniform(shape, seed=[self.seed, batch.step])
        groups = popularity_groups(teacher["item_counts"], self.groups)
        return unkd(student["scores"], teacher["scores"], groups, uniform, self.decay, self.top, batch.seen)

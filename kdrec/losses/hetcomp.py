"""HetComp: from an easier state of the teacher to the teacher itself, and from what is good to its order."""

from typing import Any

import tensorflow as tf
import tf_keras as keras

from kdrec.losses.base import (
    DistillationLoss,
    best_unseen,
    check_at_least,
    items_mask,
    log_sum_unseen,
    may_rank,
    scores_of,
)
from kdrec.losses.rrd import plackett_luce


def hetcomp(student_scores, target_items, ordered, left_out=None) -> tf.Tensor:
    """−(1/K) Σ_k log [exp(s_{π_k}) / (E_k + Σ_{j∉π} exp(s_j))], E_k = exp(s_{π_k}), or Σ_{i≥k} exp(s_{π_i}) if ordered.

    At first the listed items π only have to rise above all others, later their order counts as well: the relaxed
    Plackett–Luce likelihood of RRD over the whole catalogue (Kang et al., WWW 2023, arXiv:2303.01130).

    Args:
        student_scores: (rows, n_items) s.
        target_items: (rows, K) π, what is to be learnt now, best first, from `target_of`; −1 is padding.
        ordered: bool scalar, whether the order of π counts.
        left_out: (rows, n_items) bool, seen items, or None.

    Returns:
        (rows,) float32, at least 0.

    >>> scores, target = tf.math.log([[1.0, 2.0, 3.0]]), tf.constant([[2, 1]])
    >>> float(tf.exp(-2 * hetcomp(scores, target, False))[0])  # 3/(3 + 1) · 2/(2 + 1)
    0.5
    >>> round(float(tf.exp(-2 * hetcomp(scores, target, True))[0]), 5)  # 3/(3 + 2 + 1) · 2/(2 + 1)
    0.33333
    """
    scores = tf.cast(student_scores, tf.float32)
    counts, ranked = may_rank(target_items, left_out), scores_of(scores, target_items)  # (rows, K)
    outside = items_mask(target_items + 1, scores.shape[-1])
    rest = log_sum_unseen(scores, outside if left_out is None else outside | left_out)  # (rows,)
    kept = tf.cast(counts, tf.float32)
    above = tf.reduce_sum(kept * tf.nn.softplus(rest[:, tf.newaxis] - ranked), axis=1)
    overall = tf.math.divide_no_nan(above, tf.reduce_sum(kept, axis=1))
    return tf.where(ordered, plackett_luce(ranked, counts, rest), overall)


def discrepancy(own_items, snapshot_items, decay=10.0) -> tf.Tensor:
    """1 − NDCG@K of the student's list, an item at place k of the snapshot's list being worth 2^exp(−k/λ) − 1.

    Args:
        own_items: (rows, K) the student's best items, best first.
        snapshot_items: (rows, S, K) the best items of S states of the teacher; −1 is padding.
        decay: λ in ranks.

    Returns:
        (rows, S) in [0, 1]; 0 where both lists are one.

    >>> discrepancy(tf.constant([[3, 1]]), tf.constant([[[3, 1], [0, 2]]])).numpy().tolist()
    [[0.0, 1.0]]
    """
    width = snapshot_items.shape[-1]
    places = tf.range(width, dtype=tf.float32)
    discount = tf.math.log(2.0) / tf.math.log(places + 2.0)
    worth = tf.where(snapshot_items >= 0, 2.0 ** tf.exp(-places / decay) - 1.0, 0.0)  # (rows, S, K)
    same = snapshot_items[:, :, :, tf.newaxis] == tf.cast(own_items, snapshot_items.dtype)[:, tf.newaxis, tf.newaxis, :]
    gain = tf.reduce_sum(worth * tf.reduce_sum(tf.cast(same, tf.float32) * discount, axis=-1), axis=-1)
    return 1.0 - tf.math.divide_no_nan(gain, tf.reduce_sum(worth * discount, axis=-1))


def target_of(discrepancies, snapshot_items, progress, tolerance=0.3) -> tf.Tensor:
    """The list that each row learns now: no state before ⌊progress · S⌋, and the first that it does not know yet.

    Args:
        discrepancies: (rows, S), from `discrepancy`.
        snapshot_items: (rows, S, K), the easiest state first.
        progress: scalar in [0, 1], share of the training done.
        tolerance: a state is known with a discrepancy up to this.

    Returns:
        (rows, K), of the last state for a row that knows all.

    >>> states = tf.constant([[[5], [6], [7]]])
    >>> target_of(tf.constant([[0.1, 0.9, 0.9]]), states, 0.0).numpy().tolist()  # knows the first
    [[6]]
    """
    count = snapshot_items.shape[1]
    due = tf.minimum(tf.cast(progress * count, tf.int32), count - 1)
    unknown = (discrepancies > tolerance) & (tf.range(count) >= due)  # (rows, S)
    first = tf.argmax(unknown, axis=1, output_type=tf.int32)
    state = tf.where(tf.reduce_any(unknown, axis=1), first, count - 1)  # (rows,)
    return tf.gather(snapshot_items, state, axis=1, batch_dims=1)


@keras.utils.register_keras_serializable("kdrec")
class Hetcomp(DistillationLoss):
    """`hetcomp` towards `target_of` the teacher's snapshots, without order in the first `unordered` of the training."""

    needs = frozenset({"snapshot_items"})

    def __init__(self, top: int = 50, unordered: float = 0.5, tolerance: float = 0.3, **kwargs: Any):
        check_at_least("top", top, 1)
        check_at_least("unordered", unordered, 0)
        check_at_least("tolerance", tolerance, 0)
        super().__init__(**kwargs)
        self.top, self.unordered, self.tolerance = top, unordered, tolerance

    def get_config(self) -> dict:
        own = {name: getattr(self, name) for name in ("top", "unordered", "tolerance")}
        return {**super().get_config(), **own}

    def call(self, student, teacher, batch):
        snapshots = teacher["snapshot_items"][:, :, : self.top]
        own = best_unseen(student["scores"], snapshots.shape[-1], batch.seen)
        target = target_of(discrepancy(own, snapshots), snapshots, batch.progress, self.tolerance)
        return hetcomp(student["scores"], target, batch.progress >= self.unordered, batch.seen)

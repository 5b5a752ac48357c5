"""Rejuvenated Cross-Entropy: the teacher's distribution over the student's own best items, and over those it misses."""

from typing import Any

import tensorflow as tf
import tf_keras as keras

from kdrec.losses.base import (
    LEFT_OUT,
    DistillationLoss,
    best_unseen,
    check_at_least,
    check_positive,
    may_contrast,
    may_rank,
    scores_of,
)


def rce_kd(teacher_scores, student_scores, top_items, own_items, drawn_items, beta=1.0, left_out=None) -> tf.Tensor:
    """(1 − γ) CE(Q_S) + γ CE((Q_T∖Q_S) ∪ A), CE(J) = −Σ_{i∈J} softmax_J(t)_i log softmax_J(s)_i.

    Q_T and Q_S are the best K items of teacher and student, γ = exp(−β |Q_T∩Q_S|/K). A cross-entropy over few items
    bounds NDCG only if all that the student ranks above any of them is among them. Q_S is closed in this sense; what
    the student misses is joined by items A drawn for it (Zhu & Zhang, ICLR 2026, arXiv:2509.20989). The choice of
    items and γ have no gradient.

    Args:
        teacher_scores: (rows, n_items) t.
        student_scores: (rows, n_items) s.
        top_items: (rows, K) Q_T; −1 is padding, here and below.
        own_items: (rows, K) Q_S.
        drawn_items: (rows, draws) A, from `drawn_above`; none of Q_T∖Q_S, and no seen item.
        beta: β > 0, how fast the missed items lose weight as the lists come to agree.
        left_out: (rows, n_items) bool, seen items, or None.

    Returns:
        (rows,) float32.

    >>> same, both, none = tf.math.log([[3.0, 1.0]]), tf.constant([[0, 1]]), tf.constant([[-1]])
    >>> float(rce_kd(same, same, both, both, none, beta=1e9)[0])  # γ = 0; entropy of 3 : 1, 2 log 2 − (3/4) log 3
    0.5623351335525513
    """
    teacher, student = tf.cast(teacher_scores, tf.float32), tf.cast(student_scores, tf.float32)
    listed = tf.reduce_sum(tf.cast(may_rank(top_items, left_out), tf.float32), axis=1)  # (rows,) K
    missed = missed_of(top_items, own_items, left_out)
    shared = listed - tf.reduce_sum(tf.cast(missed >= 0, tf.float32), axis=1)
    gamma = tf.exp(-beta * tf.math.divide_no_nan(shared, listed))
    joined = tf.concat([missed, drawn_items], axis=1)
    return (1.0 - gamma) * _cross_entropy(teacher, student, own_items) + gamma * _cross_entropy(
        teacher, student, joined
    )


def missed_of(top_items: tf.Tensor, own_items: tf.Tensor, left_out: tf.Tensor | None = None) -> tf.Tensor:
    """Q_T∖Q_S: the teacher's list, (rows, K), with −1 for what the student lists as well.

    >>> missed_of(tf.constant([[4, 2]]), tf.constant([[2, 0]])).numpy().tolist()
    [[4, -1]]
    """
    return tf.where(may_contrast(top_items, own_items, left_out), tf.cast(top_items, tf.int32), -1)


def drawn_above(student_scores, missed_items, candidates, uniform, smoothing=10.0, left_out=None) -> tf.Tensor:
    """K of the candidates without replacement, p_j ∝ exp(z_j/τ), z_j = |{i missed: s_i < s_j}|.

    The K highest of z_j/τ − log(−log u_j): the Gumbel trick draws as repeated choice does. Candidates are a part of the
    catalogue: to rank all of 17,000 items against those missed costs ten times as much, and changes p by little.

    Args:
        student_scores: (rows, n_items) s.
        missed_items: (rows, K) positions, −1 is padding.
        candidates: (rows, C) positions, at least K, all different.
        uniform: (rows, C) u in [0, 1), the draws.
        smoothing: τ > 0.
        left_out: (rows, n_items) bool, or None.

    Returns:
        (rows, K) int32 positions, −1 for one drawn that is seen or missed.

    >>> scores, middle = tf.constant([[5.0, 3.0, 4.0, 1.0]]), tf.fill([1, 4], 0.5)
    >>> drawn_above(scores, tf.constant([[-1, 1]]), tf.constant([[3, 2, 1, 0]]), middle).numpy().tolist()  # z = 0 1 0 1
    [[2, 0]]
    """
    missed_scores = tf.where(missed_items < 0, float("inf"), scores_of(student_scores, missed_items))
    above = tf.searchsorted(tf.sort(missed_scores), scores_of(student_scores, candidates))  # (rows, C) z
    keys = tf.cast(above, tf.float32) / smoothing - tf.math.log(-tf.math.log(tf.maximum(uniform, 1e-30)))
    drawn = scores_of(candidates, tf.math.top_k(keys, missed_items.shape[-1])[1])
    return tf.where(may_contrast(drawn, missed_items, left_out), drawn, -1)


def spread_items(rows: tf.Tensor, n_items: int, count: int, seed: int, step: tf.Tensor) -> tf.Tensor:
    """Different items for each row, every item as likely: one from each of `count` equal parts, all turned by a draw.

    Args:
        rows: how many rows to draw for.
        n_items: items in the catalogue.
        count: at most n_items.
        seed: of the loss that draws.
        step: the optimizer's step.

    Returns:
        (rows, count) int32 positions.

    >>> sorted(spread_items(1, 3, 3, 0, 0).numpy()[0].tolist())
    [0, 1, 2]
    """
    edges = tf.constant([part * n_items // count for part in range(count + 1)])
    widths = tf.cast(edges[1:] - edges[:-1], tf.float32)
    uniform = tf.random.stateless_uniform([rows, count + 1], seed=[seed, step])
    turn = tf.cast(n_items * uniform[:, :1], tf.int32)  # (rows, 1)
    return (edges[:-1] + tf.cast(uniform[:, 1:] * widths, tf.int32) + turn) % n_items


def _cross_entropy(teacher: tf.Tensor, student: tf.Tensor, items: tf.Tensor) -> tf.Tensor:
    """−Σ p log q over some items of each row, (rows, width), −1 left out; 0 for a row without one -> (rows,)."""
    counts = items >= 0
    p = tf.nn.softmax(tf.where(counts, scores_of(teacher, items), LEFT_OUT))
    log_q = tf.nn.log_softmax(tf.where(counts, scores_of(student, items), LEFT_OUT))
    return -tf.reduce_sum(tf.where(counts, p * log_q, 0.0), axis=1)


@keras.utils.register_keras_serializable("kdrec")
class RceKd(DistillationLoss):
    """`rce_kd` over lists of `top` items; as many more are drawn each step, from `candidates` items."""

    needs = frozenset({"scores", "top_items"})

    def __init__(
        self, top: int = 50, candidates: int = 1000, beta: float = 1.0, smoothing: float = 10.0, seed: int = 0,
        **kwargs: Any,
    ):  # fmt: skip
        check_at_least("top", top, 1)
        check_at_least("candidates", candidates, top)
        check_positive("beta", beta)
        check_positive("smoothing", smoothing)
        super().__init__(**kwargs)
        self.top, self.candidates, self.seed = top, candidates, seed
        self.beta, self.smoothing = beta, smoothing

    def get_config(self) -> dict:
        own = {name: getattr(self, name) for name in ("top", "candidates", "beta", "smoothing", "seed")}
        return {**super().get_config(), **own}

    def call(self, student, teacher, batch):
        scores, listed = student["scores"], teacher["top_items"][:, : self.top]
        rows, n_items = tf.shape(scores)[0], scores.shape[-1]
        own = best_unseen(scores, listed.shape[-1], batch.seen)
        candidates = spread_items(rows, n_items, min(self.candidates, n_items), self.seed, batch.step)
        uniform = tf.random.stateless_uniform(tf.shape(candidates), seed=[~self.seed, batch.step])
        missed = missed_of(listed, own, batch.seen)
        drawn = drawn_above(scores, missed, candidates, uniform, self.smoothing, batch.seen)
        return rce_kd(teacher["scores"], scores, listed, own, drawn, self.beta, batch.seen)

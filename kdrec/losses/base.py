"""What every loss shares: what it is told of a batch, and the two classes that carry a formula."""

from typing import Any, ClassVar, NamedTuple

import tensorflow as tf
import tf_keras as keras

from kdrec.errors import TrainingError
from kdrec.schedules import Number, adjustable, as_config, ends, value_at

LEFT_OUT = -1e9  # the score of an item that a softmax leaves out; exp of it is 0 and its gradient is 0


def items_mask(tokens: tf.Tensor, n_items: int) -> tf.Tensor:
    """Which items a row of tokens names; token 0 is padding and names none.

    Args:
        tokens: (rows, width) int32, item position + 1.
        n_items: items in the catalogue.

    Returns:
        (rows, n_items) bool.

    >>> items_mask(tf.constant([[0, 2]]), 3).numpy().tolist()
    [[False, True, False]]
    """
    tokens, no_weights = tf.cast(tokens, tf.int32), tf.zeros([0], tf.int32)
    tf.debugging.assert_less_equal(tf.reduce_max(tokens), n_items, "tokens must be item positions + 1")
    with tf.device("CPU"):  # whose kernel is deterministic, and takes a seventh of tf.scatter_nd's time
        named = tf.raw_ops.DenseBincount(input=tokens, size=n_items + 1, weights=no_weights, binary_output=True)
    return named[:, 1:] > 0


def split_labels(labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Signed labels, (rows, width), into held-out tokens (positive) and seen tokens (given as negative)."""
    labels = tf.cast(labels, tf.int32)
    return tf.maximum(labels, 0), tf.maximum(-labels, 0)


def log_sum_unseen(scores: tf.Tensor, seen: tf.Tensor | None = None) -> tf.Tensor:
    """log Σ_i exp(s_i) over the unseen items, one pass over the catalogue.

    Args:
        scores: (rows, n_items).
        seen: (rows, n_items) bool, or None for no seen items.

    Returns:
        (rows,); near `LEFT_OUT` for a row that has seen all.

    >>> float(tf.exp(log_sum_unseen(tf.constant([[0.0, 0.0, 7.0]]), tf.constant([[False, False, True]])))[0])
    2.0
    """
    if seen is not None:
        scores = scores + LEFT_OUT * tf.cast(seen, scores.dtype)  # a third faster than a choice by tf.where
    return tf.reduce_logsumexp(scores, axis=-1)


def scores_of(scores: tf.Tensor, items: tf.Tensor) -> tf.Tensor:
    """The scores of some items of each row.

    Args:
        scores: (rows, n_items).
        items: (rows, K) integer positions; −1 is padding, whose value means nothing.

    Returns:
        (rows, K), of the type of the scores.

    >>> scores_of(tf.constant([[0.0, 1.0, 2.0]]), tf.constant([[2, 0]])).numpy().tolist()
    [[2.0, 0.0]]
    """
    rows, items = tf.range(tf.shape(items)[0]), tf.maximum(tf.cast(items, tf.int32), 0)
    # Its gradient takes a third of tf.gather's time, and `batch_dims` would add sixty operations to the graph.
    return tf.gather_nd(scores, tf.stack([rows[:, tf.newaxis] + tf.zeros_like(items), items], axis=-1))


def best_unseen(scores: tf.Tensor, k: int, seen: tf.Tensor | None = None) -> tf.Tensor:
    """The k unseen items of each row with the highest scores, best first; of equal ones the lower position.

    Args:
        scores: (rows, n_items).
        k: at most n_items.
        seen: (rows, n_items) bool, or None for no seen items.

    Returns:
        (rows, k) int32 positions, −1 where a row has fewer unseen items.

    >>> best_unseen(tf.constant([[1.0, 9.0, 3.0]]), 3, tf.constant([[False, True, False]])).numpy().tolist()
    [[2, 0, -1]]
    """
    if seen is not None:
        scores = scores + LEFT_OUT * tf.cast(seen, scores.dtype)
    values, items = tf.math.top_k(scores, k)
    return tf.where(values > LEFT_OUT / 2, items, -1)


def may_rank(items: tf.Tensor, seen: tf.Tensor | None = None) -> tf.Tensor:
    """Which entries of a list count: those that are neither padding (−1) nor seen.

    Args:
        items: (rows, K) integer positions.
        seen: (rows, n_items) bool, or None for no seen items.

    Returns:
        (rows, K) bool.

    >>> may_rank(tf.constant([[2, 0, -1]]), tf.constant([[True, False, False]])).numpy().tolist()
    [[True, False, False]]
    """
    return items >= 0 if seen is None else (items >= 0) & ~scores_of(seen, items)


def draw_items(rows: tf.Tensor, n_items: int, count: int, seed: int, step: tf.Tensor) -> tf.Tensor:
    """Items drawn uniformly and with replacement from the catalogue; equal (seed, step), equal items.

    Args:
        rows: how many rows to draw for.
        n_items: items in the catalogue.
        count: draws a row.
        seed: of the loss that draws.
        step: the optimizer's step.

    Returns:
        (rows, count) int32 positions.
    """
    return tf.random.stateless_uniform([rows, count], seed=[seed, step], maxval=n_items, dtype=tf.int32)


def may_contrast(items: tf.Tensor, listed: tf.Tensor, seen: tf.Tensor | None = None) -> tf.Tensor:
    """Which drawn items may stand against a row's list: those neither in it nor seen.

    Args:
        items: (rows, L) integer positions.
        listed: (rows, K) integer positions.
        seen: (rows, n_items) bool, or None for no seen items.

    Returns:
        (rows, L) bool.

    >>> may_contrast(tf.constant([[4, 2]]), tf.constant([[2, 0, 1]])).numpy().tolist()
    [[True, False]]
    """
    same = items[:, :, tf.newaxis] == tf.cast(listed, items.dtype)[:, tf.newaxis, :]  # (rows, L, K)
    return may_rank(items, seen) & ~tf.reduce_any(same, axis=-1)


def check_at_least(name: str, value: float, least: float = 1) -> None:
    """An option of a loss must not lie below `least`.

    Raises:
        TrainingError: it does.
    """
    if not value >= least:
        raise TrainingError(f"{name} must be at least {least}, not {value}")


def check_positive(name: str, value: float) -> None:
    """An option of a loss must lie above 0.

    Raises:
        TrainingError: it does not.
    """
    if not value > 0:
        raise TrainingError(f"{name} must be above 0, not {value}")


class Batch(NamedTuple):
    """What a soft loss is told of a batch beside student and teacher.

    Args:
        seen: (rows, n_items) bool, the items of a row's history, which are never ranked.
        held_out: (rows, n_items) bool, the items that the hard loss wants; none in a row that only the teacher labels.
        step: int32, the optimizer's step: it seeds what a loss draws, so that a resumed training repeats itself.
        progress: float32 in [0, 1], how much of the training is done: what schedules follow.
    """

    seen: tf.Tensor
    held_out: tf.Tensor
    step: tf.Tensor
    progress: tf.Tensor

    @classmethod
    def of(cls, seen: Any, held_out: Any = None, step: int = 0, progress: float = 0.0) -> "Batch":
        """A batch by hand: nothing held out, at the beginning of a training.

        >>> Batch.of([[True, False]]).held_out.numpy().tolist()
        [[False, False]]
        """
        seen = tf.convert_to_tensor(seen)
        held_out = tf.zeros_like(seen) if held_out is None else tf.convert_to_tensor(held_out)
        return cls(seen, held_out, tf.constant(step, tf.int32), tf.constant(progress, tf.float32))


class DistillationLoss(keras.layers.Layer):
    """A soft loss: one value a row from what the student and the teacher say of that row.

    A subclass names what it `needs` of the teacher (`scores`, `user_embedding`, …; the fields of the teacher cache),
    and what it `reads` of the student beside its scores. It may own trainable layers, such as a projection. A loss
    that compares the rows of a batch with each other says that its `rows_alone` is false.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"scores"})
    reads: ClassVar[frozenset[str]] = frozenset()
    rows_alone: ClassVar[bool] = True

    def call(self, student: dict[str, tf.Tensor], teacher: dict[str, tf.Tensor], batch: Batch) -> tf.Tensor:
        """One value a row.

        Args:
            student: `scores` (rows, n_items) and, if read, `query` (rows, d) and `item_embedding` (n_items, d).
            teacher: the fields that the loss needs, for example `scores` (rows, n_items).
            batch: which items are seen and held out, and how far the training is.

        Returns:
            (rows,) float32.
        """
        raise TrainingError(f"{type(self).__name__} must define call(student, teacher, batch)")

    def for_another_teacher(self) -> Any:
        """The same loss with layers of its own: a projection leads into the space of one teacher."""
        return type(self).from_config(self.get_config())


class TemperedLoss(DistillationLoss):
    """A soft loss with a temperature: a variable that a callback may change while training, or a schedule.

    Args:
        temperature: above 0; a number, or a schedule of `kdrec.schedules` such as "linear:4:1".

    Raises:
        TrainingError: a temperature that is not above 0 all the time.
    """

    def __init__(self, temperature: Number = 1.0, **kwargs: Any):
        if not ends(temperature)[0] > 0:
            raise TrainingError(f"temperature must be positive, not {temperature}; 1 leaves the scores as they are")
        super().__init__(**kwargs)
        self.temperature = adjustable(temperature, "temperature")
        self._start = as_config(temperature)

    def temperature_at(self, batch: Batch) -> tf.Tensor:
        """The temperature at this point of the training."""
        return value_at(self.temperature, batch.progress)

    def for_another_teacher(self) -> "TemperedLoss":
        copy = super().for_another_teacher()
        copy.temperature = self.temperature  # one temperature, which a callback assigns once
        return copy

    def get_config(self) -> dict:
        return {**super().get_config(), "temperature": self._start}

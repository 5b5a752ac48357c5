"""Adversarial distillation: a discriminator tells the teacher's scores from the student's, which learns to deceive."""

from typing import Any

import tensorflow as tf
import tf_keras as keras

from kdrec.losses.base import DistillationLoss, check_at_least, check_positive, may_rank, scores_of


def adversarial(teacher_logits, student_logits) -> tf.Tensor:
    """−log σ(D(t)) − log(1 − σ(D(s))), which the discriminator D lowers and the student raises.

    A generative adversarial network (KDGAN, Wang et al., NeurIPS 2018) trained by one optimizer: the gradient is turned
    round between D and the student (Ganin & Lempitsky, 2015, arXiv:1409.7495). The value does not measure the student:
    it is log 4 when D cannot tell, the equilibrium, and as a rule less while it can.

    Args:
        teacher_logits: (rows,) D(t).
        student_logits: (rows,) D(s).

    Returns:
        (rows,) float32, above 0.

    >>> float(tf.exp(adversarial(tf.zeros([1]), tf.zeros([1])))[0])  # D cannot tell
    4.0
    """
    return tf.nn.softplus(-teacher_logits) + tf.nn.softplus(student_logits)


def reversed_gradient(values: tf.Tensor, strength: Any = 1.0) -> tf.Tensor:
    """The same values, through which a gradient comes back with the other sign, times `strength`, which has none.

    >>> x = tf.Variable(3.0)
    >>> with tf.GradientTape() as tape:
    ...     y = reversed_gradient(x) ** 2
    >>> float(tape.gradient(y, x))
    -6.0
    """

    @tf.custom_gradient
    def turned(x):
        return tf.identity(x), lambda upstream: -strength * upstream

    return turned(tf.convert_to_tensor(values))


def standardised(scores: tf.Tensor, counts: tf.Tensor) -> tf.Tensor:
    """(x − mean) / standard deviation in each row, over the entries that count; 0 for the others.

    Args:
        scores: (rows, K).
        counts: (rows, K) bool.

    Returns:
        (rows, K) float32.

    >>> standardised(tf.constant([[5.0, 1.0, 7.0]]), tf.constant([[True, True, False]])).numpy().round(3).tolist()
    [[1.0, -1.0, 0.0]]
    """
    kept = tf.cast(counts, tf.float32)
    count = tf.maximum(tf.reduce_sum(kept, axis=1, keepdims=True), 1.0)
    centred = kept * (scores - tf.reduce_sum(kept * scores, axis=1, keepdims=True) / count)
    return centred * tf.math.rsqrt(tf.reduce_sum(tf.square(centred), axis=1, keepdims=True) / count + 1e-6)


@keras.utils.register_keras_serializable("kdrec")
class Adversarial(DistillationLoss):
    """`adversarial` on the scores of the teacher's best `top` items, in its order, standardised in each row.

    D, a hidden layer of `width`, sees nothing else; it learns along and never ships. The student goes down
    `strength` · −log σ(D(s)) and not up −log(1 − σ(D(s))), whose gradient is gone where D is sure: the same
    equilibrium (Goodfellow et al., 2014, arXiv:1406.2661).
    """

    needs = frozenset({"top_items", "top_scores"})

    def __init__(self, top: int = 50, width: int = 64, strength: float = 1.0, **kwargs: Any):
        check_at_least("top", top, 2)
        check_at_least("width", width, 1)
        check_positive("strength", strength)
        super().__init__(**kwargs)
        self.top, self.width, self.strength = top, width, strength
        first, second = (keras.initializers.GlorotUniform(seed=seed) for seed in (0, 1))
        self.hidden = keras.layers.Dense(width, "relu", kernel_initializer=first, name="hidden")
        self.output_layer = keras.layers.Dense(1, kernel_initializer=second, name="output")

    def get_config(self) -> dict:
        return {**super().get_config(), "top": self.top, "width": self.width, "strength": self.strength}

    def call(self, student, teacher, batch):
        listed = teacher["top_items"][:, : self.top]
        counts = may_rank(listed, batch.seen)
        real = standardised(tf.cast(teacher["top_scores"][:, : self.top], tf.float32), counts)
        made = standardised(scores_of(student["scores"], listed), counts)
        sure = tf.clip_by_value(-self._told(tf.stop_gradient(made)), -60.0, 60.0)  # (rows,) that it is the student
        effort = self.strength * tf.exp(sure)[:, tf.newaxis]  # σ(−D)/σ(D): from the gradient of one loss to the other's
        return adversarial(self._told(real), self._told(reversed_gradient(made, effort)))

    def _told(self, standardised_scores: tf.Tensor) -> tf.Tensor:
        """D: (rows, K) -> (rows,)."""
        return self.output_layer(self.hidden(standardised_scores))[:, 0]

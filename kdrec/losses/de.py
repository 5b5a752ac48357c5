"""Distillation Experts: experts rebuild the teacher's embeddings from the student's, a selector says which expert."""

from typing import Any

import tensorflow as tf
import tf_keras as keras

from kdrec.losses.base import DistillationLoss, check_at_least, check_positive, draw_items


def de(teacher_embedding, rebuilt, gates) -> tf.Tensor:
    """‖h_t − Σ_m g_m E_m(h_s)‖² / d_t, g = softmax((v(h_t) + Gumbel noise)/τ) of DE-RRD.

    An expert E_m rebuilds the teacher's embedding from the student's; the selector v reads the teacher's (Kang et al.,
    CIKM 2020, arXiv:2012.04357).

    Args:
        teacher_embedding: (rows, teacher width) h_t.
        rebuilt: (rows, experts, teacher width) E_m(h_s).
        gates: (rows, experts) g, each row's sum 1.

    Returns:
        (rows,) float32.

    >>> rebuilt = tf.constant([[[1.0, 0.0], [9.0, 9.0]]])
    >>> float(de(tf.constant([[1.0, 2.0]]), rebuilt, tf.constant([[1.0, 0.0]]))[0])  # (0 + 4) / 2
    2.0
    """
    mixed = tf.einsum("rm,rmd->rd", gates, rebuilt)
    return tf.reduce_mean(tf.square(tf.cast(teacher_embedding, tf.float32) - mixed), axis=-1)


def gumbel_softmax(logits, uniform, temperature) -> tf.Tensor:
    """softmax((v − log(−log u))/τ): one choice of softmax(v) as τ falls to 0, and smooth before.

    Args:
        logits: (rows, choices) v.
        uniform: (rows, choices) u in [0, 1), the draws.
        temperature: τ > 0.

    Returns:
        (rows, choices), each row's sum 1.

    >>> gumbel_softmax(tf.constant([[0.0, 1.0]]), tf.constant([[0.5, 0.5]]), 0.01).numpy().tolist()
    [[0.0, 1.0]]
    """
    noise = -tf.math.log(-tf.math.log(tf.clip_by_value(uniform, 1e-30, 1.0 - 1e-7)))
    return tf.nn.softmax((logits + noise) / temperature)


def cooled(start: float, end: float, progress: tf.Tensor) -> tf.Tensor:
    """τ₀ (τ₁/τ₀)^progress, the paper's annealing.

    >>> float(cooled(4.0, 1.0, 0.5))
    2.0
    """
    return start * (end / start) ** progress


class Experts(keras.layers.Layer):
    """A selector of the teacher's embedding and, for each choice, a small network from the student's embedding to it.

    Args:
        count: experts.
        teacher_width, student_width: of the embeddings; an expert's hidden layer has the width between them.
        seed: of the first weights.
    """

    def __init__(self, count: int, teacher_width: int, student_width: int, seed: int = 0, **kwargs: Any):
        super().__init__(**kwargs)
        hidden = (teacher_width + student_width) // 2

        def dense(width: int, index: int, activation: str | None = None) -> keras.layers.Dense:
            start = keras.initializers.GlorotUniform(seed=seed * (2 * count + 1) + index)
            return keras.layers.Dense(width, activation, kernel_initializer=start)

        self.selector = dense(count, 0)
        self.hidden = [dense(hidden, 2 * m + 1, "relu") for m in range(count)]
        self.outputs = [dense(teacher_width, 2 * m + 2) for m in range(count)]

    def call(self, teacher: tf.Tensor, student: tf.Tensor, seed: Any, temperature: Any) -> tuple[tf.Tensor, tf.Tensor]:
        """What each expert makes of the student's embedding, and which are chosen.

        Args:
            teacher: (rows, teacher width).
            student: (rows, student width).
            seed: two integers, of the Gumbel noise.
            temperature: τ of the choice.

        Returns:
            (rows, experts, teacher width) and the gates (rows, experts).
        """
        logits = self.selector(teacher)
        uniform = tf.random.stateless_uniform(tf.shape(logits), seed=seed)
        pairs = zip(self.hidden, self.outputs, strict=True)
        rebuilt = tf.stack([output(hidden(student)) for hidden, output in pairs], axis=1)
        return rebuilt, gumbel_softmax(logits, uniform, temperature)


@keras.utils.register_keras_serializable("kdrec")
class De(DistillationLoss):
    """`de` of the rows' queries, plus its mean over `items` items drawn each step, which every row adds.

    Users and items have experts of their own; they learn along and never ship. The temperature τ falls from
    `temperature` to `end_temperature` over the training, so that at last one expert serves each embedding.
    """

    needs = frozenset({"user_embedding", "item_embedding"})
    reads = frozenset({"query", "item_embedding"})

    def __init__(
        self, experts: int = 5, items: int = 512, temperature: float = 1.0, end_temperature: float = 0.01,
        seed: int = 0, **kwargs: Any,
    ):  # fmt: skip
        check_at_least("experts", experts, 1)
        check_at_least("items", items, 1)
        check_positive("temperature", temperature)
        check_positive("end_temperature", end_temperature)
        super().__init__(**kwargs)
        self.experts, self.items, self.seed = experts, items, seed
        self.temperature, self.end_temperature = temperature, end_temperature
        self.of_users: Experts | None = None
        self.of_items: Experts | None = None

    def get_config(self) -> dict:
        own = {name: getattr(self, name) for name in ("experts", "items", "temperature", "end_temperature", "seed")}
        return {**super().get_config(), **own}

    def call(self, student, teacher, batch):
        users, table = teacher["user_embedding"], teacher["item_embedding"]
        if self.of_users is None or self.of_items is None:  # the widths are known with the first batch
            widths = users.shape[-1], student["query"].shape[-1]
            self.of_users = Experts(self.experts, *widths, 2 * self.seed, name="of_users")
            self.of_items = Experts(self.experts, *widths, 2 * self.seed + 1, name="of_items")
        temperature = cooled(self.temperature, self.end_temperature, batch.progress)
        drawn = draw_items(1, table.shape[0], self.items, self.seed, batch.step)[0]  # (items,)
        items, learnt = tf.gather(table, drawn), tf.gather(student["item_embedding"], drawn)
        rows = de(users, *self.of_users(users, student["query"], [self.seed, batch.step], temperature))
        return rows + tf.reduce_mean(de(items, *self.of_items(items, learnt, [~self.seed, batch.step], temperature)))

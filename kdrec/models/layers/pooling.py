"""A history becomes one vector: weighted means whose weights are learned a position, or by attention."""

import tensorflow as tf
import tf_keras as keras


def presence(history: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Which places of a right-aligned history hold an item, and where the first one stands.

    The count of items follows from the first place (an ARG_MAX), because TensorFlow Lite Micro sums no int32.

    Args:
        history: (rows, length) tokens.

    Returns:
        (rows, length) float32 of 0 and 1, and (rows,) int32.

    >>> present, first = presence(tf.constant([[0, 4, 2]]))
    >>> present.numpy().tolist(), first.numpy().tolist()
    ([[0.0, 1.0, 1.0]], [1])
    """
    present = tf.gather(tf.constant([0.0, 1.0]), tf.minimum(history, 1))
    return present, tf.argmax(present, axis=1, output_type=tf.int32)


@keras.utils.register_keras_serializable("kdrec")
class HistoryMean(keras.layers.Layer):
    """n^(-power) · Σ_l w_l E_l over the n items of a history; w_l is learned when order matters, else 1.

    The weights multiply the rows inside one matrix product, whose int32 accumulator keeps what an int8 sum would lose.

    A set of many items out of few is trained by its counts, C E with C_j how often item j occurs: one product with the
    whole table in place of a gathered row for every place, most of which are padding. Files and judgements gather.

    Args:
        power: 1 is the mean, 0 the sum, 0.5 lies between: long histories speak louder, and scores keep their spread.
        learn_positions: whether the weight of a position is learned (ordered histories).
    """

    ROWS_A_PLACE = 8  # with 3.5, a step of a student of 96 numbers a row took half the time that gathering took

    def __init__(self, power: float = 0.5, learn_positions: bool = True, **kwargs):
        super().__init__(**kwargs)
        self.power, self.learn_positions = power, learn_positions

    def build(self, input_shape) -> None:
        length = input_shape[0][1]
        self.position_weights = self.add_weight(
            "position_weights", (length,), initializer="ones", trainable=self.learn_positions
        )
        self._scales = [float((length - first) ** -self.power) for first in range(length)]
        super().build(input_shape)

    def call(self, inputs: list[tf.Tensor], training: bool | None = None) -> tf.Tensor:
        """history: (rows, length), embedded: (rows, length, embedding_dim), and the table if it is at hand -> (rows,
        embedding_dim)."""
        history, embedded, *table = inputs
        present, first = presence(history)  # (rows, length), (rows,)
        scale = tf.gather(tf.constant(self._scales), first)  # (rows,)
        if training and table and not self.learn_positions and self._has_few_rows(table[0], history):
            counts = tf.raw_ops.DenseBincount(  # tf.math.bincount computes the size, and XLA wants a constant
                input=history, size=table[0].shape[0], weights=tf.constant([], tf.float32), binary_output=False
            )
            return tf.matmul(counts, table[0]) * scale[:, tf.newaxis]  # the row of padding is zero
        weights = present * self.position_weights * scale[:, tf.newaxis]
        return tf.matmul(weights[:, tf.newaxis, :], embedded)[:, 0, :]

    def _has_few_rows(self, table: tf.Tensor, history: tf.Tensor) -> bool:
        return table.shape[0] <= self.ROWS_A_PLACE * history.shape[1]

    def get_prunable_weights(self) -> list[tf.Variable]:
        return []

    def get_config(self) -> dict:
        return {**super().get_config(), "power": self.power, "learn_positions": self.learn_positions}


@keras.utils.register_keras_serializable("kdrec")
class HistoryAttention(keras.layers.Layer):
    """n^(1-power) · Σ_l a_l E_l with a = softmax over the n items of 4 tanh(v · E_l + p_l), in blocks of channels.

    Each head has its own v and p and weighs its own block of channels. With v = p = 0, as at the start, this is
    `HistoryMean`. Scores lie within ±4, so that an int8 softmax has fine steps; every item's score is lifted by 12
    and that of padding is 0, so that padding, whose rows are zero, takes at most exp(-8) of an item's share and
    nothing else. (A score of -1e9 would leave an int8 tensor one step for all items.)

    Args:
        heads: how many; each weighs embedding_dim / heads channels.
        power: 1 is the weighted mean, 0 the sum, as of `HistoryMean`.
        learn_positions: whether a position has a learned score p_l (ordered histories).

    Source: self-attentive pooling, Lin et al., 2017, arXiv:1703.03130, without its hidden layer.
    """

    BOUND, LIFT = 4.0, 12.0

    def __init__(self, heads: int = 1, power: float = 0.5, learn_positions: bool = True, **kwargs):
        super().__init__(**kwargs)
        self.heads, self.power, self.learn_positions = heads, power, learn_positions

    def build(self, input_shape) -> None:
        length, width = input_shape[1][1:]
        self.scorer = self.add_weight("scorer", (width, self.heads), initializer="zeros")
        self.position_scores = self.add_weight(
            "position_scores", (length, 1, self.heads), initializer="zeros", trainable=self.learn_positions
        )
        self._scales = [float((length - first) ** (1 - self.power)) for first in range(length)]
        super().build(input_shape)

    def call(self, inputs: list[tf.Tensor]) -> tf.Tensor:
        """history: (rows, length), embedded: (rows, length, embedding_dim) -> (rows, embedding_dim)."""
        history, embedded = inputs
        length, width = embedded.shape[1:]
        present, first = presence(history)  # (rows, length), (rows,)
        scores = self.BOUND * tf.tanh(tf.matmul(embedded, self.scorer) + self.position_scores[:, 0, :])
        lifted = (scores + self.LIFT) * present[:, :, tf.newaxis]  # (rows, length, heads)
        shares = tf.nn.softmax(tf.transpose(lifted, (0, 2, 1)))  # (rows, heads, length)
        weights = shares * tf.gather(tf.constant(self._scales), first)[:, tf.newaxis, tf.newaxis]
        blocks = tf.reshape(embedded, (-1, length, self.heads, width // self.heads))
        pooled = tf.matmul(weights[:, :, tf.newaxis, :], tf.transpose(blocks, (0, 2, 1, 3)))
        return tf.reshape(pooled, (-1, width))

    def get_prunable_weights(self) -> list[tf.Variable]:
        return [self.scorer]

    def get_config(self) -> dict:
        own = {"heads": self.heads, "power": self.power, "learn_positions": self.learn_positions}
        return {**super().get_config(), **own}

"""A recurrent cell over the last items of a history, written out step by step."""

import tensorflow as tf
import tf_keras as keras


@keras.utils.register_keras_serializable("kdrec")
class HistoryGru(keras.layers.Layer):
    """h_l = h_{l−1} + z (c − h_{l−1}); z, r = σ(E_l W + h_{l−1} U + b); c = tanh(E_l W' + r · (h_{l−1} U')); h_0 = 0.

    The candidate c has no bias, so that h stays exactly zero, in int8 too, over the padding before the first item.
    The steps are written out inside one layer: the converter makes no int8 of a loop, and a layer that is called once
    a step would count a pruning step as many times.

    Args:
        steps: how many of the last items are read.
        seed: equal seeds give equal weights.

    Source: Cho et al., 2014, arXiv:1406.1078; the reset gate stands behind the product, as in cuDNN.
    """

    def __init__(self, steps: int = 10, seed: int = 0, **kwargs):
        super().__init__(**kwargs)
        self.steps, self.seed = steps, seed

    def build(self, input_shape) -> None:
        width = input_shape[-1]
        glorot = [keras.initializers.GlorotUniform(seed=self.seed + number) for number in range(2)]
        orthogonal = [keras.initializers.Orthogonal(seed=self.seed + number) for number in range(2)]
        self.gates_kernel = self.add_weight("gates_kernel", (width, 2 * width), initializer=glorot[0])  # z, r
        self.gates_recurrent = self.add_weight("gates_recurrent", (width, 2 * width), initializer=orthogonal[0])
        self.candidate_kernel = self.add_weight("candidate_kernel", (width, width), initializer=glorot[1])
        self.candidate_recurrent = self.add_weight("candidate_recurrent", (width, width), initializer=orthogonal[1])
        self.gates_bias = self.add_weight("gates_bias", (2 * width,), initializer="zeros")
        super().build(input_shape)

    def call(self, embedded: tf.Tensor) -> tf.Tensor:
        """embedded: (rows, length, width) -> (rows, width)."""
        last = embedded[:, -self.steps :]
        gates = _by_step(last, self.gates_kernel)
        candidates = _by_step(last, self.candidate_kernel)
        width = embedded.shape[-1]
        state = tf.sigmoid(gates[0][:, :width] + self.gates_bias[:width]) * tf.tanh(candidates[0])  # (rows, width)
        for gate, candidate in zip(gates[1:], candidates[1:], strict=True):
            gate = tf.sigmoid(gate + (tf.matmul(state, self.gates_recurrent) + self.gates_bias))
            update, reset = tf.split(gate, 2, axis=1)
            new = tf.tanh(candidate + reset * tf.matmul(state, self.candidate_recurrent))
            state = state + update * (new - state)
        return state

    def get_prunable_weights(self) -> list[tf.Variable]:
        return [self.gates_kernel, self.gates_recurrent, self.candidate_kernel, self.candidate_recurrent]

    def get_config(self) -> dict:
        return {**super().get_config(), "steps": self.steps, "seed": self.seed}


def _by_step(rows: tf.Tensor, kernel: tf.Tensor) -> list[tf.Tensor]:
    """rows: (rows, steps, width), kernel: (width, columns) -> (rows, columns) a step.

    A convolution of width 1, because an Edge TPU multiplies no matrix of several rows.
    """
    steps, columns = rows.shape[1], kernel.shape[1]
    products = tf.nn.conv1d(rows, kernel[tf.newaxis], 1, "VALID")  # (rows, steps, columns)
    return tf.split(tf.reshape(products, (-1, steps * columns)), steps, axis=1)

"""The two networks: one table read and scored alike, and the published one."""

import tensorflow as tf
import tf_keras as keras

from kdrec.models.teachers.mult_vae.model import Autoencoder, VaeOptions, normal


class Tied(Autoencoder):
    """s = xE, mean = sA + a + relu(sV + v)W, the query is z, and c_j = E_j; V is `hidden` wide."""

    def __init__(self, options: VaeOptions):
        super().__init__(options)
        width, seed = options.embedding_dim, 100 * options.seed
        self.items = self.add_weight("items", (options.n_items, width), initializer=normal(seed + 1, 0.05))
        self.linear = keras.layers.Dense(width, kernel_initializer="identity")
        if options.hidden:
            self.deep = keras.layers.Dense(options.hidden, "relu", kernel_initializer=glorot(seed + 2))
            self.residual = keras.layers.Dense(width, use_bias=False, kernel_initializer=normal(seed + 3, 0.01))

    def encode(self, x: tf.SparseTensor) -> tuple[tf.Tensor, tf.Tensor]:
        summed = tf.sparse.sparse_dense_matmul(x, self.items)
        mean = self.linear(summed)
        if self.options.hidden:
            mean += self.residual(self.deep(summed))
        return mean, summed

    def decode(self, z: tf.Tensor) -> tf.Tensor:
        return z

    @property
    def item_embedding(self) -> tf.Tensor:
        return self.items


class Untied(Autoencoder):
    """mean = tanh(xA + a)B + b, the query is tanh(zC + c) and a 1, and c_j = D_j and its bias: the published network.

    Without a hidden layer, the mean is xA + a, and the query is z and a 1.
    """

    def __init__(self, options: VaeOptions):
        super().__init__(options)
        inner, seed = options.hidden or options.embedding_dim, 100 * options.seed
        self.table = self.add_weight("table", (options.n_items, inner), initializer=glorot(seed + 1))
        self.offset = self.add_weight("offset", (inner,), initializer="zeros")
        self.items = self.add_weight("items", (options.n_items, inner), initializer=glorot(seed + 2))
        self.bias = self.add_weight("bias", (options.n_items, 1), initializer="zeros")
        if options.hidden:
            self.mean = keras.layers.Dense(options.embedding_dim, kernel_initializer=glorot(seed + 3))
            self.back = keras.layers.Dense(inner, "tanh", kernel_initializer=glorot(seed + 4))

    def encode(self, x: tf.SparseTensor) -> tuple[tf.Tensor, tf.Tensor]:
        summed = tf.sparse.sparse_dense_matmul(x, self.table) + self.offset
        if not self.options.hidden:
            return summed, summed
        deep = tf.tanh(summed)
        return self.mean(deep), deep

    def decode(self, z: tf.Tensor) -> tf.Tensor:
        query = self.back(z) if self.options.hidden else z
        return tf.concat([query, tf.ones([tf.shape(query)[0], 1])], axis=1)

    @property
    def item_embedding(self) -> tf.Tensor:
        return tf.concat([self.items, self.bias], axis=1)


def glorot(seed: int) -> keras.initializers.Initializer:
    return keras.initializers.GlorotUniform(seed)


def network(options: VaeOptions) -> Autoencoder:
    """A fresh network, all its weights made."""
    model = (Tied if options.tied else Untied)(options)
    nothing = tf.zeros([1, 1], tf.int32)
    model(nothing)
    if options.beta:
        model.spread(model.encode(model.rows(nothing))[1])
    return model

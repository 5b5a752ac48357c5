"""The causal transformer over a history, and its loss."""

import math
from dataclasses import dataclass
from typing import Any

import tensorflow as tf
import tf_keras as keras

from kdrec.models.teachers.base.gain import gain_at_10

MASKED = -1e9


@dataclass(frozen=True)
class SasrecOptions:
    """What the shape and the loss of a SASRec model depend on; see `sasrec`."""

    n_items: int
    history_length: int
    embedding_dim: int
    blocks: int
    heads: int
    dropout: float
    negatives: int
    seed: int


def dropped(x: tf.Tensor, rate: float, seed: tf.Tensor | None, number: int) -> tf.Tensor:
    """x with a share of its entries dropped out, by a seed that comes with the batch; None drops nothing."""
    return x if seed is None else tf.nn.experimental.stateless_dropout(x, rate, seed=seed + [0, number])


class Block(keras.layers.Layer):
    """x ← x + attention(norm(x)); x ← x + perceptron(norm(x)).

    Args:
        options: of the model.
        number: which block it is.
    """

    def __init__(self, options: SasrecOptions, number: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.options, self.number = options, number
        width, seed = options.embedding_dim, 1000 * options.seed + 10 * (number + 1)
        self.norms = [keras.layers.LayerNormalization() for _ in range(2)]
        self.query, self.key, self.value, self.out, self.hidden, self.shrink = (
            keras.layers.Dense(width, kernel_initializer=keras.initializers.GlorotUniform(seed + part))
            for part in range(6)
        )

    def call(self, x: tf.Tensor, allowed: tf.Tensor, seed: tf.Tensor | None = None) -> tf.Tensor:
        """x: (rows, length, d), allowed: (rows, length, length) which position reads which -> (rows, length, d)."""
        rate, first = self.options.dropout, 10 * (self.number + 1)
        x += dropped(self._attention(self.norms[0](x), allowed, seed), rate, seed, first)
        deep = tf.nn.relu(self.hidden(self.norms[1](x)))
        return x + dropped(self.shrink(dropped(deep, rate, seed, first + 1)), rate, seed, first + 2)

    def _attention(self, x: tf.Tensor, allowed: tf.Tensor, seed: tf.Tensor | None) -> tf.Tensor:
        heads = self.options.heads
        query, key, value = (self._by_head(layer(x)) for layer in (self.query, self.key, self.value))
        logits = tf.matmul(query, key, transpose_b=True) / math.sqrt(self.options.embedding_dim // heads)
        weights = tf.nn.softmax(tf.where(allowed[:, tf.newaxis], logits, MASKED))  # (rows, heads, length, length)
        weights = dropped(weights, self.options.dropout, seed, 10 * (self.number + 1) + 3)
        read = tf.transpose(tf.matmul(weights, value), [0, 2, 1, 3])  # (rows, length, heads, d / heads)
        return self.out(tf.reshape(read, tf.shape(x)))

    def _by_head(self, x: tf.Tensor) -> tf.Tensor:
        """(rows, length, d) -> (rows, heads, length, d / heads)."""
        heads = self.options.heads
        return tf.transpose(tf.reshape(x, [-1, x.shape[1], heads, x.shape[2] // heads]), [0, 2, 1, 3])


class SasrecModel(keras.Model):
    """The state at each position of a history scores every item as the one that comes next: score_j = state · E_j.

    Token 0 before the first item is an item of its own, "nothing yet": its state tells the first item, and so an empty
    history.

    Args:
        options: shape and loss.
    """

    def __init__(self, options: SasrecOptions):
        super().__init__()
        self.options = options
        normal = [keras.initializers.RandomNormal(stddev=0.05, seed=1000 * options.seed + part) for part in range(2)]
        self.items = keras.layers.Embedding(
            options.n_items + 1, options.embedding_dim, embeddings_initializer=normal[0]
        )
        self.positions = keras.layers.Embedding(
            options.history_length, options.embedding_dim, embeddings_initializer=normal[1]
        )
        self.blocks = [Block(options, number) for number in range(options.blocks)]
        self.norm = keras.layers.LayerNormalization()
        self.loss_mean = keras.metrics.Mean("loss")
        self.ndcg = keras.metrics.Mean("ndcg@10")

    def call(self, history: tf.Tensor, seed: tf.Tensor | None = None) -> tf.Tensor:
        """history: (rows, length) tokens -> (rows, length, d), the state after each of them."""
        length = self.options.history_length
        present = history > 0
        positions = self.positions(tf.range(length)) * tf.cast(present, tf.float32)[:, :, tf.newaxis]
        x = dropped(self.items(history) + positions, self.options.dropout, seed, 0)
        causal = tf.linalg.band_part(tf.ones([length, length], tf.bool), -1, 0)
        allowed = causal & present[:, tf.newaxis, :] | tf.eye(length, dtype=tf.bool)  # everyone reads itself
        for block in self.blocks:
            x = block(x, allowed, seed)
        return self.norm(x)

    def embed_query(self, history: tf.Tensor) -> tf.Tensor:
        """(rows, length) tokens -> (rows, d), the last state."""
        return self(history)[:, -1]

    @property
    def item_embedding(self) -> tf.Tensor:
        """(n_items, d)."""
        return self.items.embeddings[1:]

    def batch_loss(self, batch: dict[str, tf.Tensor], seed: tf.Tensor | None = None) -> tf.Tensor:
        """The mean over all items of a batch of −log softmax, of all items or of the item and the negatives."""
        at = tf.where(batch["item"] > 0)
        states = tf.gather_nd(self(batch["history"], seed), at)  # (targets, d)
        item, weight = tf.gather_nd(batch["item"], at), tf.gather_nd(batch["weight"], at)
        losses = self._sampled(states, item, batch["negatives"]) if self.options.negatives else self._full(states, item)
        return tf.reduce_sum(weight * losses) / tf.reduce_sum(weight)

    def _full(self, states: tf.Tensor, item: tf.Tensor) -> tf.Tensor:
        scores = tf.matmul(states, self.item_embedding, transpose_b=True)
        return tf.nn.sparse_softmax_cross_entropy_with_logits(item - 1, scores)

    def _sampled(self, states: tf.Tensor, item: tf.Tensor, negatives: tf.Tensor) -> tf.Tensor:
        """Each negative stands for as many of the other items as were not drawn: the sum over all, estimated."""
        own = tf.reduce_sum(states * self.items(item), axis=1, keepdims=True)
        stands_for = (self.options.n_items - 1) / self.options.negatives
        others = tf.matmul(states, self.items(negatives), transpose_b=True) + math.log(stands_for)
        others = tf.where(negatives == item[:, tf.newaxis], MASKED, others)
        return tf.reduce_logsumexp(tf.concat([own, others], axis=1), axis=1) - own[:, 0]

    def train_step(self, batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        with tf.GradientTape() as tape:
            loss = self.batch_loss(batch, tf.reshape(batch["seed"], [2]))
        self.optimizer.minimize(loss, self.trainable_variables, tape=tape)
        self.loss_mean.update_state(loss)
        return {self.loss_mean.name: self.loss_mean.result()}

    def test_step(self, inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """NDCG@10 of held-out pairs, one a row, in the ranking of all items that their user has not seen."""
        scores = tf.matmul(self.embed_query(inputs["history"]), self.item_embedding, transpose_b=True)
        self.ndcg.update_state(gain_at_10(scores, inputs["item"], inputs["seen"]))
        return {self.ndcg.name: self.ndcg.result()}

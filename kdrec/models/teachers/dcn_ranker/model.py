"""Deep & cross network over a user's side and an item's: a TensorFlow Recommenders ranking model."""

import math
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
import tf_keras as keras

from kdrec import legacy_keras
from kdrec.models.teachers.base.gain import gain_at_10
from kdrec.models.teachers.two_tower.features import TowerFeatures
from kdrec.models.teachers.two_tower.model import Deep, FeatureTower, Pooling

legacy_keras.ensure()  # TFRS refuses to be imported before

import tensorflow_recommenders as tfrs  # noqa: E402

PAIRS = 1 << 16  # (row, item) pairs that are scored at a time


@dataclass(frozen=True)
class DcnOptions:
    """What the shape and the loss of a DCN depend on; see `dcn_ranker`."""

    n_users: int
    n_items: int
    context: dict[str, int]
    history_length: int
    ordered: bool
    embedding_dim: int
    towers: tuple[int, ...]
    cross_layers: int
    projection_dim: int | None
    layers: tuple[int, ...]
    loss: str
    negatives: int
    seed: int


def bce(logits: tf.Tensor) -> tf.Tensor:
    """−log σ(s₀) − Σ_k log(1 − σ(s_k)) of (rows, 1 + negatives) logits, the pair's own first -> (rows,)."""
    return tf.nn.softplus(-logits[:, 0]) + tf.reduce_sum(tf.nn.softplus(logits[:, 1:]), axis=1)


def softmax(logits: tf.Tensor) -> tf.Tensor:
    """−log softmax(s)₀ of (rows, 1 + negatives) logits, the pair's own first -> (rows,)."""
    return tf.reduce_logsumexp(logits, axis=1) - logits[:, 0]


LOSSES = {"bce": bce, "softmax": softmax}


class DcnModel(tfrs.Model):
    """score = w · deep(x_n), x_{i+1} = x_0 ⊙ (W_i x_i + b_i) + x_i, x_0 = [u; v] of a user's side u and an item's v.

    Args:
        options: shape and loss.
        users, items: their features, (n_users + 1) and (n_items + 1) rows; row 0 stands for the unknown.
    """

    def __init__(self, options: DcnOptions, users: TowerFeatures, items: TowerFeatures, item_probabilities: np.ndarray):
        super().__init__()
        width, seed = options.embedding_dim, 1000 * options.seed
        self.options = options
        self.item_ids = keras.layers.Embedding(options.n_items + 1, width, embeddings_initializer=_normal(seed))
        self.user_ids = keras.layers.Embedding(options.n_users + 1, width, embeddings_initializer=_normal(seed + 1))
        self.item_features = FeatureTower(items, width, seed + 2)
        self.user_features = FeatureTower(users, width, seed + 4)
        self.context = {
            name: keras.layers.Embedding(size, width, embeddings_initializer=_normal(seed + 6 + number))
            for number, (name, size) in enumerate(sorted(options.context.items()))
        }
        self.pooling = Pooling(options.ordered)
        self.mix = keras.layers.Dense(width, kernel_initializer=_glorot(seed + 40))
        self.towers = [Deep(width, options.towers, seed + 50 + 30 * side) for side in range(2)]
        self.norms = [keras.layers.LayerNormalization() for _ in range(2)]
        self.crosses = [
            tfrs.layers.dcn.Cross(
                options.projection_dim if number else None, kernel_initializer=_glorot(seed + 120 + number)
            )
            for number in range(options.cross_layers)
        ]
        self.deep = [
            keras.layers.Dense(size, "relu", kernel_initializer=_glorot(seed + 140 + number))
            for number, size in enumerate(options.layers)
        ]
        # Scores come out as log-probabilities: of items that are all alike, −log n_items.
        bias = keras.initializers.Constant(-math.log(options.n_items))
        self.out = keras.layers.Dense(1, kernel_initializer=_glorot(seed + 160), bias_initializer=bias)
        self.item_probabilities = tf.constant(item_probabilities, tf.float32)
        self.ndcg = keras.metrics.Mean("ndcg@10")

    def embed_user(self, x: dict[str, tf.Tensor]) -> tf.Tensor:
        """user (rows,) tokens (0 is unknown), history (rows, length), context -> (rows, 3 · embedding_dim).

        That is u and its share of the first layer's product, W₀ [u; 0] + b₀.
        """
        user = self.mix(self.pooling([x["history"], self.item_ids(x["history"])]))
        user += self.user_ids(x["user"]) + self.user_features(x["user"])
        for name, table in self.context.items():
            user += table(x[name])
        user = self.norms[0](self.towers[0](user))
        start = tf.concat([user, tf.zeros_like(user)], axis=1)
        return tf.concat([user, self._product(start)], axis=1)

    def embed_item(self, tokens: tf.Tensor) -> tf.Tensor:
        """(n,) tokens -> (n, 3 · embedding_dim): v and its share of the first layer's product, W₀ [0; v]."""
        item = self.norms[1](self.towers[1](self.item_ids(tokens) + self.item_features(tokens)))
        start = tf.concat([tf.zeros_like(item), item], axis=1)
        return tf.concat([item, self._product(start) - self._product(tf.zeros_like(start))], axis=1)

    def _product(self, x: tf.Tensor) -> tf.Tensor:
        """W₀ x + b₀, as the first layer has it in 1 ⊙ (W₀ x + b₀) + x."""
        return self.crosses[0](tf.ones_like(x), x) - x

    def logits(self, user: tf.Tensor, item: tf.Tensor) -> tf.Tensor:
        """user: (rows, 1, 3 · embedding_dim), item: (rows or 1, n, 3 · embedding_dim) -> (rows, n)."""
        rows, n, width = tf.shape(user)[0], tf.shape(item)[1], self.options.embedding_dim
        sides = [tf.broadcast_to(side[:, :, :width], [rows, n, width]) for side in (user, item)]
        start = tf.concat(sides, axis=2)
        x = start * (user[:, :, width:] + item[:, :, width:]) + start
        for cross in self.crosses[1:]:
            x = cross(start, x)
        for layer in self.deep:
            x = layer(x)
        return self.out(x)[:, :, 0]

    def scores(self, user: tf.Tensor, items: tf.Tensor) -> tf.Tensor:
        """user: (rows, 3 · embedding_dim), items: (n_items, 3 · embedding_dim) -> (rows, n_items), PAIRS at a time."""
        rows, width = tf.shape(user)[0], 3 * self.options.embedding_dim
        block = tf.clip_by_value(PAIRS // tf.maximum(rows, 1), 1, self.options.n_items)
        blocks = -(-self.options.n_items // block)
        padded = tf.pad(items, [[0, blocks * block - self.options.n_items], [0, 0]])
        scores = tf.map_fn(
            lambda some: self.logits(user[:, tf.newaxis], some[tf.newaxis]),
            tf.reshape(padded, [blocks, block, width]),
            parallel_iterations=1,
        )  # (blocks, rows, block)
        together = tf.reshape(tf.transpose(scores, [1, 0, 2]), [rows, blocks * block])
        return tf.ensure_shape(together[:, : self.options.n_items], [None, self.options.n_items])

    def compute_loss(self, inputs: dict[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        """The mean over the rows of the loss of their item and the negatives drawn for them."""
        tokens = self._candidates(inputs)  # (rows, 1 + negatives)
        distinct, at = tf.unique(tf.reshape(tokens, [-1]))
        items = tf.gather(self.embed_item(distinct), tf.reshape(at, tf.shape(tokens)))
        logits = self.logits(self.embed_user(inputs)[:, tf.newaxis], items)
        expected = self.options.negatives * tf.gather(self.item_probabilities, tokens)
        losses = LOSSES[self.options.loss](logits - tf.math.log(expected))
        return tf.reduce_mean(inputs["weight"] * losses)

    def _candidates(self, inputs: dict[str, tf.Tensor]) -> tf.Tensor:
        """Of each row its item, the items of the rows after it, and those drawn uniformly: (rows, 1 + negatives)."""
        item = inputs["item"]
        rows, others = tf.shape(item)[0], self.options.negatives // 2
        following = (tf.range(rows)[:, tf.newaxis] + tf.range(others + 1)) % rows
        drawn = tf.reshape(inputs["negatives"], [-1, self.options.negatives - others])[:rows]
        return tf.concat([tf.gather(item, following), drawn], axis=1)

    def train_step(self, inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        logs = super().train_step(inputs)
        return {name: logs[name] for name in ("loss", "total_loss")}

    def test_step(self, inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """NDCG@10 of held-out pairs, one a row, in the ranking of all items that their user has not seen."""
        items = self.embed_item(tf.range(1, self.options.n_items + 1))
        scores = self.scores(self.embed_user(inputs), items)
        self.ndcg.update_state(gain_at_10(scores, inputs["item"], inputs["seen"]))
        return {self.ndcg.name: self.ndcg.result()}


def _normal(seed: int) -> keras.initializers.Initializer:
    return keras.initializers.RandomNormal(stddev=0.05, seed=seed)


def _glorot(seed: int) -> keras.initializers.Initializer:
    return keras.initializers.GlorotUniform(seed)

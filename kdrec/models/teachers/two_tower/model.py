"""The two towers and their task: a TensorFlow Recommenders retrieval model."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras as keras

from kdrec import legacy_keras
from kdrec.models.teachers.base.gain import gain_at_10
from kdrec.models.teachers.two_tower.features import TowerFeatures

legacy_keras.ensure()  # TFRS refuses to be imported before

import tensorflow_recommenders as tfrs  # noqa: E402

HALF_LIVES = (1.0, 4.0, 16.0)  # of an item's weight in a history, in items: where the pooling heads begin


@dataclass(frozen=True)
class TwoTowerOptions:
    """What the shape and the loss of a two-tower model depend on; see `two_tower`."""

    n_users: int
    n_items: int
    context: dict[str, int]
    history_length: int
    ordered: bool
    embedding_dim: int
    layers: tuple[int, ...]
    temperature: float
    num_hard_negatives: int | None
    remove_accidental_hits: bool
    sampling_correction: bool
    seed: int


class Pooling(keras.layers.Layer):
    """Σ_l a_l E_l of a history, a = softmax over its items of a learned weight of the age, one row a head."""

    def __init__(self, ordered: bool, **kwargs: Any):
        super().__init__(**kwargs)
        self.ordered = ordered

    def build(self, input_shape: Any) -> None:
        age = np.arange(input_shape[0][1])[::-1]
        rates = [math.log(2) / half_life for half_life in HALF_LIVES] if self.ordered else []
        start = np.array([-rate * age for rate in [*rates, 0.0]], dtype=np.float32)  # (heads, length)
        self.logits = self.add_weight(
            "logits", start.shape, initializer=keras.initializers.Constant(start), trainable=self.ordered
        )
        super().build(input_shape)

    def call(self, inputs: list[tf.Tensor]) -> tf.Tensor:
        """history: (rows, length), embedded: (rows, length, d) -> (rows, heads · d); of an empty history 0."""
        history, embedded = inputs
        present = tf.cast(history > 0, tf.float32)[:, tf.newaxis, :]  # (rows, 1, length)
        logits = self.logits - 1e9 * (1.0 - present)
        attention = tf.nn.softmax(logits) * present  # (rows, heads, length)
        pooled = tf.matmul(attention, embedded)  # (rows, heads, d)
        return tf.reshape(pooled, [-1, pooled.shape[1] * pooled.shape[2]])


class FeatureTower(keras.layers.Layer):
    """Σ of the embedded tokens of a row, plus a projection of its numbers."""

    def __init__(self, features: TowerFeatures, width: int, seed: int, **kwargs: Any):
        super().__init__(**kwargs)
        self._features = {name: tf.constant(array) for name, array in features.arrays().items()}
        self.table = keras.layers.Embedding(features.n_tokens, width, embeddings_initializer=_normal(seed))
        self.numbers = keras.layers.Dense(width, use_bias=False, kernel_initializer=_normal(seed + 1))

    def call(self, rows: tf.Tensor) -> tf.Tensor:
        """rows: (n,) -> (n, width)."""
        tokens, weights, numbers = (tf.gather(self._features[name], rows) for name in ("tokens", "weights", "numbers"))
        summed = tf.matmul(weights[:, tf.newaxis, :], self.table(tokens))[:, 0, :]
        return summed + self.numbers(numbers) if numbers.shape[1] else summed


class Deep(keras.layers.Layer):
    """x + a perceptron of x, normalised: the deep end of a tower, which begins as the identity."""

    def __init__(self, width: int, layers: tuple[int, ...], seed: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.norm = keras.layers.LayerNormalization()
        self.hidden = [
            keras.layers.Dense(size, "relu", kernel_initializer=keras.initializers.GlorotUniform(seed + number))
            for number, size in enumerate(layers)
        ]
        self.out = keras.layers.Dense(width, kernel_initializer=_normal(seed + 20, 0.01))

    def call(self, x: tf.Tensor) -> tf.Tensor:
        deep = self.norm(x)
        for layer in self.hidden:
            deep = layer(deep)
        return x + self.out(deep)


class TwoTowerModel(tfrs.Model):
    """score = q(user, history, context) · c(item) / temperature, trained by an in-batch softmax.

    Args:
        options: shape and loss.
        users, items: their features, (n_users + 1) and (n_items + 1) rows; row 0 stands for the unknown.
        item_probabilities: (n_items + 1,) the share of an item among the candidates of a batch.
    """

    def __init__(
        self, options: TwoTowerOptions, users: TowerFeatures, items: TowerFeatures, item_probabilities: np.ndarray
    ):
        super().__init__()
        width, seed = options.embedding_dim, 100 * options.seed
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
        self.mix = keras.layers.Dense(width, kernel_initializer=keras.initializers.GlorotUniform(seed + 40))
        self.query_tower = Deep(width, options.layers, seed + 41)
        self.item_tower = Deep(width, options.layers, seed + 70)
        self.item_probabilities = tf.constant(item_probabilities, tf.float32)
        self.ndcg = keras.metrics.Mean("ndcg@10")
        self.task = tfrs.tasks.Retrieval(
            loss=keras.losses.CategoricalCrossentropy(from_logits=True),
            temperature=options.temperature,
            num_hard_negatives=options.num_hard_negatives,
            remove_accidental_hits=options.remove_accidental_hits,
        )

    def embed_item(self, tokens: tf.Tensor) -> tf.Tensor:
        """c of items: (n,) tokens -> (n, embedding_dim)."""
        return self.item_tower(self.item_ids(tokens) + self.item_features(tokens))

    def embed_query(self, x: dict[str, tf.Tensor]) -> tf.Tensor:
        """q of rows: user (rows,) tokens (0 is unknown), history (rows, length), context -> (rows, embedding_dim)."""
        history = x["history"]
        embedded = self.item_ids(history)
        query = self.mix(self.pooling([history, embedded]))
        query += self.user_ids(x["user"]) + self.user_features(x["user"])
        for name, table in self.context.items():
            query += table(x[name])
        return self.query_tower(query)

    def compute_loss(self, inputs: dict[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        """The softmax of each row's item among the items of the batch and those drawn as extra negatives."""
        candidates = tf.concat([inputs["item"], inputs["negatives"]], axis=0)
        probability = tf.gather(self.item_probabilities, candidates) if self.options.sampling_correction else None
        return self.task(
            self.embed_query(inputs),
            self.embed_item(candidates),
            sample_weight=inputs["weight"],
            candidate_sampling_probability=probability,
            candidate_ids=candidates,
            compute_metrics=False,
        )

    def train_step(self, inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        logs = super().train_step(inputs)
        return {name: logs[name] for name in ("loss", "total_loss")}

    def test_step(self, inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """NDCG@10 of held-out pairs, one a row, in the ranking of all items that their user has not seen."""
        items = self.embed_item(tf.range(1, self.options.n_items + 1))
        scores = tf.matmul(self.embed_query(inputs), items, transpose_b=True)
        self.ndcg.update_state(gain_at_10(scores, inputs["item"], inputs["seen"]))
        return {self.ndcg.name: self.ndcg.result()}


def _normal(seed: int, stddev: float = 0.05) -> keras.initializers.Initializer:
    return keras.initializers.RandomNormal(stddev=stddev, seed=seed)

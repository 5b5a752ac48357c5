"""Autoencoders of histories: two networks, and the loss and the steps that they share."""

from abc import abstractmethod
from dataclasses import dataclass

import tensorflow as tf
import tf_keras as keras

from kdrec.losses.base import LEFT_OUT
from kdrec.models.teachers.base.gain import gain_at_10


@dataclass(frozen=True)
class VaeOptions:
    """What the shape and the loss of an autoencoder depend on; see `mult_vae`."""

    n_items: int
    embedding_dim: int
    hidden: int
    tied: bool
    dropout: float
    unseen_only: bool
    beta: float
    annealing_steps: int
    seed: int


def places(tokens: tf.Tensor) -> tf.Tensor:
    """Where rows of tokens stand in a (rows, n_items) matrix; token 0 is padding.

    Args:
        tokens: (rows, width) int32, item position + 1.

    Returns:
        (tokens that are not padding, 2) int64.

    >>> places(tf.constant([[0, 3], [1, 0]])).numpy().tolist()
    [[0, 2], [1, 0]]
    """
    at = tf.where(tokens > 0)
    return tf.stack([at[:, 0], tf.cast(tf.gather_nd(tokens, at), tf.int64) - 1], axis=1)


def likelihood_loss(
    scores: tf.Tensor, history: tf.Tensor, target: tf.Tensor, weight: tf.Tensor, unseen_only: bool
) -> tf.Tensor:
    """−Σ_j w_j log softmax(scores)_j / Σ_j w_j over the target items j of a row.

    Args:
        scores: (rows, n_items).
        history: (rows, width) tokens that were read, each item once.
        target: (rows, width) tokens, at least one a row, each item once.
        weight: (rows, width), above 0 where there is a target.
        unseen_only: leave the items of the history out of the softmax.

    Returns:
        (rows,) float32.

    >>> of = likelihood_loss(tf.zeros([1, 3]), tf.constant([[3]]), tf.constant([[1]]), tf.constant([[1.0]]), True)
    >>> float(of[0])  # two unseen items, equal scores: log 2
    0.6931471824645996
    """
    if unseen_only:
        read = places(history)
        scores = tf.tensor_scatter_nd_update(scores, read, tf.fill([tf.shape(read)[0]], LEFT_OUT))
    share = weight / tf.reduce_sum(weight, axis=1, keepdims=True)
    wanted = tf.scatter_nd(places(target), share[target > 0], tf.shape(scores, out_type=tf.int64))
    return tf.nn.softmax_cross_entropy_with_logits(tf.stop_gradient(wanted), scores)


def divergence(mean: tf.Tensor, log_variance: tf.Tensor) -> tf.Tensor:
    """KL(N(mean, variance) ‖ N(0, 1)) = ½ Σ (variance + mean² − 1 − log variance), (rows, d) -> (rows,)."""
    return 0.5 * tf.reduce_sum(tf.exp(log_variance) + mean**2 - 1.0 - log_variance, axis=1)


def normal(seed: int, stddev: float) -> keras.initializers.Initializer:
    return keras.initializers.RandomNormal(stddev=stddev, seed=seed)


class Autoencoder(keras.Model):
    """score_j = query · c_j, query = decode(z), z drawn in training from N(mean, variance) = encode(x), else the mean.

    x is the history as a row over the items: n^(−1/2) for each of its n items, with dropout in training. It is
    multiplied as a sparse matrix, so that a step costs what the histories hold and not what the catalogue does.

    Args:
        options: shape and loss.
    """

    def __init__(self, options: VaeOptions):
        super().__init__()
        self.options = options
        self.spread = keras.layers.Dense(options.embedding_dim, kernel_initializer=normal(100 * options.seed, 0.01))
        self.loss_mean = keras.metrics.Mean("loss")
        self.ndcg = keras.metrics.Mean("ndcg@10")

    @abstractmethod
    def encode(self, x: tf.SparseTensor) -> tuple[tf.Tensor, tf.Tensor]:
        """x: (rows, n_items) -> the mean, (rows, embedding_dim), and what the variance is told from, (rows, width)."""

    @abstractmethod
    def decode(self, z: tf.Tensor) -> tf.Tensor:
        """z: (rows, embedding_dim) -> the query, (rows, width)."""

    @property
    @abstractmethod
    def item_embedding(self) -> tf.Tensor:
        """c of every item, (n_items, width)."""

    def rows(self, history: tf.Tensor, seed: tf.Tensor | None = None) -> tf.SparseTensor:
        """x of histories, (rows, width) tokens, each item once; a seed, (2,) int32, drops entries out."""
        count = tf.reduce_sum(tf.cast(history > 0, tf.float32), axis=1)
        at = places(history)
        values = tf.gather(tf.math.rsqrt(tf.maximum(count, 1.0)), at[:, 0])
        if seed is not None and self.options.dropout:
            values = tf.nn.experimental.stateless_dropout(values, self.options.dropout, seed=seed)
        return tf.SparseTensor(at, values, [tf.shape(history, tf.int64)[0], self.options.n_items])

    def call(self, history: tf.Tensor) -> tf.Tensor:
        """(rows, width) tokens -> the query, (rows, width of item_embedding)."""
        return self.decode(self.encode(self.rows(history))[0])

    def batch_loss(self, batch: dict[str, tf.Tensor], progress: tf.Tensor) -> tf.Tensor:
        """The mean over rows of `likelihood_loss`, plus beta · min(progress, 1) · `divergence`."""
        seed = tf.reshape(batch["seed"], [2])
        mean, read = self.encode(self.rows(batch["history"], seed))
        z, extra = self.drawn(mean, read, seed, progress) if self.options.beta else (mean, 0.0)
        scores = tf.matmul(self.decode(z), self.item_embedding, transpose_b=True)
        losses = likelihood_loss(scores, batch["history"], batch["target"], batch["weight"], self.options.unseen_only)
        return tf.reduce_mean(losses + extra)

    def drawn(
        self, mean: tf.Tensor, read: tf.Tensor, seed: tf.Tensor, progress: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """z, (rows, embedding_dim), and what it costs, (rows,)."""
        log_variance = self.spread(read)
        noise = tf.random.stateless_normal(tf.shape(mean), seed + [0, 1])
        annealed = self.options.beta * tf.minimum(progress, 1.0)
        return mean + noise * tf.exp(log_variance / 2), annealed * divergence(mean, log_variance)

    def train_step(self, batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        progress = tf.cast(self.optimizer.iterations, tf.float32) / self.options.annealing_steps
        with tf.GradientTape() as tape:
            loss = self.batch_loss(batch, progress)
        self.optimizer.minimize(loss, self.trainable_variables, tape=tape)
        self.loss_mean.update_state(loss)
        return {self.loss_mean.name: self.loss_mean.result()}

    def test_step(self, inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """NDCG@10 of held-out pairs, one a row, in the ranking of all items that their user has not seen."""
        scores = tf.matmul(self(inputs["history"]), self.item_embedding, transpose_b=True)
        self.ndcg.update_state(gain_at_10(scores, inputs["item"], inputs["seen"]))
        return {self.ndcg.name: self.ndcg.result()}

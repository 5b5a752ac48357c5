"""Two tables and their training step."""

from dataclasses import dataclass

import tensorflow as tf
import tf_keras as keras

from kdrec.models.teachers.base.gain import gain_at_10
from kdrec.models.teachers.mf_bpr.objectives import LOSSES


@dataclass(frozen=True)
class FactorOptions:
    """What the shape and the loss of a factor model depend on; see `lightgcn`."""

    n_users: int
    n_items: int
    embedding_dim: int
    loss: str
    regularization: float
    seed: int


class FactorModel(keras.Model):
    """score = u · c, u and c rows of two tables, or, in a subclass, what `embedded` makes of them.

    Args:
        options: shape and loss.
    """

    def __init__(self, options: FactorOptions):
        super().__init__()
        self.options = options
        shape = {"users": options.n_users, "items": options.n_items}
        self.users, self.items = (
            self.add_weight(
                name,
                (rows, options.embedding_dim),
                initializer=keras.initializers.RandomNormal(stddev=0.1, seed=2 * options.seed + number),
            )
            for number, (name, rows) in enumerate(shape.items())
        )
        self.ndcg = keras.metrics.Mean("ndcg@10")
        self.built = True

    def embedded(self) -> tuple[tf.Tensor, tf.Tensor]:
        """u of all users, (n_users, embedding_dim), and c of all items, (n_items, embedding_dim)."""
        return self.users, self.items

    def objective(self, batch: dict[str, tf.Tensor]) -> tf.Tensor:
        """The mean loss of a batch, plus regularization · ½ Σ ‖row of a table‖² / pairs over the rows it names."""
        users, items = self.embedded()
        query = tf.gather(users, batch["user"])
        losses = LOSSES[self.options.loss](query, items, batch["item"], batch["negatives"])
        named = [(self.users, batch["user"]), (self.items, batch["item"]), (self.items, batch["negatives"])]
        squares = tf.add_n([tf.nn.l2_loss(tf.gather(table, rows)) for table, rows in named])
        pairs = tf.cast(tf.size(batch["item"]), tf.float32)
        return tf.reduce_mean(batch["weight"] * losses) + self.options.regularization * squares / pairs

    def train_step(self, batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        with tf.GradientTape() as tape:
            loss = self.objective(batch)
        self.optimizer.minimize(loss, self.trainable_variables, tape)
        return {"loss": loss}

    def test_step(self, batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """NDCG@10 of held-out pairs, one a row, in the ranking of all items that their user has not seen."""
        users, items = self.embedded()
        scores = tf.matmul(tf.gather(users, batch["user"] - 1), items, transpose_b=True)
        self.ndcg.update_state(gain_at_10(scores, batch["item"], batch["seen"]))
        return {self.ndcg.name: self.ndcg.result()}

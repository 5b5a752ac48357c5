"""The Distiller: a Keras model whose step combines the hard loss on what users did with soft losses on the teacher."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf
import tf_keras as keras

from kdrec.distill.live_teacher import Fields, ask, inputs_of
from kdrec.distill.metrics import NDCG
from kdrec.distill.top_list import dense_scores
from kdrec.errors import TrainingError
from kdrec.losses.base import DistillationLoss, items_mask, split_labels

CACHED = "teacher_"  # a batch's fields from the teacher cache start with this


@keras.utils.register_keras_serializable("kdrec")
class Distiller(keras.Model):
    """L = α·hard + (1−α)·Σ_i w_i·soft_i + the student's regularisers, with α = `student_loss_weight`.

    The hard loss is the compiled `loss` on the labels; each soft loss compares student and teacher. Every loss gives
    one value a row; `sample_weight` weighs the rows of both parts. Regularisers are added once, outside the mix.
    α, w and temperatures are variables: a callback that assigns them changes the next step.

    Args:
        teacher: any callable from inputs to scores (rows, n_items), Keras 2, Keras 3, SavedModel or numpy; or None
            when batches carry the stored answers of a teacher cache (inputs named `teacher_scores`, …). It is never
            trained and never runs in training mode.
        student: a Keras 2 functional model from inputs to scores (rows, n_items).
        distillation_losses: one soft loss or several, from `kdrec.losses`.
        distillation_loss_weights: w, one a soft loss; all 1 when None.
        student_loss_weight: α in [0, 1]; 1 is plain training, 0 listens to the teacher only.
        query_layer: the student's layer that a loss on queries reads.
        ndcg_k: `ndcg@k` is computed when the Distiller is evaluated.

    Raises:
        TrainingError: a weight out of range, a Keras 3 student, or a loss that needs what the teacher does not give.

    >>> from kdrec.losses.softened_kl import SoftenedKl
    >>> from kdrec.losses.softmax import Softmax
    >>> from kdrec.models.students.history import history
    >>> import numpy as np
    >>> student = history(40, embedding_dim=8, history_length=6)
    >>> distiller = Distiller(lambda x: np.eye(40)[x["history"][:, -1] - 1], student, SoftenedKl(temperature=2.0))
    >>> distiller.compile("adam", loss=Softmax())
    >>> batch = {"history": np.array([[0, 0, 0, 1, 2, 3], [0, 0, 0, 0, 4, 5]])}
    >>> logs = distiller.fit(batch, np.array([[4, -1, -2, -3], [6, -4, -5, 0]]), verbose=0).history
    >>> sorted(logs)
    ['distillation_loss', 'student_loss', 'total_loss']
    """

    def __init__(
        self,
        teacher: Any,
        student: keras.Model,
        distillation_losses: DistillationLoss | Sequence[DistillationLoss],
        distillation_loss_weights: Sequence[float] | None = None,
        student_loss_weight: float = 0.5,
        *,
        query_layer: str = "query",
        ndcg_k: int = 10,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if not isinstance(student, keras.Model):
            raise TrainingError(
                f"student must be a Keras 2 model (import tf_keras as keras), not {type(student).__module__}."
                f"{type(student).__name__}; build it with tf_keras, or use kdrec.models.students"
            )
        losses = [distillation_losses] if isinstance(distillation_losses, DistillationLoss) else [*distillation_losses]
        weights = [1.0] * len(losses) if distillation_loss_weights is None else list(distillation_loss_weights)
        if len(weights) != len(losses):
            raise TrainingError(
                f"distillation_loss_weights must have one value a loss ({len(losses)}), not {len(weights)}"
            )
        if not 0 <= student_loss_weight <= 1:
            raise TrainingError(f"student_loss_weight must lie in [0, 1], not {student_loss_weight}")
        self.student = student
        self.distillation_losses = losses
        self.distillation_loss_weights = [
            tf.Variable(weight, trainable=False, dtype=tf.float32, name=f"distillation_loss_weight_{i}")
            for i, weight in enumerate(weights)
        ]
        self.student_loss_weight = tf.Variable(
            student_loss_weight, trainable=False, dtype=tf.float32, name="student_loss_weight"
        )
        self.needs = frozenset().union(*(loss.needs for loss in losses)) if losses else frozenset()
        # In closures, so that Keras neither tracks the teacher's weights nor counts the student's twice.
        self._ask = None if teacher is None else ask(teacher, self.needs)
        self._read = _reader(student, query_layer if any(loss.reads_query for loss in losses) else None)
        self.built = True  # the student is
        self._config = {"query_layer": query_layer, "ndcg_k": ndcg_k}
        self._ndcg = NDCG(ndcg_k)
        self._trackers = {
            name: keras.metrics.Mean(name) for name in ("total_loss", "student_loss", "distillation_loss")
        }

    def call(self, x: Any, training: bool | None = None) -> tf.Tensor:
        """The student's scores, (rows, n_items)."""
        return self.student(inputs_of(self.student, x), training=training)

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        with tf.GradientTape() as tape:
            student = self._read(x, True)
            loss = self.compute_loss(x, y, student, sample_weight)
        self.optimizer.minimize(loss, self.trainable_variables, tape=tape)
        self.compiled_metrics.update_state(y, student["scores"], sample_weight)
        return self._logs()

    def test_step(self, data: Any) -> dict[str, tf.Tensor]:
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        student = self._read(x, False)
        self.compute_loss(x, y, student, sample_weight)
        self.compiled_metrics.update_state(y, student["scores"], sample_weight)
        self._ndcg.update_state(y, student["scores"], sample_weight)
        return {**self._logs(), self._ndcg.name: self._ndcg.result()}

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None) -> tf.Tensor:
        """α·hard + (1−α)·soft + regularisers; `y_pred` holds the student's `scores` and, where read, its `query`."""
        hard = self.compiled_loss(y, y_pred["scores"], sample_weight)
        soft = self._soft_loss(x, y, y_pred, sample_weight)
        alpha = self.student_loss_weight
        total = alpha * hard + (1.0 - alpha) * soft
        if self.losses:
            total += _share_of_replica(tf.add_n(self.losses))
        self._track("total_loss", total)
        self._track("student_loss", hard)
        self._track("distillation_loss", soft)
        return total

    def build_losses(self, x: Any, y: Any) -> None:
        """Let the losses make their layers (projections) on one batch, so that every weight exists before training."""
        x, y = tf.nest.map_structure(tf.convert_to_tensor, (x, y))
        self.compute_loss(x, y, self._read(x, False))
        self.reset_metrics()

    def _soft_loss(self, x: Any, y: Any, student: Fields, sample_weight: Any) -> tf.Tensor:
        """Σ_i w_i · mean over rows of soft_i; 0 for batches that carry no teacher when none is live (validation)."""
        teacher = self._teacher_fields(x, student["scores"].shape[-1])
        if not teacher or not self.distillation_losses:
            return tf.zeros([])
        seen = items_mask(split_labels(y)[1], student["scores"].shape[-1])
        total = tf.zeros([])
        for loss, weight in zip(self.distillation_losses, self.distillation_loss_weights, strict=True):
            values = loss(student, teacher, seen)  # (rows,)
            if sample_weight is not None:
                values *= tf.reshape(tf.cast(sample_weight, values.dtype), [-1])
            total += weight * tf.reduce_mean(values)
        return _share_of_replica(total)

    def _teacher_fields(self, x: Any, n_items: int) -> Fields:
        if self._ask is not None:
            fields = self._ask(x)
        else:
            fields = {name.removeprefix(CACHED): x[name] for name in x if name.startswith(CACHED)}
        if "top_items" in fields and "scores" not in fields:
            fields["scores"] = dense_scores(fields["top_items"], fields["top_scores"], n_items)
        missing = self.needs - fields.keys()
        if fields and missing:
            loss = next(loss for loss in self.distillation_losses if loss.needs & missing)
            raise TrainingError(
                f"loss {type(loss).__name__} needs the teacher's {', '.join(sorted(missing))}, but it gives "
                f"{', '.join(sorted(fields))}; choose another loss, or a teacher (cache) that holds it"
            )
        return {name: tf.cast(value, tf.float32) for name, value in fields.items() if name in self.needs}

    def _track(self, name: str, value: tf.Tensor) -> None:
        self._trackers[name].update_state(value * tf.distribute.get_strategy().num_replicas_in_sync)

    def _logs(self) -> dict[str, tf.Tensor]:
        logs = {name: tracker.result() for name, tracker in self._trackers.items()}
        return {**logs, **{metric.name: metric.result() for metric in self.compiled_metrics.metrics}}

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return [*super().metrics, *self._trackers.values(), self._ndcg]

    def get_config(self) -> dict:
        """All but the teacher: a reloaded Distiller carries the student and trains on from a teacher cache."""
        return {
            "student": keras.saving.serialize_keras_object(self.student),
            "distillation_losses": [keras.saving.serialize_keras_object(loss) for loss in self.distillation_losses],
            "distillation_loss_weights": [float(weight) for weight in self.distillation_loss_weights],
            "student_loss_weight": float(self.student_loss_weight),
            **self._config,
        }

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None) -> "Distiller":
        load = keras.saving.deserialize_keras_object
        losses = [load(loss, custom_objects) for loss in config.pop("distillation_losses")]
        return cls(None, load(config.pop("student"), custom_objects), losses, **config)


def _reader(student: keras.Model, query_layer: str | None):
    """A function (inputs, training) -> the student's scores and, when a loss reads it, its query."""
    if query_layer is None:
        return lambda x, training: {"scores": student(inputs_of(student, x), training=training)}
    if query_layer not in (layer.name for layer in student.layers):
        raise TrainingError(
            f"query_layer {query_layer!r} is not a layer of the student; its layers are "
            f"{', '.join(layer.name for layer in student.layers)}"
        )
    both = keras.Model(student.inputs, {"scores": student.output, "query": student.get_layer(query_layer).output})
    return lambda x, training: both(list(inputs_of(student, x).values()), training=training)


def _share_of_replica(loss: tf.Tensor) -> tf.Tensor:
    """Replicas' gradients are summed: each brings its share of a mean over all of them."""
    return loss / tf.distribute.get_strategy().num_replicas_in_sync

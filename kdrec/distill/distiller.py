"""The Distiller: a Keras model whose step combines the hard loss on what users did with soft losses on the teacher."""

from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf
import tf_keras as keras

from kdrec.distill import weightings
from kdrec.distill.live_teacher import Fields, inputs_of
from kdrec.distill.metrics import NDCG
from kdrec.distill.mixing import check_total_steps, listed_teachers, one_each, share_between_0_and_1, share_of_replica
from kdrec.distill.student_reader import student_reader
from kdrec.distill.teacher_fields import longest_top, teacher_reader
from kdrec.errors import TrainingError
from kdrec.losses.base import Batch, DistillationLoss, items_mask, split_labels
from kdrec.schedules import Number, Schedule, as_config, value_at


@keras.utils.register_keras_serializable("kdrec")
class Distiller(keras.Model):
    """L = α·hard + (1−α)·Σ_m w_m Σ_i v_i·soft_i(teacher m) + the student's regularisers, α = `student_loss_weight`.

    The hard loss is the compiled `loss` on the labels, any Keras loss on signed labels; each soft loss compares student
    and teacher. Every loss gives one value a row; `sample_weight` weighs the rows of both parts. Regularisers are
    added once, outside the mix. α, v, w and temperatures are numbers or schedules (`kdrec.schedules`, or their text:
    "linear:1:0.5"). A number is held in a variable: a callback that assigns it changes the next step.

    Args:
        teacher: any callable from inputs to scores (rows, n_items), Keras 2, Keras 3, SavedModel or numpy; or None
            when batches carry the stored answers of a teacher cache (inputs named `teacher_scores`, …); or a list of
            such (`teacher2_scores`, … belong to the second). It is never trained and never runs in training mode.
        student: a Keras 2 functional model from inputs to scores (rows, n_items).
        distillation_losses: one soft loss or several, from `kdrec.losses`.
        distillation_loss_weights: v, one a soft loss; all 1 when None.
        student_loss_weight: α in [0, 1]; 1 is plain training, 0 listens to the teacher only.
        teacher_weights: w, one a teacher, used as given; equal ones of sum 1 when None.
        tables: what a teacher says once for all rows, such as `item_embedding` (n_items, d); one dict a teacher.
        total_steps: optimizer steps of the whole training, which schedules follow; None stays at progress 0.
        weighting: a name in `kdrec.distill.weightings`: how rows count and how the parts add up.
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
        distillation_loss_weights: Sequence[Number] | None = None,
        student_loss_weight: Number = 0.5,
        *,
        teacher_weights: Sequence[Number] | None = None,
        tables: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
        total_steps: int | None = None,
        weighting: str = "fixed",
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
        teachers, tables = listed_teachers(teacher, tables, teacher_weights)
        self.student = student
        self.distillation_losses = losses  # against the first teacher
        self.distillation_loss_weights = one_each(
            "distillation_loss_weights", distillation_loss_weights, len(losses), "loss", 1.0
        )
        self.student_loss_weight = share_between_0_and_1("student_loss_weight", student_loss_weight)
        count = len(teachers)
        self.teacher_weights = one_each("teacher_weights", teacher_weights, count, "teacher", 1.0 / count)
        followed = {name: getattr(self, name) for name in ("distillation_loss_weights", "teacher_weights")}
        check_total_steps(total_steps, {"student_loss_weight": [self.student_loss_weight], **followed})
        self.more_losses = [[loss.for_another_teacher() for loss in losses] for _ in teachers[1:]]
        self.weighting = weightings.get(weighting)(1 + count * len(losses))
        # In closures, so that Keras neither tracks the teachers' weights nor counts the student's twice.
        askers = {f"loss {type(loss).__name__}": loss for loss in losses} | {f"weighting {weighting}": self.weighting}
        self._told = teacher_reader(teachers, tables, askers, longest_top(losses))
        self._read = student_reader(student, frozenset().union(*(loss.reads for loss in losses)), query_layer)
        self.built = True  # the student is
        self._config = {
            "total_steps": total_steps, "weighting": weighting, "query_layer": query_layer, "ndcg_k": ndcg_k
        }  # fmt: skip
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
        """α·hard + (1−α)·soft + regularisers; `y_pred` holds what the losses read of the student."""
        batch = self._batch(y, y_pred["scores"].shape[-1])
        hard = self.compiled_loss(y, y_pred["scores"], sample_weight)
        weights, values = self._soft_parts(x, y_pred, batch, sample_weight)
        alpha = value_at(self.student_loss_weight, batch.progress)
        share = share_of_replica()
        total = self.weighting.total([alpha, *((1.0 - alpha) * weight for weight in weights)], [hard, *values], share)
        if self.losses:
            total += share * tf.add_n(self.losses)
        self._track("total_loss", total)
        self._track("student_loss", hard)
        self._track("distillation_loss", sum((w * v for w, v in zip(weights, values, strict=True)), tf.zeros([])))
        return total

    def build_losses(self, x: Any, y: Any) -> None:
        """Let the losses make their layers (projections) on one batch, so that every weight exists before training."""
        x, y = tf.nest.map_structure(tf.convert_to_tensor, (x, y))
        student = self._read(x, False)
        self._soft_parts(x, student, self._batch(y, student["scores"].shape[-1]), None)

    def scheduled(self) -> dict[str, float]:
        """What the learning rate, and every weight and temperature that follows a schedule, are at this step."""
        followed = {"student_loss_weight": self.student_loss_weight}
        for loss, weight in zip(self.distillation_losses, self.distillation_loss_weights, strict=True):
            followed[f"weight of {type(loss).__name__}"] = weight
            followed[f"temperature of {type(loss).__name__}"] = getattr(loss, "temperature", None)
        followed |= {f"weight of teacher {place + 1}": weight for place, weight in enumerate(self.teacher_weights)}
        now = {name: value(self._progress()) for name, value in followed.items() if isinstance(value, Schedule)}
        return {name: float(value) for name, value in {"learning_rate": self.optimizer.learning_rate, **now}.items()}

    def _progress(self) -> tf.Tensor:
        total, step = self._config["total_steps"], 0 if self.optimizer is None else self.optimizer.iterations
        return tf.constant(0.0) if total is None else tf.minimum(tf.cast(step, tf.float32) / total, 1.0)

    def _batch(self, y: Any, n_items: int) -> Batch:
        held_out, seen = (items_mask(tokens, n_items) for tokens in split_labels(y))
        step = 0 if self.optimizer is None else self.optimizer.iterations
        return Batch(seen, held_out, tf.cast(step, tf.int32), self._progress())

    def _soft_parts(self, x: Any, student: Fields, batch: Batch, sample_weight: Any) -> tuple[list, list]:
        """Weights and means over rows of the losses, those against the first teacher first.

        Both are 0 for a batch without the answers of a teacher that is not live, such as one of validation.
        """
        weights: list[Any] = []
        values: list[tf.Tensor] = []
        if not self.distillation_losses:
            return weights, values
        all_losses = [self.distillation_losses, *self.more_losses]
        for teacher, losses, of_teacher in zip(
            self._told(x, batch.seen), all_losses, self.teacher_weights, strict=True
        ):
            if not teacher:
                weights += [0.0] * len(losses)
                values += [tf.zeros([])] * len(losses)
                continue
            rows = self.weighting.rows(teacher, batch)  # (rows,)
            if sample_weight is not None:
                rows *= tf.reshape(tf.cast(sample_weight, rows.dtype), [-1])
            for loss, of_loss in zip(losses, self.distillation_loss_weights, strict=True):
                weights.append(value_at(of_teacher, batch.progress) * value_at(of_loss, batch.progress))
                values.append(share_of_replica() * tf.reduce_mean(rows * loss(student, teacher, batch)))
        return weights, values

    def _track(self, name: str, value: tf.Tensor) -> None:
        self._trackers[name].update_state(value * tf.distribute.get_strategy().num_replicas_in_sync)

    def _logs(self) -> dict[str, tf.Tensor]:
        logs = {name: tracker.result() for name, tracker in self._trackers.items()}
        return {**logs, **{metric.name: metric.result() for metric in self.compiled_metrics.metrics}}

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return [*super().metrics, *self._trackers.values(), self._ndcg]

    def get_config(self) -> dict:
        """All but teachers and tables: a reloaded Distiller carries the student and trains on from teacher caches."""
        return {
            "student": keras.saving.serialize_keras_object(self.student),
            "distillation_losses": [keras.saving.serialize_keras_object(loss) for loss in self.distillation_losses],
            "distillation_loss_weights": [as_config(weight) for weight in self.distillation_loss_weights],
            "student_loss_weight": as_config(self.student_loss_weight),
            "teacher_weights": [as_config(weight) for weight in self.teacher_weights],
            **self._config,
        }

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None) -> "Distiller":
        load = keras.saving.deserialize_keras_object
        losses = [load(loss, custom_objects) for loss in config.pop("distillation_losses")]
        return cls(None, load(config.pop("student"), custom_objects), losses, **config)

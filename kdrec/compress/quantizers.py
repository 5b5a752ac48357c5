"""What TFMOT calls while a student is trained under rounding. To be imported after `legacy_keras.ensure()`."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_model_optimization as tfmot
import tf_keras as keras

from kdrec.errors import TrainingError


class Range(tfmot.quantization.keras.quantizers.Quantizer):
    """Rounds to s·k, k an integer of `bits` bits, symmetric, s = max|E| / max k: the scale that the converter takes.

    Args:
        bits: of a stored number.
        keep_zeros: what is zero when training begins stays zero.
        clusters: entries that are equal when training begins stay equal, and there are at most so many values; None
            lets every entry go its own way. A value is the mean of its entries, so that it hears all their gradients.
        shipped: what is made of the matrix before it is rounded, such as rows of length 1; None takes it as it is.
    """

    def __init__(
        self,
        bits: int,
        keep_zeros: bool,
        clusters: int | None = None,
        shipped: Callable[[tf.Tensor], tf.Tensor] | None = None,
    ):
        self.bits, self.keep_zeros, self.clusters, self.shipped = bits, keep_zeros, clusters, shipped

    @property
    def steps(self) -> int:
        return 2 ** (self.bits - 1) - 1

    def build(self, tensor_shape, name, layer):
        held = {}
        if self.keep_zeros:
            held["mask"] = layer.add_weight(f"{name}_mask", tensor_shape, initializer="ones", trainable=False)
        if self.clusters is not None:
            held["cluster"] = layer.add_weight(
                f"{name}_cluster", tensor_shape, dtype=tf.int32, initializer="zeros", trainable=False
            )
        return held

    def begin(self, values: tf.Tensor, weights: dict[str, tf.Variable]) -> None:
        """Called once, with the values that the training begins with.

        Raises:
            TrainingError: more values than clusters.
        """
        if self.keep_zeros:
            weights["mask"].assign(tf.cast(values != 0, tf.float32))
        if self.clusters is not None:
            found, cluster = np.unique(values.numpy(), return_inverse=True)
            if len(found) > self.clusters:
                raise TrainingError(
                    f"clusters must be at least the values that a matrix has, {len(found)}, not {self.clusters}; "
                    f"cluster it before"
                )
            weights["cluster"].assign(cluster.reshape(values.shape))

    def kept(self, inputs: tf.Tensor, weights: dict[str, tf.Variable]) -> tf.Tensor:
        """The entries with the zeros and the equal values that they began with."""
        if self.clusters is not None:
            cluster = tf.reshape(weights["cluster"], [-1])
            means = tf.math.unsorted_segment_mean(tf.reshape(inputs, [-1]), cluster, self.clusters)  # (clusters,)
            inputs = tf.gather(means, weights["cluster"])
        return inputs * weights["mask"] if self.keep_zeros else inputs

    def real(self, inputs: tf.Tensor, weights: dict[str, tf.Variable]) -> tf.Tensor:
        """What is rounded."""
        kept = self.kept(inputs, weights)
        return kept if self.shipped is None else self.shipped(kept)

    def __call__(self, inputs, training, weights, **kwargs):
        inputs = self.real(inputs, weights)
        scale = tf.maximum(tf.stop_gradient(tf.reduce_max(tf.abs(inputs))), 1e-12) / self.steps
        return inputs + tf.stop_gradient(scale * tf.round(inputs / scale) - inputs)

    def get_config(self) -> dict[str, Any]:
        return {"bits": self.bits, "keep_zeros": self.keep_zeros, "clusters": self.clusters}


class LearnedRange(Range):
    """The same, but s is learned: few bits are better spent on the many small values than on the largest one.

    What is beyond the range is clipped and hears no gradient; s is held as its logarithm, so that Adam moves it by a
    share of itself.

    Source: Esser et al., Learned Step Size Quantization, ICLR 2020, arXiv:1902.08153.
    """

    def build(self, tensor_shape, name, layer):
        log_scale = layer.add_weight(f"{name}_log_scale", (), initializer="zeros", trainable=True)
        return {**super().build(tensor_shape, name, layer), "log_scale": log_scale}

    def begin(self, values, weights):
        from kdrec.compress.rounding import best_scale

        super().begin(values, weights)
        weights["log_scale"].assign(tf.math.log(best_scale(self.real(values, weights).numpy(), self.steps)))

    def __call__(self, inputs, training, weights, **kwargs):
        return on_grid(self.real(inputs, weights), tf.exp(weights["log_scale"]), float(self.steps))


@tf.custom_gradient
def on_grid(values: tf.Tensor, scale: tf.Tensor, steps: float) -> Any:
    """scale · clip(round(values / scale), −steps, steps), with the gradients of learned step size quantization."""
    ratio = values / scale
    inside = tf.abs(ratio) <= steps
    count = tf.clip_by_value(tf.round(ratio), -steps, steps)

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, None]:
        of_scale = tf.where(inside, count - ratio, count)
        share = 1.0 / tf.sqrt(tf.cast(tf.size(values), tf.float32) * steps)
        return tf.where(inside, upstream, 0.0), share * tf.reduce_sum(upstream * of_scale), None

    return scale * count, gradient


class WeightsOnly(tfmot.quantization.keras.QuantizeConfig):
    """Quantizes some weights of a layer; activations keep their values, whose ranges are measured at export.

    Args:
        names: the layer's attributes that hold them.
        quantizer: how.
    """

    def __init__(self, names: Sequence[str], quantizer: Range):
        self.names, self.quantizer = tuple(names), quantizer

    def get_weights_and_quantizers(self, layer: keras.layers.Layer) -> list:
        return [(getattr(layer, name), self.quantizer) for name in self.names]

    def set_quantize_weights(self, layer: keras.layers.Layer, quantize_weights: list) -> None:
        for name, weight in zip(self.names, quantize_weights, strict=True):
            setattr(layer, name, weight)

    def get_activations_and_quantizers(self, layer) -> list:
        return []

    def set_quantize_activations(self, layer, quantize_activations) -> None:
        pass

    def get_output_quantizers(self, layer) -> list:
        return []

    def get_config(self) -> dict[str, Any]:
        return {"names": self.names, "quantizer": keras.saving.serialize_keras_object(self.quantizer)}


def wrapped(layer: keras.layers.Layer, names: Sequence[str], quantizer: Range) -> keras.layers.Layer:
    """TFMOT's wrapper around a layer."""
    return tfmot.quantization.keras.QuantizeWrapperV2(layer, WeightsOnly(names, quantizer))

"""TFMOT's m-by-n pruning, along the rows of a table. To be imported after `legacy_keras.ensure()`."""

import tensorflow as tf
from tensorflow_model_optimization.python.core.sparsity.keras.pruning_impl import Pruning
from tensorflow_model_optimization.python.core.sparsity.keras.pruning_wrapper import PruneLowMagnitude


class PruneRows(PruneLowMagnitude):
    """TFMOT's wrapper for a layer that multiplies by the transpose of what it holds, as scores by an item table.

    TFMOT counts zeros along axis 0, the inputs of a dense kernel (inputs, outputs), for the file stores the kernel
    transposed and sums along its rows. An item table (items, width) is stored as it is, and its sums run along axis 1.
    """

    def build(self, input_shape) -> None:
        super().build(input_shape)
        self.pruning_obj = _AlongRows(
            lambda: self.pruning_step, self.pruning_vars, self.pruning_schedule, self.block_size,
            self.block_pooling_type, self.sparsity_m_by_n,
        )  # fmt: skip


class _AlongRows(Pruning):
    def _update_mask_sparsity_m_by_n(self, weights, m_by_n=(2, 4)) -> tf.Tensor:
        return tf.transpose(super()._update_mask_sparsity_m_by_n(tf.transpose(weights), m_by_n))

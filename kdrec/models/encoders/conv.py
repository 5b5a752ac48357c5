"""The conv encoder: neighbours in time are read together, and each position has its own weight a channel."""

import tf_keras as keras

from kdrec.errors import TrainingError
from kdrec.models.layers import Boundary


def conv(history, embedded, context=None, *, ordered: bool = True, kernel_size: int = 3, seed: int = 0):
    """s_c = Σ_l w_{l,c} (E_l + relu(K * E)_l)_c + context: a convolution, then one weight a position and channel.

    No bias anywhere, so that padding stays zero.

    Args:
        history: (rows, length) int32 tokens, right-aligned.
        embedded: (rows, length, embedding_dim), the history's rows of the item table.
        context: (rows, embedding_dim) or None, the sum of the context embeddings.
        ordered: the encoder reads order; a set raises.
        kernel_size: how many neighbouring items a filter sees.

    Returns:
        (rows, embedding_dim). The host of an Edge TPU looks the rows up; the device does the rest.

    Raises:
        TrainingError: the histories are sets.
    """
    if not ordered:
        raise TrainingError(
            "encoder 'conv' reads the order of a history, but these histories are sets; use encoder='mean'"
        )
    length, width = embedded.shape[1:]
    rows = Boundary(name="device_input_history" if context is not None else "device_input")(embedded)
    glorot = keras.initializers.GlorotUniform(seed=seed + 2)
    local = keras.layers.Conv1D(
        width,
        kernel_size,
        padding="same",
        activation="relu",
        use_bias=False,
        kernel_initializer=glorot,
        name="local",
    )(rows)
    rows = keras.layers.Add(name="local_residual")([rows, local])
    uniform = keras.initializers.Constant(length**-0.5)
    pooled = keras.layers.DepthwiseConv1D(
        length, use_bias=False, depthwise_initializer=uniform, name="position_weights"
    )(rows)  # (rows, 1, embedding_dim)
    pooled = keras.layers.Reshape((width,), name="pooled")(pooled)
    if context is None:
        return pooled
    return keras.layers.Add(name="with_context")([pooled, Boundary(name="device_input_context")(context)])

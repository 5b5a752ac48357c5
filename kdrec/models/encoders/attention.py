"""The attention encoder: a mean of the history's rows in which the model says how much each item counts."""

import tf_keras as keras

from kdrec.errors import TrainingError
from kdrec.models.layers import Boundary, HistoryAttention


def attention(
    history, embedded, context=None, *, ordered: bool = True, heads: int = 1, power: float = 0.5, seed: int = 0
):
    """s = n^(1−power) Σ_l softmax_l(4 tanh(v · E_l + p_l)) E_l + context; p is learned where order matters, else 0.

    Args:
        history: (rows, length) int32 tokens, right-aligned.
        embedded: (rows, length, embedding_dim), the history's rows of the item table.
        context: (rows, embedding_dim) or None, the sum of the context embeddings.
        ordered: whether positions have scores of their own.
        heads: each weighs its own embedding_dim / heads channels.
        power: 1 is the weighted mean, 0 the sum.

    Returns:
        (rows, embedding_dim). The host of an Edge TPU computes all of it.

    Raises:
        TrainingError: heads do not divide the channels.
    """
    width = embedded.shape[-1]
    if heads < 1 or width % heads:
        raise TrainingError(f"heads must divide embedding_dim={width}, and {heads} does not; use heads=1")
    pooled = HistoryAttention(heads=heads, power=power, learn_positions=ordered, name="history_attention")(
        [history, embedded]
    )
    if context is not None:
        pooled = keras.layers.Add(name="with_context")([pooled, context])
    return Boundary(name="device_input")(pooled)

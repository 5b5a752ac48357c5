"""The mean encoder: a weighted mean of the history's rows."""

import tf_keras as keras

from kdrec.models.layers import Boundary, HistoryMean


def mean(history, embedded, context=None, *, ordered: bool = True, table=None, power: float = 0.5, seed: int = 0):
    """s = n^(-power) Σ_l w_l E_l + context; w is learned for ordered histories and 1 for sets.

    Args:
        history: (rows, length) int32 tokens, right-aligned.
        embedded: (rows, length, embedding_dim), the history's rows of the item table.
        context: (rows, embedding_dim) or None, the sum of the context embeddings.
        table: (n_items + 1, embedding_dim) or None, the whole table, by which sets are trained faster.
        ordered: whether positions have weights of their own.
        power: 1 is the mean, 0 the sum.

    Returns:
        (rows, embedding_dim). The host of an Edge TPU computes all of it.
    """
    inputs = [history, embedded] if table is None else [history, embedded, table]
    pooled = HistoryMean(power=power, learn_positions=ordered, name="history_mean")(inputs)
    if context is not None:
        pooled = keras.layers.Add(name="with_context")([pooled, context])
    return Boundary(name="device_input")(pooled)

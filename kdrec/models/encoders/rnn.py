"""The rnn encoder: a gated recurrent unit reads the last items one after the other."""

import tf_keras as keras

from kdrec.errors import TrainingError
from kdrec.models.layers import Boundary, HistoryGru


def rnn(history, embedded, context=None, *, ordered: bool = True, steps: int = 10, seed: int = 0):
    """s = h + context, h the last state of a GRU over the last `steps` items; padding leaves it at zero.

    Args:
        history: (rows, length) int32 tokens, right-aligned.
        embedded: (rows, length, embedding_dim), the history's rows of the item table.
        context: (rows, embedding_dim) or None, the sum of the context embeddings.
        ordered: the encoder reads order; a set raises.
        steps: how many of the last items are read; each makes the file longer, and the answer later.
        seed: equal seeds give equal weights.

    Returns:
        (rows, embedding_dim). The host of an Edge TPU looks the rows up; the device does the rest.

    Raises:
        TrainingError: the histories are sets, or no step is asked for.
    """
    if not ordered:
        raise TrainingError(
            "encoder 'rnn' reads the order of a history, but these histories are sets; use encoder='attention'"
        )
    if steps < 1:
        raise TrainingError(f"steps must be at least 1, not {steps}; leave it out for the default")
    rows = Boundary(name="device_input_history" if context is not None else "device_input")(embedded)
    state = HistoryGru(steps=steps, seed=seed + 2, name="history_gru")(rows)
    if context is None:
        return state
    return keras.layers.Add(name="with_context")([state, Boundary(name="device_input_context")(context)])

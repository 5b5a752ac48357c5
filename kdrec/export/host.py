"""What the host of an accelerator keeps and computes: the item table in int8, and how each device input is made."""

import io
from collections.abc import Callable

import numpy as np

from kdrec.bundle.host import HostAttention, HostInput, HostPart, HostTable
from kdrec.errors import ConversionError
from kdrec.export.calibration import context_table
from kdrec.export.student_parts import StudentParts

TABLE_FILE = "host_table.npy"
ATTENTION_FILE = "host_attention.npy"


def host_part(parts: StudentParts) -> tuple[HostPart, dict[str, bytes]]:
    """Describe the host's work, and write its tables.

    A boundary of three axes takes the rows of the history; one of two axes the weighted mean of layer
    `history_mean` or `history_attention` and the context, or where the history crosses at another boundary, the
    context alone.

    Args:
        parts: a student with boundaries.

    Returns:
        The description for the manifest, and the bytes of each .npy file: symmetric int8, value = scale · stored.

    Raises:
        ConversionError: the pooling before the boundary is none that a host computes.
    """
    files: dict[str, bytes] = {}

    def store(name: str, table: np.ndarray) -> HostTable:
        stored, scale = symmetric(table)
        files[name] = _npy(stored)
        return HostTable(name, scale, 0)

    table = store(TABLE_FILE, parts.table)
    features = [name for name in parts.inputs if name != "history"]
    context = {name: store(f"host_context_{name}.npy", context_table(parts, name)) for name in features}
    lookups = [name for name, tensor in parts.boundaries.items() if len(tensor.shape) == 3]
    inputs = {}
    for name in parts.boundaries:
        if name in lookups:
            inputs[name] = HostInput("lookup")
        elif lookups:
            inputs[name] = HostInput("context", context_tables=context)
        elif "history_attention" in parts.layer_names():
            inputs[name] = _attention(parts, context, store)
        else:
            inputs[name] = _weighted_mean(parts, context)
    return HostPart(table, inputs), files


def _weighted_mean(parts: StudentParts, context: dict[str, HostTable]) -> HostInput:
    if "history_mean" not in parts.layer_names():
        raise ConversionError(
            "the host pools a history by layer 'history_mean' or 'history_attention' only, but the student's layers "
            f"are {', '.join(parts.layer_names())}; put the device_input layer on the looked-up rows instead"
        )
    layer = parts.student.get_layer("history_mean")
    weights = tuple(float(weight) for weight in layer.get_weights()[0])
    return HostInput("weighted_mean", weights, float(layer.get_config()["power"]), context)


def _attention(
    parts: StudentParts, context: dict[str, HostTable], store: Callable[[str, np.ndarray], HostTable]
) -> HostInput:
    """What an item scores is known beforehand: its row of the table times the layer's vector, for each head."""
    layer = parts.student.get_layer("history_attention")
    scorer, position_scores = layer.get_weights()
    scores = store(ATTENTION_FILE, parts.table @ scorer)  # (n_items + 1, heads)
    attention = HostAttention(scores, tuple(float(score) for score in position_scores.reshape(-1)), layer.BOUND)
    return HostInput("attention", None, float(layer.power), context, attention)


def symmetric(table: np.ndarray) -> tuple[np.ndarray, float]:
    """int8 values and their scale: stored = round(value / s), s = max|value| / 127.

    >>> stored, scale = symmetric(np.array([[0.0, -1.27]], np.float32))
    >>> stored.tolist(), round(scale, 6)
    ([[0, -127]], 0.01)
    """
    scale = float(np.abs(table).max()) / 127 or 1.0
    return np.round(table / scale).astype(np.int8), scale


def _npy(values: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, values, allow_pickle=False)
    return buffer.getvalue()

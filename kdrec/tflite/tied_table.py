"""One item table in the file: history lookup and scoring, in every graph, read the same buffer."""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from kdrec.errors import ConversionError
from kdrec.tflite import rescale
from kdrec.tflite.graph import (
    add_tensor,
    is_constant,
    operators,
    quantization,
    redirect,
    scales,
    values,
)

INT8, INT16 = schema.TensorType.INT8, schema.TensorType.INT16


def tie(model: schema.ModelT, table: np.ndarray) -> schema.ModelT:
    """Let every lookup in the item table read the buffer that scoring reads.

    The converter stores a tied table twice in int8: the rows that GATHER looks up share the asymmetric scale of the
    values that calibration happened to see, and FULLY_CONNECTED takes symmetric weights w = round(E / s),
    s = max|E| / 127. Here GATHER reads the weights too; its output takes (s, 0), which is carried through the
    operators that follow. Rows that calibration never saw are no longer clipped. Where scoring multiplies the table
    elementwise (MUL), its copy has a zero point, which lookups take over, too.

    Without int8 scores nothing changes: equal constants are merged by `kdrec.tflite.strip.strip`.

    Args:
        model: changed in place.
        table: (rows, width) float32, the table that was converted, by which its copies are known.

    Returns:
        The same model. Its values differ from before by rounding only; `kdrec.tflite.verify` measures it.

    Raises:
        ConversionError: the scoring weights have a scale per channel, which a lookup cannot read.
    """
    weights = _scoring_weights(model, table)
    if weights is None:
        return model
    scale = scales(weights)
    if scale.size != 1:
        raise ConversionError(
            f"the item table has {scale.size} scales, one a row, but a lookup reads one scale only; "
            "convert Dense layers per tensor"
        )
    buffer, stored, read_as = weights.buffer, values(model, weights), weights.quantization
    for subgraph, operator in operators(model, "FULLY_CONNECTED"):
        _share_weights(model, subgraph, operator, table, buffer, float(scale[0]), stored)
    for subgraph, operator in operators(model, "GATHER"):
        if holds(model, subgraph, int(operator.inputs[0]), table):
            _share_lookup(model, subgraph, operator, buffer, read_as)
    return model


def _scoring_weights(model: schema.ModelT, table: np.ndarray) -> schema.TensorT | None:
    for subgraph, operator in operators(model, "FULLY_CONNECTED", "MUL"):
        for place in map(int, operator.inputs[:2]):
            if holds(model, subgraph, place, table):
                return subgraph.tensors[place]
    return None


def holds(model: schema.ModelT, subgraph: schema.SubGraphT, place: int, table: np.ndarray) -> bool:
    """Whether a tensor is a copy of the table: equal up to a step, but for values outside its range (clipped)."""
    tensor = subgraph.tensors[place]
    if (
        tensor.type not in (INT8, INT16)
        or not is_constant(model, subgraph, place)
        or tuple(tensor.shape) != table.shape
    ):
        return False
    scale = scales(tensor)
    scale = scale[:, np.newaxis] if scale.size > 1 else scale
    zero = float(tensor.quantization.zeroPoint[0])
    stored = values(model, tensor)
    limits = np.iinfo(stored.dtype)
    nearest = np.clip(np.round(table / np.maximum(scale, 1e-30)) + zero, limits.min, limits.max)
    return bool((np.abs(nearest - stored) <= 1).all())


def _share_weights(model, subgraph, operator, table, buffer, scale, stored) -> None:
    place = int(operator.inputs[1])
    tensor = subgraph.tensors[place]
    if tensor.buffer == buffer or not holds(model, subgraph, place, table):
        return
    shared = add_tensor(subgraph, stored.shape, INT8, quantization(scale), buffer)
    redirect(subgraph, place, shared, [operator])
    rescale.bias(model, subgraph, operator)


def _share_lookup(model, subgraph, operator, buffer, read_as) -> None:
    place = int(operator.inputs[0])
    shared = add_tensor(subgraph, subgraph.tensors[place].shape, INT8, read_as, buffer)
    redirect(subgraph, place, shared, [operator])
    rescale.carry(model, subgraph, operator, read_as)

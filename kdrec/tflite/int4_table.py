"""Item rows of four bits, two numbers a byte, as LiteRT's lookup and its scoring read them."""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from kdrec.errors import ConversionError
from kdrec.tflite import rescale
from kdrec.tflite.graph import (
    add_buffer,
    add_operator_code,
    add_tensor,
    insert_after,
    operators,
    quantization,
    redirect,
)
from kdrec.tflite.tied_table import holds

INT4, FLOAT32 = schema.TensorType.INT4, schema.TensorType.FLOAT32
# Which LiteRT 1.3 accepts; a runtime that does not know the DEQUANTIZE refuses the file rather than misread it.
GATHER_VERSION, DEQUANTIZE_VERSION, FULLY_CONNECTED_VERSION = 4, 6, 10


def narrow(model: schema.ModelT, stored: np.ndarray, scale: float) -> schema.ModelT:
    """Let every lookup and every scoring read a table of four bits in place of its int8 copy.

    A lookup takes rows of int4 and hands them on as int8 of the same scale (DEQUANTIZE, then QUANTIZE: exact, and only
    as long as the history); a scoring multiplies int4 weights. ai-edge-litert was seen to run such files from 1.3.0 on;
    1.1.0 and 1.2.0 refuse the table's one scale, tflite-runtime 2.14.0 the DEQUANTIZE.

    Args:
        model: an int8 model, tied and widened, changed in place.
        stored: (rows, width) int8 values from −7 to 7; width is even.
        scale: real = scale · stored. The model was converted from a table of just these values.

    Returns:
        The same model.

    Raises:
        ConversionError: the width is odd, so that rows would begin in the middle of a byte.
    """
    if stored.shape[1] % 2:
        raise ConversionError(
            f"embedding_dim must be even for item rows of four bits, not {stored.shape[1]}; "
            f"take {stored.shape[1] + 1}, or the recipe int8"
        )
    table, buffer = scale * stored.astype(np.float32), add_buffer(model, nibbles(stored))

    def shared(subgraph: schema.SubGraphT) -> int:
        return add_tensor(subgraph, np.array(stored.shape), INT4, quantization(scale), buffer)

    for subgraph, operator in operators(model, "FULLY_CONNECTED"):
        place = int(operator.inputs[1])
        if holds(model, subgraph, place, table):
            redirect(subgraph, place, shared(subgraph), [operator])
            rescale.bias(model, subgraph, operator)
            _at_least(model, operator, schema.BuiltinOperator.FULLY_CONNECTED, FULLY_CONNECTED_VERSION)
    for subgraph, operator in operators(model, "GATHER"):
        place = int(operator.inputs[0])
        if holds(model, subgraph, place, table):
            rescale.carry(model, subgraph, operator, quantization(scale))
            redirect(subgraph, place, shared(subgraph), [operator])
            _at_least(model, operator, schema.BuiltinOperator.GATHER, GATHER_VERSION)
            _as_int8(model, subgraph, operator, scale)
    claimed = b"min_runtime_version"  # of the int8 file, which older runtimes read
    model.metadata = [entry for entry in model.metadata or () if entry.name != claimed]
    return model


def nibbles(stored: np.ndarray) -> np.ndarray:
    """Two numbers of four bits a byte, the first in the lower half, two's complement.

    >>> nibbles(np.array([[1, -1], [7, -7]], np.int8)).tolist()
    [241, 151]
    """
    flat = stored.ravel().astype(np.uint8) & 15
    return flat[0::2] | flat[1::2] << 4


def _as_int8(model: schema.ModelT, subgraph: schema.SubGraphT, lookup: schema.OperatorT, scale: float) -> None:
    made = int(lookup.outputs[0])
    shape = subgraph.tensors[made].shape
    rows, real = add_tensor(subgraph, shape, INT4, quantization(scale)), add_tensor(subgraph, shape, FLOAT32)
    lookup.outputs = np.array([rows], np.int32)
    decoded = insert_after(model, subgraph, lookup, schema.BuiltinOperator.DEQUANTIZE, rows, real)
    _at_least(model, decoded, schema.BuiltinOperator.DEQUANTIZE, DEQUANTIZE_VERSION)
    insert_after(model, subgraph, decoded, schema.BuiltinOperator.QUANTIZE, real, made)


def _at_least(model: schema.ModelT, operator: schema.OperatorT, number: int, version: int) -> None:
    operator.opcodeIndex = add_operator_code(model, number, version)

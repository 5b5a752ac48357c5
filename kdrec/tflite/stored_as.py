"""A matrix of a file is stored in another type: four or eight bits, or float32, beside neighbours that keep theirs."""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from kdrec.errors import ConversionError
from kdrec.tflite import rescale
from kdrec.tflite.graph import (
    add_buffer,
    add_operator_code,
    add_tensor,
    insert_after,
    is_constant,
    operators,
    quantization,
    redirect,
    scales,
    values,
)
from kdrec.tflite.tied_table import holds

OPERATORS = schema.BuiltinOperator
TYPES = {"int4": schema.TensorType.INT4, "int8": schema.TensorType.INT8, "float32": schema.TensorType.FLOAT32}
FLOAT32 = TYPES["float32"]
# Which LiteRT 1.3 accepts; a runtime that does not know the DEQUANTIZE refuses the file rather than misread it.
GATHER_VERSION, DEQUANTIZE_VERSION, FULLY_CONNECTED_VERSION = 4, 6, 10


def store(model: schema.ModelT, matrix: np.ndarray, kind: str, scale: float = 1.0) -> int:
    """Let every lookup in a matrix, and every product with it, read it in another type.

    A lookup takes rows of that type and hands them on in the type that follows (DEQUANTIZE, QUANTIZE: as long as the
    history, and exact but for the rounding of what follows). A FULLY_CONNECTED multiplies int4 or int8 weights as they
    are, with integers or, in its mixed kernel, with float32; a float32 matrix among integers is multiplied in float32,
    between a DEQUANTIZE and a QUANTIZE. ai-edge-litert was seen to run rows of int4 from 1.3.0 on; 1.1.0 and 1.2.0
    refuse the table's one scale, tflite-runtime 2.14.0 the DEQUANTIZE.

    Args:
        model: an int8 model, tied and widened, an int16 model, or a float32 model; changed in place.
        matrix: (rows, width) float32, as it was converted, by which its copies are known; a dense kernel transposed.
        kind: int4, int8 or float32. What is stored is round(matrix / scale).
        scale: of the integers, which must hold the matrix.

    Returns:
        How many operators read it.

    Raises:
        ConversionError: the width is odd, so that rows of int4 would begin in the middle of a byte.
    """
    if kind == "int4" and matrix.shape[1] % 2:
        raise ConversionError(
            f"a matrix of four bits must have an even number of columns, not {matrix.shape[1]}; take "
            f"embedding_dim or hidden of {matrix.shape[1] + 1}, or another recipe"
        )
    content = matrix if kind == "float32" else np.round(matrix / scale).astype(np.int8)
    buffer = add_buffer(model, nibbles(content) if kind == "int4" else content)
    parameters = None if kind == "float32" else quantization(scale)

    def stored(subgraph: schema.SubGraphT) -> int:
        return add_tensor(subgraph, np.array(matrix.shape), TYPES[kind], parameters, buffer)

    readers = 0
    for name, argument, follow in (("FULLY_CONNECTED", 1, _multiply), ("GATHER", 0, _look_up)):
        for subgraph, operator in operators(model, name):
            place = int(operator.inputs[argument])
            if _is_copy(model, subgraph, place, matrix):
                redirect(subgraph, place, stored(subgraph), [operator])
                follow(model, subgraph, operator)
                readers += 1
    claimed = b"min_runtime_version"  # of the file before, which older runtimes read
    model.metadata = [entry for entry in model.metadata or () if entry.name != claimed]
    return readers


def nibbles(stored: np.ndarray) -> np.ndarray:
    """Two numbers of four bits a byte, the first in the lower half, two's complement.

    >>> nibbles(np.array([[1, -1], [7, -7]], np.int8)).tolist()
    [241, 151]
    """
    flat = stored.ravel().astype(np.uint8) & 15
    return flat[0::2] | flat[1::2] << 4


def _is_copy(model: schema.ModelT, subgraph: schema.SubGraphT, place: int, matrix: np.ndarray) -> bool:
    tensor = subgraph.tensors[place]
    if tensor.type != FLOAT32:
        return holds(model, subgraph, place, matrix)
    same_shape = is_constant(model, subgraph, place) and tuple(tensor.shape) == matrix.shape
    return same_shape and np.array_equal(values(model, tensor), matrix)


def _multiply(model: schema.ModelT, subgraph: schema.SubGraphT, operator: schema.OperatorT) -> None:
    """A FULLY_CONNECTED whose weights have another type now."""
    given, weights, made = int(operator.inputs[0]), subgraph.tensors[operator.inputs[1]], int(operator.outputs[0])
    if weights.type == TYPES["int4"]:
        _at_least(model, operator, OPERATORS.FULLY_CONNECTED, FULLY_CONNECTED_VERSION)
    if subgraph.tensors[given].type == FLOAT32:
        return
    if weights.type != FLOAT32:
        rescale.bias(model, subgraph, operator)
        return
    producer = next(entry for entry in subgraph.operators if given in entry.outputs)
    real = add_tensor(subgraph, subgraph.tensors[given].shape, FLOAT32)
    insert_after(model, subgraph, producer, OPERATORS.DEQUANTIZE, given, real)
    operator.inputs = np.array([real, operator.inputs[1], _real_bias(model, subgraph, operator)], np.int32)
    product = add_tensor(subgraph, subgraph.tensors[made].shape, FLOAT32)
    operator.outputs = np.array([product], np.int32)
    insert_after(model, subgraph, operator, OPERATORS.QUANTIZE, product, made)


def _real_bias(model: schema.ModelT, subgraph: schema.SubGraphT, operator: schema.OperatorT) -> int:
    if len(operator.inputs) < 3 or operator.inputs[2] < 0:
        return -1
    tensor = subgraph.tensors[operator.inputs[2]]
    bias = (values(model, tensor) * scales(tensor).astype(np.float64)).astype(np.float32)
    return add_tensor(subgraph, tensor.shape, FLOAT32, None, add_buffer(model, bias))


def _look_up(model: schema.ModelT, subgraph: schema.SubGraphT, operator: schema.OperatorT) -> None:
    """A GATHER whose table has another type now: what follows gets its rows in the type it knows."""
    table, made = subgraph.tensors[operator.inputs[0]], int(operator.outputs[0])
    wanted = subgraph.tensors[made]
    if table.type == wanted.type:
        return
    if table.type != FLOAT32 and wanted.type == TYPES["int8"]:
        rescale.carry(model, subgraph, operator, table.quantization)
    rows = add_tensor(subgraph, wanted.shape, table.type, table.quantization)
    operator.outputs = np.array([rows], np.int32)
    if table.type == TYPES["int4"]:
        _at_least(model, operator, OPERATORS.GATHER, GATHER_VERSION)
    last = operator
    if table.type != FLOAT32:
        real = made if wanted.type == FLOAT32 else add_tensor(subgraph, wanted.shape, FLOAT32)
        last = insert_after(model, subgraph, operator, OPERATORS.DEQUANTIZE, rows, real)
        if table.type == TYPES["int4"]:
            _at_least(model, last, OPERATORS.DEQUANTIZE, DEQUANTIZE_VERSION)
        rows = real
    if wanted.type != FLOAT32:
        insert_after(model, subgraph, last, OPERATORS.QUANTIZE, rows, made)


def _at_least(model: schema.ModelT, operator: schema.OperatorT, number: int, version: int) -> None:
    operator.opcodeIndex = add_operator_code(model, number, version)

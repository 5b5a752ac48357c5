"""Small questions and changes on a parsed graph, shared by the passes that rewrite files."""

from collections.abc import Iterator

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from kdrec.tflite.schema import numpy_type, operator_name


def name_of(model: schema.ModelT, operator: schema.OperatorT) -> str:
    """The operator's name, such as `GATHER`."""
    return operator_name(model.operatorCodes[operator.opcodeIndex])


def operators(model: schema.ModelT, *names: str) -> Iterator[tuple[schema.SubGraphT, schema.OperatorT]]:
    """Each operator of one of these names (of any, when none is given) with its graph, in order."""
    for subgraph in model.subgraphs:
        for operator in list(subgraph.operators):
            if not names or name_of(model, operator) in names:
                yield subgraph, operator


def consumers(subgraph: schema.SubGraphT, tensor: int) -> list[schema.OperatorT]:
    """The operators that read a tensor."""
    return [operator for operator in subgraph.operators if tensor in operator.inputs]


def is_constant(model: schema.ModelT, subgraph: schema.SubGraphT, tensor: int) -> bool:
    """Whether the file holds the tensor's values."""
    if tensor < 0:
        return False
    data = model.buffers[subgraph.tensors[tensor].buffer].data
    return data is not None and len(data) > 0


def values(model: schema.ModelT, tensor: schema.TensorT) -> np.ndarray:
    """The stored values of a constant, in its shape."""
    data = np.asarray(model.buffers[tensor.buffer].data, np.uint8)
    return data.view(numpy_type(tensor.type)).reshape(tensor.shape)


def scales(tensor: schema.TensorT) -> np.ndarray:
    """(0,), (1,) or (channels,): the scales of a tensor."""
    quantization = tensor.quantization
    if quantization is None or quantization.scale is None:
        return np.zeros(0, np.float32)
    return np.asarray(quantization.scale, np.float32)


def quantization(scale: np.ndarray | float, zero_point: int = 0) -> schema.QuantizationParametersT:
    """Quantization parameters: real = scale · (stored − zero_point), one scale a tensor or a channel."""
    many = np.atleast_1d(np.asarray(scale, np.float32))
    return schema.QuantizationParametersT(scale=many, zeroPoint=np.full(many.shape, zero_point, np.int64))


def add_buffer(model: schema.ModelT, content: np.ndarray) -> int:
    """Append constant values; returns the number of their buffer."""
    data = np.ascontiguousarray(content).view(np.uint8).ravel()
    model.buffers.append(schema.BufferT(data=data))
    return len(model.buffers) - 1


def add_tensor(
    subgraph: schema.SubGraphT,
    shape: np.ndarray,
    dtype: int,
    quantized: schema.QuantizationParametersT | None = None,
    buffer: int = 0,
) -> int:
    """Append a tensor to a graph; returns its place."""
    subgraph.tensors.append(
        schema.TensorT(shape=np.asarray(shape, np.int32), type=dtype, quantization=quantized, buffer=buffer)
    )
    return len(subgraph.tensors) - 1


def add_operator_code(model: schema.ModelT, number: int, version: int = 1) -> int:
    """The place of an operator's code, appended when the model has none of that version or a later one."""
    for index, code in enumerate(model.operatorCodes):
        if code.builtinCode == number and code.version >= version:
            return index
    model.operatorCodes.append(
        schema.OperatorCodeT(deprecatedBuiltinCode=min(number, 127), builtinCode=number, version=version)
    )
    return len(model.operatorCodes) - 1


def insert_after(
    model: schema.ModelT, subgraph: schema.SubGraphT, producer: schema.OperatorT, number: int, given: int, made: int
) -> schema.OperatorT:
    """Insert a one-input operator without options (QUANTIZE, DEQUANTIZE) right after the one that makes its input."""
    operator = schema.OperatorT(
        opcodeIndex=add_operator_code(model, number, version=2),
        inputs=np.array([given], np.int32),
        outputs=np.array([made], np.int32),
    )
    subgraph.operators.insert(subgraph.operators.index(producer) + 1, operator)
    return operator


def redirect(subgraph: schema.SubGraphT, old: int, new: int, readers: list[schema.OperatorT]) -> None:
    """Let these operators read tensor `new` where they read `old`."""
    for operator in readers:
        operator.inputs = np.where(np.asarray(operator.inputs) == old, new, operator.inputs).astype(np.int32)

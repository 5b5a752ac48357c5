""".tflite files made by hand from the schema: one graph of a few operators, each rule's smallest offender."""

from dataclasses import dataclass, field

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

CODES = vars(schema.BuiltinOperator)


@dataclass
class T:
    """A tensor: (1, 4) int8 with one scale unless said otherwise; `data` makes it a constant."""

    shape: tuple[int, ...] = (1, 4)
    dtype: str = "INT8"
    scales: tuple[float, ...] = (0.5,)
    data: np.ndarray | None = None
    signature: tuple[int, ...] | None = None


@dataclass
class Op:
    name: str
    inputs: list[int]
    outputs: list[int]
    activation: int | None = None


@dataclass
class Graph:
    tensors: list[T]
    ops: list[Op]
    inputs: list[int] = field(default_factory=lambda: [0])
    outputs: list[int] = field(default_factory=lambda: [1])


def build(*graphs: Graph, signatures: tuple[str, ...] = ("score",)) -> bytes:
    """The bytes of a file; signature n calls graph n, or the last one."""
    model = schema.ModelT()
    model.version, model.buffers, model.operatorCodes, model.subgraphs = 3, [schema.BufferT()], [], []
    for graph in graphs:
        model.subgraphs.append(_subgraph(model, graph))
    model.signatureDefs = []
    for number, name in enumerate(signatures):
        place = min(number, len(graphs) - 1)
        entry = schema.SignatureDefT()
        entry.signatureKey, entry.subgraphIndex = name, place
        entry.inputs = [_end(f"in{i}", i) for i in graphs[place].inputs]
        entry.outputs = [_end(f"out{i}", i) for i in graphs[place].outputs]
        model.signatureDefs.append(entry)
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _end(name: str, index: int) -> schema.TensorMapT:
    end = schema.TensorMapT()
    end.name, end.tensorIndex = name, index
    return end


def _subgraph(model: schema.ModelT, graph: Graph) -> schema.SubGraphT:
    made = schema.SubGraphT()
    made.tensors = [_tensor(model, number, tensor) for number, tensor in enumerate(graph.tensors)]
    made.inputs, made.outputs, made.operators = graph.inputs, graph.outputs, []
    for op in graph.ops:
        code = schema.OperatorCodeT()
        custom = op.name not in CODES
        code.builtinCode = CODES["CUSTOM" if custom else op.name]
        code.deprecatedBuiltinCode, code.version = min(code.builtinCode, 127), 1
        code.customCode = op.name if custom else None
        model.operatorCodes.append(code)
        operator = schema.OperatorT()
        operator.opcodeIndex = len(model.operatorCodes) - 1
        operator.inputs, operator.outputs = op.inputs, op.outputs
        if op.activation is not None:
            operator.builtinOptionsType = schema.BuiltinOptions.ConcatenationOptions
            operator.builtinOptions = schema.ConcatenationOptionsT()
            operator.builtinOptions.fusedActivationFunction = op.activation
        made.operators.append(operator)
    return made


def _tensor(model: schema.ModelT, number: int, tensor: T) -> schema.TensorT:
    made = schema.TensorT()
    made.name, made.shape = f"t{number}", list(tensor.shape)
    made.type = vars(schema.TensorType)[tensor.dtype]
    made.shapeSignature = list(tensor.signature) if tensor.signature else None
    made.buffer = 0
    if tensor.data is not None:
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(tensor.data.tobytes(), np.uint8)
        model.buffers.append(buffer)
        made.buffer = len(model.buffers) - 1
    if tensor.scales:
        made.quantization = schema.QuantizationParametersT()
        made.quantization.scale = list(tensor.scales)
        made.quantization.zeroPoint = [0] * len(tensor.scales)
    return made


def dense(outputs: int = 3, scales: tuple[float, ...] = (0.5,), dtype: str = "INT8") -> Graph:
    """(1, 4) -> FULLY_CONNECTED -> (1, outputs)."""
    weights = T((outputs, 4), scales=scales, data=np.ones((outputs, 4), np.int8))
    bias = T((outputs,), "INT32", (0.25,), np.zeros(outputs, np.int32))
    return Graph([T(dtype=dtype), T((1, outputs), dtype=dtype), weights, bias], [Op("FULLY_CONNECTED", [0, 2, 3], [1])])

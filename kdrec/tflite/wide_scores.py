"""Scores of an int8 graph leave it as float32: the same table, the same speed, and no ties that int8 makes."""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from kdrec.errors import ConversionError
from kdrec.tflite import rescale
from kdrec.tflite.graph import (
    add_tensor,
    consumers,
    insert_after,
    name_of,
    operators,
    quantization,
    redirect,
    scales,
)
from kdrec.tflite.tied_table import holds

FLOAT32 = schema.TensorType.FLOAT32
# Operators that choose, move or add scores: the same in float32 as in int8.
MOVES = (
    *("ADD", "BROADCAST_TO", "CONCATENATION", "GATHER", "REDUCE_MAX", "RESHAPE", "SLICE", "STRIDED_SLICE", "TOPK_V2"),
)


def widen(model: schema.ModelT, *tables: np.ndarray) -> schema.ModelT:
    """Score in LiteRT's mixed FULLY_CONNECTED: float32 query, int8 table, float32 scores.

    An int8 score has 256 values, so in a catalogue of thousands every list ends in arbitrary ties. The mixed kernel
    multiplies the same int8 numbers, keeps the int32 sum and scales it to float32: score_j = s_q s_E Σ_i q_i E_ji.

    Args:
        model: an int8 model, changed in place.
        tables: (rows, width) float32 each, what scoring multiplies, by which the operators are known.

    Returns:
        The same model; its outputs made of scores are float32 without scale.

    Raises:
        ConversionError: an operator between scores and outputs does more than choose, move or add them.
    """
    for subgraph, operator in operators(model, "FULLY_CONNECTED"):
        if not any(holds(model, subgraph, int(operator.inputs[1]), table) for table in tables):
            continue
        query, made = int(operator.inputs[0]), int(operator.outputs[0])
        if subgraph.tensors[query].type == FLOAT32:
            continue
        producer = next(entry for entry in subgraph.operators if query in entry.outputs)
        real = add_tensor(subgraph, subgraph.tensors[query].shape, FLOAT32)
        insert_after(model, subgraph, producer, schema.BuiltinOperator.DEQUANTIZE, query, real)
        operator.inputs = np.array([real, operator.inputs[1], -1], np.int32)
        _to_float(model, subgraph, made)
    return model


def make_room(model: schema.ModelT, table: np.ndarray, times: float = 2.0) -> schema.ModelT:
    """Give int16 scores several times the range that calibration saw: scores clipped to the largest number would tie.

    Of sixteen bits, one is little to lose; two made ties of their own on the demo, in 2 % of the lists.

    Args:
        model: an int16 model, changed in place.
        table: (rows, width) float32, the scoring table, by which the operator is known.
        times: the range, in those of calibration.

    Returns:
        The same model.
    """
    for subgraph, operator in operators(model, "FULLY_CONNECTED"):
        if holds(model, subgraph, int(operator.inputs[1]), table):
            old = subgraph.tensors[operator.outputs[0]]
            rescale.carry(model, subgraph, operator, quantization(times * scales(old)))
    return model


def _to_float(model: schema.ModelT, subgraph: schema.SubGraphT, place: int) -> None:
    tensor = subgraph.tensors[place]
    tensor.type, tensor.quantization = FLOAT32, None
    for operator in consumers(subgraph, place):
        name, made = name_of(model, operator), int(operator.outputs[0])
        if name == "DEQUANTIZE":
            _bypass(model, subgraph, operator, place)
        elif name in MOVES:
            _to_float(model, subgraph, made)
        else:
            raise ConversionError(
                f"scores pass through {name} on their way out, which float32 scores cannot follow; "
                f"let only {', '.join(MOVES)} follow the scores"
            )


def _bypass(model: schema.ModelT, subgraph: schema.SubGraphT, operator: schema.OperatorT, place: int) -> None:
    made = int(operator.outputs[0])
    redirect(subgraph, made, place, subgraph.operators)
    subgraph.outputs = np.where(np.asarray(subgraph.outputs) == made, place, subgraph.outputs).astype(np.int32)
    for signature in model.signatureDefs or ():
        if model.subgraphs[signature.subgraphIndex] is subgraph:
            for end in signature.outputs:
                end.tensorIndex = place if end.tensorIndex == made else end.tensorIndex
    subgraph.operators.remove(operator)

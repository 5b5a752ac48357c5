"""A tensor takes another scale: what follows it is made to compute the same real values."""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from kdrec.tflite.graph import (
    add_buffer,
    add_tensor,
    consumers,
    insert_after,
    name_of,
    quantization,
    redirect,
    scales,
    values,
)

# Operators whose output holds values of their first input, so it has the input's scale.
SAME_SCALE = ("EXPAND_DIMS", "GATHER", "RESHAPE", "SLICE", "SQUEEZE", "STRIDED_SLICE", "TRANSPOSE")
# Operators with an int32 bias, whose scale is the product of the scales of input and weights.
WITH_BIAS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
# Operators that read each input's scale and write a scale of their own.
FREE_SCALE = ("ADD", "BATCH_MATMUL", "DEQUANTIZE", "MEAN", "MUL", "QUANTIZE", "SUB", "SUM")


def carry(
    model: schema.ModelT,
    subgraph: schema.SubGraphT,
    producer: schema.OperatorT,
    new: schema.QuantizationParametersT,
) -> None:
    """Give the output of an int8 operator another scale, and see that everything after it stays true.

    Operators that only move values take the scale over; those with a bias get theirs in the new unit,
    b' = round(b · s / s'); those that read scales need nothing; before any other a QUANTIZE restores the old scale.

    Args:
        model: changed in place.
        subgraph: the graph the operator is in.
        producer: the operator whose first output takes the scale.
        new: the scale and zero point it takes.
    """
    made = int(producer.outputs[0])
    tensor = subgraph.tensors[made]
    old, tensor.quantization = tensor.quantization, new
    others = []
    for operator in consumers(subgraph, made):
        name = name_of(model, operator)
        if name in SAME_SCALE and operator.inputs[0] == made:
            carry(model, subgraph, operator, new)
        elif name in WITH_BIAS and operator.inputs[0] == made:
            bias(model, subgraph, operator)
        elif name not in FREE_SCALE:
            others.append(operator)
    if others:
        restored = add_tensor(subgraph, tensor.shape, tensor.type, old)
        redirect(subgraph, made, restored, others)
        insert_after(model, subgraph, producer, schema.BuiltinOperator.QUANTIZE, made, restored)


def bias(model: schema.ModelT, subgraph: schema.SubGraphT, operator: schema.OperatorT) -> None:
    """Rewrite an operator's int32 bias for the scales that its input and weights have now.

    Args:
        model: changed in place; the bias gets a buffer of its own, since other graphs may read the old one.
        subgraph: the graph the operator is in.
        operator: one of `WITH_BIAS`.
    """
    if len(operator.inputs) < 3 or operator.inputs[2] < 0:
        return
    given, weights, place = (int(index) for index in operator.inputs[:3])
    old = subgraph.tensors[place]
    scale = scales(subgraph.tensors[given]) * scales(subgraph.tensors[weights])  # one, or one a channel
    counts = values(model, old) * (scales(old).astype(np.float64) / scale)
    limits = np.iinfo(np.int32)
    stored = np.clip(np.round(counts), limits.min, limits.max).astype(np.int32)
    new = add_tensor(subgraph, old.shape, old.type, quantization(scale), add_buffer(model, stored))
    redirect(subgraph, place, new, [operator])

"""The smallest file that runs: it wakes the runtime, so that what a measured file adds is its own."""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from kdrec.tflite.write import pack


def idle_file() -> bytes:
    """A .tflite file of one 8×8 FULLY_CONNECTED without signatures.

    >>> idle_file()[4:8]
    b'TFL3'
    """
    number = schema.BuiltinOperator.FULLY_CONNECTED
    edges = [schema.TensorT(shape=np.array([1, 8], np.int32), type=schema.TensorType.FLOAT32) for _ in range(2)]
    weights = schema.TensorT(shape=np.array([8, 8], np.int32), type=schema.TensorType.FLOAT32, buffer=1)
    operator = schema.OperatorT(
        inputs=np.array([0, 2, -1], np.int32),
        outputs=np.array([1], np.int32),
        builtinOptionsType=schema.BuiltinOptions.FullyConnectedOptions,
        builtinOptions=schema.FullyConnectedOptionsT(),
    )
    graph = schema.SubGraphT(
        tensors=[*edges, weights],
        inputs=np.array([0], np.int32),
        outputs=np.array([1], np.int32),
        operators=[operator],
    )
    return pack(
        schema.ModelT(
            version=3,
            operatorCodes=[schema.OperatorCodeT(builtinCode=number, deprecatedBuiltinCode=number)],
            subgraphs=[graph],
            buffers=[schema.BufferT(), schema.BufferT(data=np.zeros(8 * 8 * 4, np.uint8))],
        )
    )

"""Counts of a file, compared with its size: vectors that overlap could make gigabytes of objects out of a few KiB.

In an honest file every entry of a vector takes bytes of its own: 4 for a table (its offset) or a number of a shape, at
least 1 for any other. Constants alone may be named again: the converter's int16x8 writes each once, and names it in a
buffer a graph.
"""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

OFFSET = 4  # bytes


def has_too_many_tables(content: bytes) -> bool:
    """Whether the tables that a file lists cannot all have an offset of their own; asked before they are unpacked."""
    model = schema.Model.GetRootAs(content, 0)
    room = len(content) // OFFSET
    room -= model.OperatorCodesLength() + model.BuffersLength() + model.MetadataLength()
    for place in range(model.SignatureDefsLength()):
        signature = model.SignatureDefs(place)
        room -= 1 + signature.InputsLength() + signature.OutputsLength()
        if room < 0:
            return True
    for place in range(model.SubgraphsLength()):
        graph = model.Subgraphs(place)
        room -= 1 + graph.TensorsLength() + graph.OperatorsLength()
        if room < 0:
            return True
        for index in range(graph.TensorsLength()):
            tensor = graph.Tensors(index)
            sparsity = tensor.Sparsity()
            room -= tensor.VariantTensorsLength() + (sparsity.DimMetadataLength() if sparsity is not None else 0)
            if room < 0:
                return True
    return room < 0


def has_too_many_numbers(model: schema.ModelT, size: int) -> bool:
    """Whether the numbers that a file lists would not fit in its bytes; asked before they are copied.

    Args:
        model: of the file.
        size: of the file, in bytes.
    """
    room = size
    for graph in model.subgraphs or ():
        room -= _count(graph.inputs) + _count(graph.outputs)
        for operator in graph.operators or ():
            room -= _count(operator.inputs) + _count(operator.outputs)
        for tensor in graph.tensors or ():
            room -= _count(tensor.shape) + _count(tensor.shapeSignature)
            if tensor.quantization is not None:
                room -= _count(tensor.quantization.scale) + _count(tensor.quantization.zeroPoint)
        if room < 0:
            return True
    held = [
        np.asarray(buffer.data) for buffer in model.buffers or () if _count(buffer.data)
    ]  # where they lie in the file
    apart = {(data.ctypes.data, len(data)) for data in held}
    copied = sum(_count(model.buffers[entry.buffer].data) for entry in model.metadata or ())
    named = sum(map(len, held))
    return max(sum(length for _, length in apart), copied) > size or named > size * max(len(model.subgraphs or ()), 1)


def _count(values) -> int:
    return 0 if values is None else len(values)

"""Several files become one: the graphs and signatures of all."""

from collections.abc import Sequence

from ai_edge_litert import schema_py_generated as schema


def merge(models: Sequence[schema.ModelT]) -> schema.ModelT:
    """Append the graphs of all models to the first; `kdrec.tflite.strip.strip` then stores equal constants once.

    Args:
        models: with signatures of different names; taken apart.

    Returns:
        The first one, with the graphs, signatures, buffers and operator codes of all.
    """
    whole, *others = models
    for model in others:
        buffers, codes, graphs = len(whole.buffers), len(whole.operatorCodes), len(whole.subgraphs)
        for subgraph in model.subgraphs:
            for tensor in subgraph.tensors:
                tensor.buffer += buffers
            for operator in subgraph.operators:
                operator.opcodeIndex += codes
        for signature in model.signatureDefs:
            signature.subgraphIndex += graphs
        whole.buffers += model.buffers
        whole.operatorCodes += model.operatorCodes
        whole.subgraphs += model.subgraphs
        whole.signatureDefs += model.signatureDefs
    return whole

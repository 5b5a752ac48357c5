"""The largest token that a .tflite file may be asked with, as far as the file says it."""

from collections.abc import Iterator
from pathlib import Path

from ai_edge_litert import schema_py_generated as schema

from kdrec.tflite.graph import name_of
from kdrec.tflite.read import FAULTS, parse
from kdrec.tflite.views import File, Signature, integers, view

# What these return is among the numbers of their first input.
MOVES = frozenset(("CAST", "EXPAND_DIMS", "RESHAPE", "SLICE", "SQUEEZE", "STRIDED_SLICE", "TRANSPOSE"))
INTEGERS = ("int32", "int64", "uint32")


def token_limits(path: str | Path) -> dict[str, dict[str, int]]:
    """The largest valid token of each input of integers.

    A token is looked up: of an input that GATHER or EMBEDDING_LOOKUP takes as it is, it is the last row of the smallest
    table. Where the graph computes with the tokens first, as for kdrec's compressed item tables, `history` has as many
    as the widest output `scores` has items.

    Args:
        path: of any .tflite file.

    Returns:
        By signature (of a file without any, by ""), by input: the token. What is not known is left out, so a file that
        cannot be read has none.
    """
    try:
        model = parse(Path(path))
        return _limits(model, view(model))
    except FAULTS:
        return {}


def _limits(model: schema.ModelT, file: File) -> dict[str, dict[str, int]]:
    graph = file.subgraphs[0]
    unnamed = {graph.tensors[at].name: graph.tensors[at] for at in graph.inputs}
    signatures = file.signatures or {"": Signature("", 0, unnamed, {})}
    scores = [each.outputs["scores"].shape for each in signatures.values() if "scores" in each.outputs]
    n_items = max((shape[-1] for shape in scores if shape), default=0)
    found: dict[str, dict[str, int]] = {}
    for name, signature in signatures.items():
        found[name] = {}
        for end, tensor in signature.inputs.items():
            rows = min(_rows(model, model.subgraphs[signature.subgraph], tensor.index), default=0)
            if tensor.dtype in INTEGERS and rows:
                found[name][end] = rows - 1
            elif tensor.dtype in INTEGERS and end == "history" and n_items:
                found[name][end] = n_items
    return found


def _rows(model: schema.ModelT, graph: schema.SubGraphT, tensor: int) -> Iterator[int]:
    """How many rows each table has that is looked up by the numbers of a tensor."""
    same = {tensor}
    for operator in graph.operators or ():  # in the order in which they run
        name, inputs = name_of(model, operator), integers(operator.inputs)
        if name in MOVES and inputs[0] in same:
            same.update(integers(operator.outputs))
        elif name == "GATHER" and inputs[1] in same:
            axis = 0 if operator.builtinOptions is None else operator.builtinOptions.axis
            yield integers(graph.tensors[inputs[0]].shape)[axis]
        elif name == "EMBEDDING_LOOKUP" and inputs[0] in same:
            yield integers(graph.tensors[inputs[1]].shape)[0]

"""Where the bytes of a .tflite file go."""

from dataclasses import dataclass
from math import prod

from kdrec.tflite.read import FAULTS, damaged
from kdrec.tflite.views import File, Subgraph, Tensor, read

MULTIPLIES = ("FULLY_CONNECTED", "MUL")


@dataclass(frozen=True)
class Sizes:
    """The parts of a file, in bytes.

    Args:
        file: the whole file.
        tables: constants with one row an item, the parts of an item matrix that is scored in parts, and what items
            share: constants that are both looked up and multiplied with.
        weights: all other float and quantized constants: kernels and biases.
        overhead: what is left: graphs, signatures, scales, integer constants.
        parameters: stored numbers of tables and weights; a shared constant counts once.
        constants: shape, type and bytes of each constant, largest first; a shared one counts once.
    """

    file: int
    tables: int
    weights: int
    overhead: int
    parameters: int
    constants: tuple[tuple[tuple[int, ...], str, int], ...]


def sizes(content: bytes, n_items: int, unranked: int = 0) -> Sizes:
    """Split the bytes of a file into tables, weights and overhead.

    Args:
        content: the bytes of a .tflite file.
        n_items: items in the catalogue; a constant of n_items or n_items + 1 rows is a table, and so are the
            matrices of several FULLY_CONNECTED whose outputs are together the graph's scores, one an item, and a
            constant that both a GATHER and a multiplication read, such as a codebook.
        unranked: rows of a table beyond those, which histories read.

    Raises:
        RuntimeFileError: the bytes are not a whole .tflite file.
    """
    file = read(content)
    try:
        return _sizes(file, n_items, unranked)
    except FAULTS as error:
        raise damaged("the bytes given", f"a scoring operator lacks a tensor or a shape ({error})") from error


def _sizes(file: File, n_items: int, unranked: int) -> Sizes:
    users: dict[int, Tensor] = {}
    for subgraph in file.subgraphs:
        for tensor in subgraph.tensors:
            if tensor.data is not None:
                users.setdefault(tensor.buffer, tensor)
    parts = _parts_of_tables(file, n_items) | _shared_tables(file)
    tables = weights = parameters = 0
    for tensor in users.values():
        size = file.buffer_bytes[tensor.buffer]
        if tensor.buffer in parts or tensor.shape and tensor.shape[0] in (n_items, n_items + 1 + unranked):
            tables += size
        elif tensor.dtype in ("int8", "uint8", "float16", "float32") or tensor.scales:
            weights += size
        else:
            continue
        parameters += prod(tensor.shape)
    constants = sorted(
        ((tensor.shape, tensor.dtype, file.buffer_bytes[tensor.buffer]) for tensor in users.values()),
        key=lambda entry: -entry[2],
    )
    return Sizes(file.n_bytes, tables, weights, file.n_bytes - tables - weights, parameters, tuple(constants))


def _shared_tables(file: File) -> set[int]:
    """The buffers of constants that are looked up and multiplied with, too."""
    looked_up, multiplied = set(), set()
    for graph in file.subgraphs:
        for operator in graph.operators:
            given = [graph.tensors[place] for place in operator.inputs if place >= 0]
            constants = {tensor.buffer for tensor in given if tensor.is_constant}
            looked_up |= constants if operator.name == "GATHER" else set()
            multiplied |= constants if operator.name in MULTIPLIES else set()
    return looked_up & multiplied


def _parts_of_tables(file: File, n_items: int) -> set[int]:
    """The buffers of item matrices that a device with narrow matrices scores in parts."""
    return {buffer for graph in file.subgraphs for buffer in _parts_of(graph, n_items)}


def _parts_of(graph: Subgraph, n_items: int) -> set[int]:
    scoring = [
        operator
        for operator in graph.operators
        if operator.name == "FULLY_CONNECTED" and operator.outputs[0] in graph.outputs
    ]
    if sum(graph.tensors[operator.outputs[0]].shape[-1] for operator in scoring) not in (n_items, n_items + 1):
        return set()
    constants = (graph.tensors[place] for operator in scoring for place in operator.inputs[1:] if place >= 0)
    return {tensor.buffer for tensor in constants if tensor.is_constant}

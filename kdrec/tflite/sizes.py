"""Where the bytes of a .tflite file go."""

from dataclasses import dataclass

from kdrec.tflite.views import Tensor, read


@dataclass(frozen=True)
class Sizes:
    """The parts of a file, in bytes.

    Args:
        file: the whole file.
        tables: constants with one row an item.
        weights: all other float and quantized constants: kernels and biases.
        overhead: what is left: graphs, signatures, scales, integer constants.
        constants: shape, type and bytes of each constant, largest first; a shared one counts once.
    """

    file: int
    tables: int
    weights: int
    overhead: int
    constants: tuple[tuple[tuple[int, ...], str, int], ...]


def sizes(content: bytes, n_items: int) -> Sizes:
    """Split the bytes of a file into tables, weights and overhead.

    Args:
        content: the bytes of a .tflite file.
        n_items: items in the catalogue; a constant of n_items or n_items + 1 rows is a table.

    Raises:
        RuntimeFileError: the bytes are not a whole .tflite file.
    """
    file = read(content)
    users: dict[int, Tensor] = {}
    for subgraph in file.subgraphs:
        for tensor in subgraph.tensors:
            if tensor.data is not None:
                users.setdefault(tensor.buffer, tensor)
    tables = weights = 0
    for tensor in users.values():
        size = file.buffer_bytes[tensor.buffer]
        if tensor.shape and tensor.shape[0] in (n_items, n_items + 1):
            tables += size
        elif tensor.dtype in ("int8", "uint8", "float16", "float32") or tensor.scales:
            weights += size
    constants = sorted(
        ((tensor.shape, tensor.dtype, file.buffer_bytes[tensor.buffer]) for tensor in users.values()),
        key=lambda entry: -entry[2],
    )
    return Sizes(file.n_bytes, tables, weights, file.n_bytes - tables - weights, tuple(constants))

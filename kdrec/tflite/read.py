"""The bytes of a .tflite file become objects that can be looked at and changed."""

import struct
from collections.abc import Iterable
from pathlib import Path

from ai_edge_litert import schema_py_generated as schema

from kdrec.errors import RuntimeFileError
from kdrec.tflite.counts import has_too_many_numbers, has_too_many_tables

IDENTIFIER = b"TFL3"
# What reading by offsets that lead astray raises.
FAULTS = (struct.error, IndexError, ValueError, TypeError, OverflowError, MemoryError, AttributeError)


def parse(source: bytes | str | Path) -> schema.ModelT:
    """Read a whole .tflite file.

    Args:
        source: the bytes, or the path of the file.

    Returns:
        LiteRT's own object model, to be changed in place and written by `kdrec.tflite.write.pack`.

    Raises:
        RuntimeFileError: no such file, or the bytes are not a whole .tflite file.

    >>> parse(b"not a model")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    kdrec.errors.RuntimeFileError: the bytes given are no readable .tflite file: they lack the mark TFL3; ...
    """
    name = "the bytes given" if isinstance(source, bytes) else str(source)
    if isinstance(source, bytes):
        content = source
    else:
        try:
            content = Path(source).read_bytes()
        except OSError as error:
            raise RuntimeFileError(
                f"{name} cannot be read: {error.strerror}; give the path of a .tflite file"
            ) from error
    if content[4:8] != IDENTIFIER:
        raise damaged(name, "they lack the mark TFL3")
    try:
        if has_too_many_tables(content):
            raise damaged(name, "its tables overlap")
        model = schema.ModelT.InitFromPackedBuf(content, 0)
        fault = "its vectors overlap" if has_too_many_numbers(model, len(content)) else _broken_reference(model)
    except RuntimeFileError:
        raise
    except FAULTS as error:
        raise damaged(name, f"an offset leads outside the file ({error})") from error
    if fault:
        raise damaged(name, fault)
    return model


def damaged(name: str, fault: str) -> RuntimeFileError:
    """The error of a file that cannot be read."""
    return RuntimeFileError(f"{name} are no readable .tflite file: {fault}; export the model again")


def _broken_reference(model: schema.ModelT) -> str | None:
    """What in the file points at something that is not there."""
    if not model.subgraphs or not model.buffers:
        return "it holds no graph"
    for subgraph in model.subgraphs:
        tensors = len(subgraph.tensors)
        if not _within((tensor.buffer for tensor in subgraph.tensors), len(model.buffers)):
            return "a tensor names a buffer that is not there"
        used = [subgraph.inputs, subgraph.outputs]
        for operator in subgraph.operators or ():
            if not 0 <= operator.opcodeIndex < len(model.operatorCodes):
                return "an operator names a code that is not there"
            used += [operator.inputs, operator.outputs]
        for indices in used:
            if indices is not None and not _within(indices, tensors, least=-1):
                return "an operator names a tensor that is not there"
    for signature in model.signatureDefs or ():
        if not 0 <= signature.subgraphIndex < len(model.subgraphs):
            return "a signature names a graph that is not there"
        tensors = len(model.subgraphs[signature.subgraphIndex].tensors)
        if not _within((end.tensorIndex for end in (*signature.inputs, *signature.outputs)), tensors):
            return "a signature names a tensor that is not there"
    return None


def _within(indices: Iterable[int], size: int, least: int = 0) -> bool:
    return all(least <= index < size for index in indices)

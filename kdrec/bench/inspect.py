"""What a .tflite file holds: operators, tensors, signatures, and where its bytes go."""

import gzip
import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from kdrec.bench.copies import copies
from kdrec.errors import RuntimeFileError
from kdrec.tflite.oldest_runtime import MeasuredRuntime, never_run, oldest_runtime
from kdrec.tflite.read import parse
from kdrec.tflite.schema import BUILTIN_OPERATORS
from kdrec.tflite.views import File, Subgraph, Tensor, view


@dataclass(frozen=True)
class TensorInfo:
    """A tensor: real value = scale · (stored value − zero point).

    Args:
        name: what the converter called it; may be empty.
        dtype: "int8", "int32", "float32", …
        shape: sizes of its axes.
        scales: how many scales it has: 0 when not quantized, 1 per tensor, more per channel.
        scale, zero_point: of a tensor with one scale, else None.
        sparse: fewer values are stored than the shape says.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    scales: int
    scale: float | None
    zero_point: int | None
    sparse: bool = False


@dataclass(frozen=True)
class Constant:
    """A buffer of values in the file.

    Args:
        bytes: its size.
        tensor: the first tensor that reads it.
        tensors: how many tensors read it; more than one says that it is tied: stored once, used several times.
        subgraphs: the graphs of those tensors.
        operators: the names of the operators that read them, in order.
        copy_of: the place, among all constants, of a larger or earlier one with the same numbers; None of most.
    """

    bytes: int
    tensor: TensorInfo
    tensors: int
    subgraphs: tuple[int, ...]
    operators: tuple[str, ...] = ()
    copy_of: int | None = None


@dataclass(frozen=True)
class Graph:
    """One subgraph: operator name -> how often, and its tensors."""

    operators: dict[str, int]
    tensors: int
    inputs: tuple[TensorInfo, ...]
    outputs: tuple[TensorInfo, ...]


@dataclass(frozen=True)
class SignatureInfo:
    """A graph that is called by name."""

    subgraph: int
    inputs: dict[str, TensorInfo]
    outputs: dict[str, TensorInfo]


@dataclass(frozen=True)
class Inspection:
    """A whole file.

    Args:
        file: its path.
        file_bytes: its size.
        gzip_bytes: its size after gzip -9, as a download would be.
        constant_bytes: of its constants, a tied one counted once.
        overhead_bytes: the rest: graphs, names, scales, metadata.
        repeated_bytes: of constants that repeat another byte for byte; merging them would save this much.
        copied_bytes: of constants that hold the numbers of another one in other bytes: quantized otherwise, without its
            padding row, or transposed.
        description: the converter's words.
        min_runtime_version: what the converter claims; it can be too low.
        runtime: from which runtimes on such files were seen to answer; None where an operator was not run on old ones.
        never_run: those operators, in their versions and with their types.
        custom_operators: those that are not TensorFlow Lite's and need another library; Flex… are TensorFlow's.
        metadata: name -> bytes.
        graphs: in the order of the file.
        signatures: name -> signature.
        constants: largest first.
    """

    file: str
    file_bytes: int
    gzip_bytes: int
    constant_bytes: int
    overhead_bytes: int
    repeated_bytes: int
    copied_bytes: int
    description: str
    min_runtime_version: str | None
    runtime: MeasuredRuntime | None
    never_run: tuple[str, ...]
    custom_operators: tuple[str, ...]
    metadata: dict[str, int]
    graphs: tuple[Graph, ...]
    signatures: dict[str, SignatureInfo]
    constants: tuple[Constant, ...]

    def as_dict(self) -> dict[str, Any]:
        """All of it, ready for JSON."""
        return asdict(self)


def inspect_file(path: str | Path) -> Inspection:
    """Look into a .tflite file without running it.

    Args:
        path: of any .tflite file, made by kdrec or not.

    Raises:
        RuntimeFileError: no such file, or it is not a whole .tflite file.

    >>> inspect_file("no.tflite")
    Traceback (most recent call last):
      ...
    kdrec.errors.RuntimeFileError: no.tflite cannot be read: No such file or directory; give the path of a .tflite file
    """
    model = parse(path)
    content = Path(path).read_bytes()
    try:
        file = view(model, len(content))
        description = (model.description or b"").decode()
    except (ValueError, IndexError, TypeError) as error:
        raise RuntimeFileError(f"{path} is damaged ({error}); export the model again") from error
    constants, repeated, copied = _constants(file)
    held = sum(constant.bytes for constant in constants)
    version = file.metadata.get("min_runtime_version", b"").rstrip(b"\0").decode(errors="replace")
    return Inspection(
        file=str(path),
        file_bytes=len(content),
        gzip_bytes=len(gzip.compress(content, 9, mtime=0)),
        constant_bytes=held,
        overhead_bytes=len(content) - held,
        repeated_bytes=repeated,
        copied_bytes=copied,
        description=description,
        min_runtime_version=version or None,
        runtime=oldest_runtime(file),
        never_run=tuple(never_run(file)),
        custom_operators=tuple(sorted(file.operator_counts().keys() - BUILTIN_OPERATORS)),
        metadata={name: len(value) for name, value in file.metadata.items()},
        graphs=tuple(_graph(subgraph) for subgraph in file.subgraphs),
        signatures={
            name: SignatureInfo(
                signature.subgraph,
                {end: _info(tensor) for end, tensor in signature.inputs.items()},
                {end: _info(tensor) for end, tensor in signature.outputs.items()},
            )
            for name, signature in file.signatures.items()
        },
        constants=constants,
    )


def _info(tensor: Tensor) -> TensorInfo:
    return TensorInfo(
        tensor.name, tensor.dtype, tensor.shape, len(tensor.scales), tensor.scale, tensor.zero_point, tensor.sparse
    )


def _graph(subgraph: Subgraph) -> Graph:
    counts = Counter(operator.name for operator in subgraph.operators)
    return Graph(
        operators=dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))),
        tensors=len(subgraph.tensors),
        inputs=tuple(_info(subgraph.tensors[place]) for place in subgraph.inputs if place >= 0),
        outputs=tuple(_info(subgraph.tensors[place]) for place in subgraph.outputs if place >= 0),
    )


def _constants(file: File) -> tuple[tuple[Constant, ...], int, int]:
    """The constants, largest first, the bytes of those that repeat another, and of those that hold its numbers."""
    readers: dict[int, list[tuple[int, Tensor]]] = {}
    for place, subgraph in enumerate(file.subgraphs):
        for tensor in subgraph.tensors:
            if tensor.is_constant:
                readers.setdefault(tensor.buffer, []).append((place, tensor))
    order = sorted(readers, key=lambda buffer: -file.buffer_bytes[buffer])
    same = copies([(buffer, readers[buffer][0][1]) for buffer in order])
    constants, seen, repeated, copied = [], set(), 0, 0
    for buffer in order:
        users, size = readers[buffer], file.buffer_bytes[buffer]
        first = users[0][1]
        content = hashlib.sha256(b"" if first.data is None else first.data.data).digest()
        if content in seen:
            repeated += size
        elif buffer in same:
            copied += size
        seen.add(content)
        graphs = tuple(sorted({place for place, _ in users}))
        names = tuple(name for place, tensor in users for name in _readers(file.subgraphs[place], tensor))
        original = order.index(same[buffer]) if buffer in same else None
        constants.append(Constant(size, _info(first), len(users), graphs, names, original))
    return tuple(constants), repeated, copied


def _readers(graph: Subgraph, tensor: Tensor) -> Iterator[str]:
    return (operator.name for operator in graph.operators if tensor.index in operator.inputs)

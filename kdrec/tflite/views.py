"""What a .tflite file holds, as plain frozen values: for device rules, reports and manifests."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from kdrec.tflite.read import FAULTS, damaged, parse
from kdrec.tflite.schema import operator_name, type_name


@dataclass(frozen=True, eq=False)
class Tensor:
    """One tensor: real value = scale · (stored value − zero point).

    Args:
        index: its place in its graph.
        name: what the converter called it; may be empty.
        dtype: "int8", "int32", "float32", …
        shape: sizes of its axes.
        scales: () when not quantized, one value per tensor, or one per channel.
        zero_points: as many as scales.
        buffer: number of the buffer that holds its values.
        data: (bytes,) uint8 for a constant, None for a tensor that is computed.
        sparse: data holds the values that are stored of a sparse constant, fewer than its shape says.
    """

    index: int
    name: str
    dtype: str
    shape: tuple[int, ...]
    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    buffer: int
    data: np.ndarray | None
    sparse: bool = False

    @property
    def is_constant(self) -> bool:
        return self.data is not None

    @property
    def is_per_channel(self) -> bool:
        return len(self.scales) > 1

    @property
    def scale(self) -> float | None:
        """The scale of a tensor with one, else None."""
        return self.scales[0] if len(self.scales) == 1 else None

    @property
    def zero_point(self) -> int | None:
        return self.zero_points[0] if len(self.zero_points) == 1 else None

    def values(self) -> np.ndarray:
        """The stored values of a constant, in its shape."""
        if self.data is None:
            raise ValueError(f"tensor {self.index} ({self.name!r}) is computed, so the file holds no values of it")
        if self.sparse:
            raise ValueError(
                f"tensor {self.index} ({self.name!r}) is sparse, so the file holds some of its values only"
            )
        return self.data.view(self.dtype).reshape(self.shape)


@dataclass(frozen=True, eq=False)
class Operator:
    """One step of a graph; inputs and outputs are places in its tensors, −1 an input left out."""

    index: int
    name: str
    version: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Subgraph:
    """One graph: operators in the order in which they run."""

    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Signature:
    """A graph that is called by name, with named inputs and outputs."""

    name: str
    subgraph: int
    inputs: dict[str, Tensor]
    outputs: dict[str, Tensor]


@dataclass(frozen=True, eq=False)
class File:
    """A whole .tflite file."""

    n_bytes: int
    subgraphs: tuple[Subgraph, ...]
    signatures: dict[str, Signature]
    buffer_bytes: tuple[int, ...]
    metadata: dict[str, bytes]

    def operator_counts(self) -> dict[str, int]:
        """How often each operator occurs, by name."""
        names = [operator.name for subgraph in self.subgraphs for operator in subgraph.operators]
        return {name: names.count(name) for name in sorted(set(names))}


def read(source: bytes | str | Path) -> File:
    """Look into a .tflite file.

    Args:
        source: the bytes, or the path of the file.

    Returns:
        Its graphs, signatures and sizes.

    Raises:
        RuntimeFileError: no such file, or the bytes are not a whole .tflite file.
    """
    return view(parse(source), len(source) if isinstance(source, bytes) else Path(source).stat().st_size)


def view(model: schema.ModelT, n_bytes: int = 0) -> File:
    """Look at a model that is already parsed.

    Raises:
        RuntimeFileError: a name or a size in it makes no sense.
    """
    try:
        return _file(model, n_bytes)
    except FAULTS as error:
        raise damaged("the bytes given", f"a name or a size makes no sense ({error})") from error


def _file(model: schema.ModelT, n_bytes: int) -> File:
    graphs = tuple(_subgraph(model, graph) for graph in model.subgraphs)
    return File(
        n_bytes=n_bytes,
        subgraphs=graphs,
        signatures={
            entry.signatureKey.decode(): _signature(entry, graphs[entry.subgraphIndex])
            for entry in model.signatureDefs or ()
        },
        buffer_bytes=tuple(0 if buffer.data is None else len(buffer.data) for buffer in model.buffers),
        metadata={entry.name.decode(): bytes(model.buffers[entry.buffer].data) for entry in model.metadata or ()},
    )


def _signature(entry: schema.SignatureDefT, graph: Subgraph) -> Signature:
    return Signature(
        name=entry.signatureKey.decode(),
        subgraph=entry.subgraphIndex,
        inputs={end.name.decode(): graph.tensors[end.tensorIndex] for end in entry.inputs or ()},
        outputs={end.name.decode(): graph.tensors[end.tensorIndex] for end in entry.outputs or ()},
    )


def _subgraph(model: schema.ModelT, graph: schema.SubGraphT) -> Subgraph:
    return Subgraph(
        tensors=tuple(_tensor(model, index, tensor) for index, tensor in enumerate(graph.tensors)),
        operators=tuple(
            Operator(
                index,
                operator_name(model.operatorCodes[operator.opcodeIndex]),
                model.operatorCodes[operator.opcodeIndex].version,
                integers(operator.inputs),
                integers(operator.outputs),
            )
            for index, operator in enumerate(graph.operators or ())
        ),
        inputs=integers(graph.inputs),
        outputs=integers(graph.outputs),
    )


def _tensor(model: schema.ModelT, index: int, tensor: schema.TensorT) -> Tensor:
    data = model.buffers[tensor.buffer].data
    quantization = tensor.quantization
    scales = () if quantization is None or quantization.scale is None else quantization.scale
    zeros = () if quantization is None or quantization.zeroPoint is None else quantization.zeroPoint
    return Tensor(
        index=index,
        name=(tensor.name or b"").decode(),
        dtype=type_name(tensor.type),
        shape=integers(tensor.shape),
        scales=tuple(float(scale) for scale in scales),
        zero_points=tuple(int(zero) for zero in zeros),
        buffer=tensor.buffer,
        data=None if data is None or len(data) == 0 else np.asarray(data, np.uint8),
        sparse=tensor.sparsity is not None,
    )


def integers(values) -> tuple[int, ...]:
    """A vector of the schema, absent or not, as a tuple of plain integers."""
    return () if values is None else tuple(int(value) for value in values)

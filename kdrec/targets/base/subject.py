"""A file as rules look at it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from kdrec.errors import RuntimeFileError
from kdrec.tflite.read import parse
from kdrec.tflite.views import File, Operator, Subgraph, Tensor, view

SMALL_INTEGERS = ("int8", "uint8")


@dataclass(frozen=True)
class Finding:
    """One place where a rule is broken: where, and what stands there."""

    where: str
    found: str


@dataclass(frozen=True, eq=False)
class Step:
    """One operator in its graph."""

    graph: int
    subgraph: Subgraph
    operator: Operator
    options: Any

    @property
    def name(self) -> str:
        return self.operator.name

    @property
    def inputs(self) -> list[Tensor]:
        """Tensors read, those left out not counted."""
        return [self.subgraph.tensors[index] for index in self.operator.inputs if index >= 0]

    @property
    def outputs(self) -> list[Tensor]:
        return [self.subgraph.tensors[index] for index in self.operator.outputs]

    @property
    def tensors(self) -> list[Tensor]:
        return self.inputs + self.outputs

    def finding(self, found: str) -> Finding:
        return Finding(f"graph {self.graph}, operator {self.operator.index} {self.name}", found)


@dataclass(frozen=True, eq=False)
class Subject:
    """A parsed file.

    Args:
        file: graphs, tensors and signatures.
        steps: every operator, in order.
        dynamic: places (graph, tensor) of tensors whose shape is not fixed.
    """

    file: File
    steps: tuple[Step, ...]
    dynamic: frozenset[tuple[int, int]]

    def tensors(self) -> Iterator[tuple[int, Tensor]]:
        """Every tensor that an operator, an input or an output uses, with its graph."""
        for graph, subgraph in enumerate(self.file.subgraphs):
            used = {index for index in (*subgraph.inputs, *subgraph.outputs) if index >= 0}
            for operator in subgraph.operators:
                used |= {index for index in (*operator.inputs, *operator.outputs) if index >= 0}
            for index in sorted(used):
                yield graph, subgraph.tensors[index]

    @property
    def is_integer(self) -> bool:
        """Whether anything is computed in int8: the file is quantized in full, not its weights alone."""
        return any(tensor.dtype in SMALL_INTEGERS for step in self.steps for tensor in step.outputs)


def tensor_finding(graph: int, tensor: Tensor, found: str) -> Finding:
    return Finding(f"graph {graph}, tensor {tensor.index} ({tensor.name or 'without name'})", found)


def subject(content: bytes) -> Subject:
    """Parse a file for its rules.

    Raises:
        RuntimeFileError: the bytes are no readable .tflite file.
    """
    model = parse(content)
    try:
        file = view(model, len(content))
        steps = tuple(
            Step(graph, subgraph, operator, parsed.operators[operator.index].builtinOptions)
            for graph, (subgraph, parsed) in enumerate(zip(file.subgraphs, model.subgraphs, strict=True))
            for operator in subgraph.operators
        )
    except (ValueError, TypeError, AttributeError, IndexError) as error:
        raise RuntimeFileError(
            f"the bytes given are no readable .tflite file: {error}; export the model again"
        ) from error
    dynamic = frozenset(
        (graph, index)
        for graph, parsed in enumerate(model.subgraphs)
        for index, tensor in enumerate(parsed.tensors)
        if _has_free_size(tensor.shape) or _has_free_size(tensor.shapeSignature)
    )
    return Subject(file, steps, dynamic)


def _has_free_size(sizes: Any) -> bool:
    return sizes is not None and any(size < 0 for size in sizes)

"""What a file takes of a device, counted without running it: a docstring is the line of the manual."""

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from kdrec.targets.base.on_chip import placed
from kdrec.targets.base.subject import Subject
from kdrec.tflite.views import Subgraph, Tensor

if TYPE_CHECKING:
    from kdrec.targets.base.target import Target

ALIGNMENT = 16  # TensorFlow Lite Micro begins each tensor at a multiple of this
BITS = {
    **dict.fromkeys(("int4", "uint4"), 4),
    **dict.fromkeys(("int8", "uint8", "bool"), 8),
    **dict.fromkeys(("int16", "uint16", "float16", "bfloat16"), 16),
    **dict.fromkeys(("int32", "uint32", "float32"), 32),
    **dict.fromkeys(("int64", "uint64", "float64", "complex64"), 64),
    "complex128": 128,
}  # of the other types, texts and handles, a file does not tell the size: they count as none


@dataclass(frozen=True)
class Estimate:
    """A size that a file takes of a device.

    Args:
        name: of what is sized, the estimating function's.
        bytes: its size.
        limit: of the device; None where none is known.
        measured: by a runtime, and not counted from the file.
        parts: what it is made of, a line each; none where that is not told.
    """

    name: str
    bytes: int
    limit: int | None = None
    measured: bool = False
    parts: tuple[str, ...] = ()


def flash(subject: Subject, target: "Target") -> Estimate:
    """The file as it lies in flash or on a disk; the runtime's own code comes on top."""
    return Estimate("flash", subject.file.n_bytes)


def parameter_cache(subject: Subject, target: "Target") -> Estimate:
    """The constants that operators read, which the chip keeps between calls; what its compiler adds is not counted.

    Those that no longer fit, in the order of the file's steps, are streamed.
    """
    constants = placed(subject, target.max_constant_bytes)
    parts = tuple(str(each) for each in constants if each.is_matrix)
    return Estimate("parameter_cache", sum(each.bytes for each in constants), target.max_constant_bytes, parts=parts)


def streamed_parameters(subject: Subject, target: "Target") -> Estimate:
    """What of these the chip fetches from memory off the chip at every call."""
    constants = placed(subject, target.max_constant_bytes)
    return Estimate("streamed_parameters", sum(each.bytes for each in constants if not each.on_chip))


def arena(subject: Subject, target: "Target") -> Estimate:
    """The tensors that live at once, at their peak: no planner packs them tighter.

    Scratch memory of kernels and the interpreter's own records come on top.
    """
    return Estimate("arena", max(map(peak, subject.file.subgraphs), default=0))


def peak(graph: Subgraph) -> int:
    """Bytes of the computed tensors that live at once, at most, operators run in the file's order.

    A tensor lives from the step that writes it (an input from the start) to the last one that reads it (an output to
    the end).
    """
    end = len(graph.operators)
    born = dict.fromkeys(graph.inputs, 0)
    dies = dict.fromkeys(graph.outputs, end)
    for place, operator in enumerate(graph.operators):
        for index in operator.outputs:
            born.setdefault(index, place)
            dies.setdefault(index, place)
        for index in operator.inputs:
            dies[index] = max(dies.get(index, 0), place)
    change = [0] * (end + 2)
    for index, first in born.items():
        if index >= 0 and not graph.tensors[index].is_constant:
            size = aligned(graph.tensors[index])
            change[first] += size
            change[max(dies.get(index, first), first) + 1] -= size
    live, most = 0, 0
    for step in change:
        live += step
        most = max(most, live)
    return most


def aligned(tensor: Tensor) -> int:
    """Bytes of a tensor, up to the next multiple of the alignment; an axis that is not fixed counts as 1."""
    size = (prod(max(axis, 1) for axis in tensor.shape) * BITS.get(tensor.dtype, 0) + 7) // 8
    return -(-size // ALIGNMENT) * ALIGNMENT

"""Which constants of a file an accelerator keeps on its chip between calls, and which it fetches anew at every call."""

from dataclasses import dataclass

from kdrec.targets.base.subject import Subject


@dataclass(frozen=True)
class Placed:
    """A constant and where it lies.

    Args:
        tensor: its name in the file.
        operator: the first one that reads it.
        shape: of the tensor.
        bytes: its size.
        on_chip: whether the chip keeps it; else it is streamed from memory off the chip.
    """

    tensor: str
    operator: str
    shape: tuple[int, ...]
    bytes: int
    on_chip: bool

    @property
    def is_matrix(self) -> bool:
        """Whether at least two of its axes are longer than 1: no bias, no number."""
        return sum(size > 1 for size in self.shape) > 1

    def __str__(self) -> str:
        sizes = "×".join(str(size) for size in self.shape)
        place = "on the chip" if self.on_chip else "streamed at every call"
        return f"{self.operator}, {sizes}: {self.bytes:,} bytes, {place}"


def placed(subject: Subject, limit: int | None) -> tuple[Placed, ...]:
    """The constants that operators read, in the order of the file's steps, each once.

    A constant stays on the chip as a whole, if what the earlier ones have left of `limit` bytes holds it. The compiler
    of the Edge TPU does not document its own choice: this is an estimate.

    Args:
        subject: the file.
        limit: bytes that the chip keeps; None keeps all.
    """
    found: dict[int, Placed] = {}
    left = float("inf") if limit is None else limit
    for step in subject.steps:
        for tensor in step.inputs:
            if tensor.data is None or tensor.buffer in found:
                continue
            size = len(tensor.data)
            found[tensor.buffer] = Placed(tensor.name, step.name, tensor.shape, size, size <= left)
            left -= size if size <= left else 0
    return tuple(found.values())

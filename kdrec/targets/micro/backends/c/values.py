"""What a tensor is in C: an expression for each element, and the memory that it is kept in, if it is."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from kdrec.tflite.views import Tensor

Element = Callable[[str], str]
KEPT = "int16_t"  # quantized values are kept without their zero point, and the difference of two int8 needs nine bits


@dataclass(frozen=True, eq=False)
class Value:
    """A tensor of the graph, in C.

    Args:
        tensor: type, scale and shape, as the file says.
        shape: sizes of its axes here.
        at: a flat index -> the element; of an int8 tensor, the stored value minus its zero point.
        row: (index of a row, place in it) -> the element, for values of which rows are looked up.
        before: a flat index -> statements that `at` needs before it.
        pointer: to its elements where they are kept in memory, or None.
        four: a flat index -> statements that write the int32 sums, before they are scaled, of it and the next three to
            `sums`; None where there are no sums.
        least: of an int32 tensor, what no element is below.
        most: what none is above; None where only the caller knows.
        source: of an int32 tensor that the caller gives, its name.
    """

    tensor: Tensor
    shape: tuple[int, ...]
    at: Element
    row: Callable[[str, str], str] | None = None
    before: Callable[[str], list[str]] | None = None
    pointer: str | None = None
    four: Callable[[str], list[str]] | None = None
    least: int = 0
    most: int | None = None
    source: str | None = None

    @property
    def size(self) -> int:
        return int(np.prod(self.shape))

    def element(self, row: str, place: str, width: int) -> str:
        """Of a matrix of this width."""
        return self.row(row, place) if self.row else self.at(index(row, width, place))

    def viewed(self, tensor: Tensor, shape: tuple[int, ...], first: int = 0) -> "Value":
        """The same elements from `first` on, in another shape."""
        if first == 0 and int(np.prod(shape)) == self.size:
            same_rows = self.row if shape[-1:] == self.shape[-1:] else None
            return replace(self, tensor=tensor, shape=shape, row=same_rows)

        def moved(element: Callable[[str], Any] | None) -> Any:
            return element and (lambda place: element(index(place, 1, str(first))))

        return replace(
            self,
            tensor=tensor,
            shape=shape,
            at=moved(self.at),
            row=None,
            before=moved(self.before),
            pointer=f"{self.pointer} + {first}" if self.pointer else None,
            four=moved(self.four),
        )


def index(outer: str, width: int, inner: str = "0") -> str:
    """outer · width + inner, without what is 0 or 1.

    >>> index("i", 1, "0"), index("i", 4, "j"), index("0", 4, "j")
    ('i', 'i * 4 + j', 'j')
    """
    if outer == "0":
        return inner
    factor = outer if outer.isidentifier() or outer.isdigit() or width == 1 else f"({outer})"
    product = factor if width == 1 else f"{factor} * {width}"
    return product if inner == "0" else f"{product} + {inner}"


def less_zero_point(expression: str, tensor: Tensor) -> str:
    """A stored int8 value without its zero point.

    >>> less_zero_point("x", Tensor(0, "", "int8", (1,), (0.5,), (-128,), 0, None))
    '(x + 128)'
    """
    zero = tensor.zero_point or 0
    return expression if zero == 0 else f"({expression} {'+' if zero < 0 else '-'} {abs(zero)})"


def constant(tensor: Tensor, name: str) -> Value:
    """A tensor whose values the file holds; a single one is written out.

    Args:
        tensor: int8 or int32, or int4, which is read by `dot_int4` alone.
        name: of its table in C.
    """
    if tensor.dtype == "int4":
        return Value(tensor, tensor.shape, at=lambda place: f"{name}[{place}]", pointer=name)
    stored = tensor.values().reshape(-1)
    zero = tensor.zero_point or 0 if tensor.dtype == "int8" else 0
    if len(stored) == 1:
        written = str(int(stored[0]) - zero)
        number = int(stored[0])
        return Value(tensor, tensor.shape, at=lambda place: written, pointer=name, least=number, most=number)

    def at(place: str) -> str:
        return less_zero_point(f"{name}[{place}]", tensor) if tensor.dtype == "int8" else f"{name}[{place}]"

    return Value(tensor, tensor.shape, at, pointer=name, least=int(stored.min()), most=int(stored.max()))

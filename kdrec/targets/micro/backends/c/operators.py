"""One small function an operator: its inputs as C, and the element of its output.

Views and lookups stay expressions, which whoever reads them evaluates: no row of a history is ever copied.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from kdrec.errors import TargetError
from kdrec.targets.base.subject import Step
from kdrec.targets.micro.backends.c import multipliers
from kdrec.targets.micro.backends.c.values import Value, index
from kdrec.tflite.views import Tensor

NO_ACTIVATION, RELU = 0, 1


@dataclass(frozen=True, eq=False)
class Call:
    """An operator of the graph with its inputs, None for one left out.

    Args:
        step: the operator in the file.
        inputs: in its order.
        narrow: tells the caller's input of a name that its values must stay below a bound.
    """

    step: Step
    inputs: tuple[Value | None, ...]
    narrow: Callable[[str, int], None]

    @property
    def made(self) -> Tensor:
        return self.step.outputs[0]

    def option(self, name: str) -> Any:
        """An option of the operator; 0 where its file or its kind has none of that name."""
        return 0 if self.step.options is None else vars(self.step.options).get(name, 0)

    def given(self, place: int) -> Value:
        value = self.inputs[place] if place < len(self.inputs) else None
        if value is None:
            raise self.refused(f"without input {place}")
        return value

    def refused(self, what: str) -> TargetError:
        """The error of an operator that is known, but not like this."""
        return TargetError(
            f"the C generator must not meet {self.step.name} {what}, as operator {self.step.operator.index} is; "
            f"{WAY_OUT}"
        )

    def bounds(self) -> tuple[int, int]:
        """What the output is clamped to, its zero point taken away."""
        activation, zero = self.option("fusedActivationFunction"), self.made.zero_point or 0
        if activation not in (NO_ACTIVATION, RELU):
            raise self.refused(f"with the fused activation {activation}")
        return (max(-128, zero) if activation == RELU else -128) - zero, 127 - zero

    def clamped(self, scaled: str, bounds: tuple[int, int]) -> str:
        return f"clamped({scaled}, {bounds[0]}, {bounds[1]})"


WAY_OUT = "use the encoder mean with a full item table in int8, or run the file on TensorFlow Lite Micro"


def gather(call: Call) -> Value:
    """Rows of a table, by number."""
    table, chosen, made = call.given(0), call.given(1), call.made
    if call.option("axis") or call.option("batchDims"):
        raise call.refused("along another axis than the first")
    rows, width = table.shape[0], int(np.prod(table.shape[1:]))
    if chosen.source and chosen.most is None:
        call.narrow(chosen.source, rows)
    elif chosen.least < 0 or chosen.most is None or chosen.most >= rows:
        raise call.refused(f"of a table of {rows} rows with numbers up to {chosen.most}")

    def row(number: str, place: str) -> str:
        return table.at(index(chosen.at(number), width, place))

    def at(place: str) -> str:
        if width == 1:
            return row(place, "0")
        return row("0", place) if chosen.size == 1 else row(f"({place}) / {width}", f"({place}) % {width}")

    return Value(made, made.shape, at, row=row, least=table.least, most=table.most)


def minimum(call: Call) -> Value:
    """The smaller of two integers."""
    left, right, made = call.given(0), call.given(1), call.made
    if made.dtype != "int32":
        raise call.refused(f"of {made.dtype}")
    first, second = _broadcast(call, left), _broadcast(call, right)
    known = [value.most for value in (left, right) if value.most is not None]
    return Value(
        made,
        made.shape,
        at=lambda place: f"minimum({first(place)}, {second(place)})",
        least=min(left.least, right.least),
        most=min(known) if known else None,
    )


def arg_max(call: Call) -> Value:
    """Where the largest element stands, the first of equal ones."""
    given, made = call.given(0), call.made
    if made.dtype != "int32" or int(np.prod(made.shape)) != 1:
        raise call.refused(f"that gives {made.dtype} of shape {list(made.shape)}")
    statements = [
        "int32_t best = 0;",
        f"for (int32_t j = 1; j < {given.size}; j++) {{",
        f"    if ({given.at('j')} > {given.at('best')}) {{",
        "        best = j;",
        "    }",
        "}",
    ]
    return Value(
        made, made.shape, at=lambda place: "(int16_t)best", before=lambda place: statements, most=given.size - 1
    )


def reshape(call: Call) -> Value:
    """The same elements."""
    return call.given(0).viewed(call.made, call.made.shape)


def strided_slice(call: Call) -> Value:
    """A run of neighbouring elements."""
    given, made = call.given(0), call.made
    begin, end, stride = (_integers(call, place) for place in (1, 2, 3))
    if call.option("ellipsisMask") or call.option("newAxisMask") or call.option("offset") or any(stride != 1):
        raise call.refused("with strides or new axes")
    chosen = []
    for axis, size in enumerate(given.shape):
        low = 0 if call.option("beginMask") >> axis & 1 else int(begin[axis])
        high = size if call.option("endMask") >> axis & 1 else int(end[axis])
        low, high = (value + size if value < 0 else value for value in (low, high))
        chosen.append(np.arange(size)[low : low + 1 if call.option("shrinkAxisMask") >> axis & 1 else high])
    places = np.arange(given.size).reshape(given.shape)[np.ix_(*chosen)].reshape(-1)
    if len(places) != int(np.prod(made.shape)) or len(places) == 0 or any(np.diff(places) != 1):
        raise call.refused("of elements that are no neighbours")
    return given.viewed(made, made.shape, first=int(places[0]))


def mul(call: Call) -> Value:
    """Element by element."""
    left, right, made = call.given(0), call.given(1), call.made
    first, second = _broadcast(call, left), _broadcast(call, right)
    multiplier, shift = multipliers.of_elements(left.tensor, right.tensor, made)
    bounds = call.bounds()
    return Value(
        made,
        made.shape,
        at=lambda place: call.clamped(f"scaled({first(place)} * {second(place)}, {multiplier}, {shift})", bounds),
    )


def add(call: Call) -> Value:
    """Element by element, of different scales."""
    left, right, made = call.given(0), call.given(1), call.made
    first, second = _broadcast(call, left), _broadcast(call, right)
    of_left, of_right, of_sum = multipliers.of_sum(left.tensor, right.tensor, made)
    bounds, raised = call.bounds(), 2**multipliers.ADD_SHIFT

    def at(place: str) -> str:
        terms = (
            f"scaled({term(place)} * {raised}, {multiplier}, {shift})"
            for term, (multiplier, shift) in ((first, of_left), (second, of_right))
        )
        return call.clamped(f"scaled({' + '.join(terms)}, {of_sum[0]}, {of_sum[1]})", bounds)

    return Value(made, made.shape, at)


def batch_matmul(call: Call) -> Value:
    """(1, rows, n) times (1, n, width)."""
    left, right, made = call.given(0), call.given(1), call.made
    if call.option("adjX") or call.option("adjY") or any(size != 1 for size in (*left.shape[:-2], *right.shape[:-2])):
        raise call.refused("of transposed matrices or of several")
    n, width = right.shape[-2:]
    multiplier, shift = multipliers.of_product(left.tensor, right.tensor, made)

    def before(place: str) -> list[str]:
        rows = left.shape[-2]
        row, column = ("0", place) if rows == 1 else (f"({place} / {width})", f"{place} % {width}")
        return [
            "int32_t sum = 0;",
            f"for (size_t j = 0; j < {n}; j++) {{",
            f"    sum += {left.element(row, 'j', n)} * {right.element('j', column, width)};",
            "}",
        ]

    element = call.clamped(f"scaled(sum, {multiplier}, {shift})", call.bounds())
    return Value(made, made.shape, at=lambda place: element, before=before)


def fully_connected(call: Call) -> Value:
    """One row times each row of a matrix, int8 or int4, with one scale."""
    given, matrix, made = call.given(0), call.given(1), call.made
    width = matrix.shape[-1]
    if given.size != width or matrix.pointer is None or not matrix.tensor.is_constant:
        raise call.refused("of several rows, or with a computed matrix")
    if matrix.tensor.is_per_channel or matrix.tensor.zero_point:
        raise call.refused("with a scale for each row, or with a zero point of the matrix")
    if given.pointer is None or given.tensor.is_constant:
        raise call.refused("of values that are not computed")
    bias = call.inputs[2] if len(call.inputs) > 2 else None
    multiplier, shift = multipliers.of_product(given.tensor, matrix.tensor, made)
    bounds = call.bounds()

    def accumulator(place: str) -> str:
        if matrix.tensor.dtype == "int4":
            product = f"dot_int4({matrix.pointer}, {index(place, width)}, {given.pointer}, {width})"
        else:
            product = f"dot({matrix.pointer} + {index(place, width)}, {given.pointer}, {width})"
        return product if bias is None else f"{product} + {bias.at(place)}"

    def four(place: str) -> list[str]:
        if matrix.tensor.dtype == "int4":
            return [f"for (size_t j = 0; j < 4; j++) {{ sums[j] = {accumulator(f'{place} + j')}; }}"]
        added = [] if bias is None else [f"for (size_t j = 0; j < 4; j++) {{ sums[j] += {bias.at(f'{place} + j')}; }}"]
        return [f"dot_four({matrix.pointer} + {index(place, width)}, {given.pointer}, {width}, sums);", *added]

    return Value(
        made,
        made.shape,
        at=lambda place: call.clamped(f"scaled({accumulator(place)}, {multiplier}, {shift})", bounds),
        accumulator=accumulator,
        four=four,
    )


EMITTERS: dict[str, Callable[[Call], Value]] = {
    emitter.__name__.upper(): emitter
    for emitter in (
        *(add, arg_max, batch_matmul, fully_connected, gather, minimum, mul, reshape, strided_slice),
    )
}  # fmt: skip
COMPUTED = ("ADD", "ARG_MAX", "BATCH_MATMUL", "FULLY_CONNECTED", "MUL")  # kept in memory; the others are expressions


def _broadcast(call: Call, value: Value) -> Callable[[str], str]:
    """The element of a value at a flat index of the output, whose last axes it has, or one element for all."""
    shape = tuple(size for size in call.made.shape)
    if value.size == int(np.prod(shape)):
        return value.at
    if value.size == 1:
        return lambda place: value.at("0")
    trimmed = value.shape
    while trimmed and trimmed[0] == 1:
        trimmed = trimmed[1:]
    if shape[len(shape) - len(trimmed) :] != trimmed:
        raise call.refused(f"that stretches {list(value.shape)} to {list(shape)}")
    return lambda place: value.at(f"({place}) % {value.size}")


def _integers(call: Call, place: int) -> np.ndarray:
    tensor = call.given(place).tensor
    if not tensor.is_constant:
        raise call.refused("with computed bounds")
    return tensor.values().reshape(-1)

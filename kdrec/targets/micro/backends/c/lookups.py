"""Operators that only say where an element is found: they stay expressions, and no row of a history is copied."""

import numpy as np

from kdrec.targets.micro.backends.c.call import Call
from kdrec.targets.micro.backends.c.values import Value, index


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
    first, second = call.broadcast(left), call.broadcast(right)
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
    begin, end, stride = (call.integers(place) for place in (1, 2, 3))
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

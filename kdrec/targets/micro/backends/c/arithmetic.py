"""Operators that compute in integers, scaled and rounded as TensorFlow Lite Micro does."""

from kdrec.targets.micro.backends.c import multipliers
from kdrec.targets.micro.backends.c.call import Call
from kdrec.targets.micro.backends.c.values import Value, index


def mul(call: Call) -> Value:
    """Element by element."""
    left, right, made = call.given(0), call.given(1), call.made
    first, second = call.broadcast(left), call.broadcast(right)
    bounds = call.bounds()
    multiplier, shift = multipliers.of_elements(left.tensor, right.tensor, made)
    return Value(
        made,
        made.shape,
        at=lambda place: call.clamped(f"scaled({first(place)} * {second(place)}, {multiplier}, {shift})", bounds),
    )


def add(call: Call) -> Value:
    """Element by element, of different scales."""
    left, right, made = call.given(0), call.given(1), call.made
    first, second = call.broadcast(left), call.broadcast(right)
    bounds, raised = call.bounds(), 2**multipliers.ADD_SHIFT
    of_left, of_right, of_sum = multipliers.of_sum(left.tensor, right.tensor, made)

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
    bounds = call.bounds()
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

    element = call.clamped(f"scaled(sum, {multiplier}, {shift})", bounds)
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
    bounds = call.bounds()
    multiplier, shift = multipliers.of_product(given.tensor, matrix.tensor, made)

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
        four=four,
    )

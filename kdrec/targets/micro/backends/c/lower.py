"""A graph, operator by operator, becomes the steps of a C function."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from kdrec.errors import TargetError
from kdrec.targets.base.subject import Step, Subject
from kdrec.targets.micro.backends.c.memory import Kept
from kdrec.targets.micro.backends.c.operators import COMPUTED, EMITTERS, WAY_OUT, Call
from kdrec.targets.micro.backends.c.values import Value, constant
from kdrec.tflite.views import Signature, Tensor

VIEWS = ("RESHAPE", "STRIDED_SLICE")
KNOWN_TYPES = ("int8", "int32")


@dataclass(frozen=True, eq=False)
class Program:
    """A graph in C.

    Args:
        steps: the text of each, in order; each computes a value that is kept.
        kept: these values.
        scores: the output, of which every element is computed when it is asked for.
        limits: by name of an input, what its values must stay below.
        tables: constants by their names in C.
        beyond: elements that may be read after the last of a table, by its name.
    """

    steps: tuple[str, ...]
    kept: tuple[Kept, ...]
    scores: Value
    limits: Mapping[str, int]
    tables: Mapping[str, Tensor]
    beyond: Mapping[str, int]


def lower(subject: Subject, signature: Signature) -> Program:
    """Lower the one graph of a file.

    Raises:
        TargetError: an operator that is not known, or not like this; or scores that no FULLY_CONNECTED gives.
    """
    output = signature.outputs["scores"].index
    values = {tensor.index: _input(name, tensor) for name, tensor in signature.inputs.items()}
    limits: dict[str, int] = {}
    tables: dict[str, Tensor] = {}
    steps: list[str] = []
    kept: list[Kept] = []

    def narrow(name: str, bound: int) -> None:
        limits[name] = min(bound, limits.get(name, bound))

    def value_of(step: Step, place: int) -> Value | None:
        if place < 0:
            return None
        if place not in values:
            tensor = step.subgraph.tensors[place]
            name = f"table_{tensor.buffer}"
            tables[name] = tensor
            values[place] = constant(tensor, name)
        return values[place]

    ranked = _ranked(subject.steps, output)
    for step in subject.steps:
        _check(step)
        inputs = tuple(value_of(step, place) for place in step.operator.inputs)
        value = EMITTERS[step.name](Call(step, inputs, narrow))
        place = step.operator.outputs[0]
        if step.name in COMPUTED and place != ranked:
            name = f"{step.name.lower()}_{step.operator.index}"
            steps.append(_loop(name, value))
            kept.append(Kept(name, value.size, len(steps) - 1))
            value = _kept(value, name)
        values[place] = value
    if output not in values or values[output].accumulator is None:
        raise TargetError(f"scores must come from a FULLY_CONNECTED for the C generator, and do not; {WAY_OUT}")
    scores = values[output]
    last = next(step for step in subject.steps if step.operator.outputs[0] == ranked)
    rest = -scores.size % 4  # rows that are scored with the last item, and are none
    beyond = {
        f"table_{tensor.buffer}": rest * int(np.prod(tensor.shape[1:])) for tensor in last.inputs if tensor.is_constant
    }
    return Program(tuple(steps), tuple(kept), scores, limits, tables, beyond)


def _input(name: str, tensor: Tensor) -> Value:
    if tensor.dtype != "int32":
        raise TargetError(f"input {name!r} must be int32 for the C generator, not {tensor.dtype}; {WAY_OUT}")
    if name == "history":
        return Value(tensor, tensor.shape, at=lambda place: f"history[{place}]", source=name)
    return Value(tensor, tensor.shape, at=lambda place: name, source=name)


def _check(step: Step) -> None:
    """An operator that the generator knows, on types that it knows."""
    where = f"operator {step.operator.index}"
    if step.name not in EMITTERS:
        raise TargetError(f"the C generator knows {', '.join(sorted(EMITTERS))}, not {step.name} ({where}); {WAY_OUT}")
    for tensor in step.tensors:
        is_kernel = step.name == "FULLY_CONNECTED" and tensor is step.inputs[1]
        if tensor.dtype not in KNOWN_TYPES and not (is_kernel and tensor.dtype == "int4"):
            raise TargetError(
                f"the C generator knows {' and '.join(KNOWN_TYPES)}, not {tensor.dtype}, of which {step.name} "
                f"({where}) has tensor {tensor.index}; {WAY_OUT}"
            )


def _ranked(steps: tuple[Step, ...], output: int) -> int:
    """The tensor of which the scores are a view: it is not kept, an item's score is computed when it is ranked."""
    for step in reversed(steps):
        if step.operator.outputs[0] == output and step.name in VIEWS:
            output = step.operator.inputs[0]
    return output


def _loop(name: str, value: Value) -> str:
    """Compute each element of a value and keep it."""
    if value.size == 1:
        before, first, last, place = "{", "    ", "}", "0"
    else:
        before, first, last, place = f"for (size_t i = 0; i < {value.size}; i++) {{", "    ", "}", "i"
    statements = value.before(place) if value.before else []
    return "\n".join([before, *(first + line for line in [*statements, f"{name}[{place}] = {value.at(place)};"]), last])


def _kept(value: Value, name: str) -> Value:
    def at(place: str) -> str:
        return f"{name}[{place}]"

    return replace(value, at=at, row=None, before=None, pointer=name, accumulator=None)

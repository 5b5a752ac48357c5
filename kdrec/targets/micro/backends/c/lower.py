"""A graph, operator by operator, becomes the steps of a C function."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from kdrec.errors import TargetError
from kdrec.targets.base.subject import Step, Subject
from kdrec.targets.micro.backends.c.call import WAY_OUT, Call
from kdrec.targets.micro.backends.c.memory import Kept
from kdrec.targets.micro.backends.c.operators import COMPUTED, EMITTERS
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
        four: an item -> statements that write the int32 sums of it and the next three to `sums`.
        inputs: what each input is called in C, by its name.
        limits: by name of an input, what its values must stay below.
        tables: constants by their names in C.
        beyond: elements that may be read after the last of a table, by its name.
    """

    steps: tuple[str, ...]
    kept: tuple[Kept, ...]
    scores: Value
    four: Callable[[str], list[str]]
    inputs: Mapping[str, str]
    limits: Mapping[str, int]
    tables: Mapping[str, Tensor]
    beyond: Mapping[str, int]


def lower(subject: Subject, signature: Signature) -> Program:
    """Lower the one graph of a file.

    Raises:
        TargetError: an operator that is not known, or not like this; or scores that no FULLY_CONNECTED gives.
    """
    output = signature.outputs["scores"].index
    inputs = names_in_c(list(signature.inputs))
    values = {tensor.index: _input(name, inputs[name], tensor) for name, tensor in signature.inputs.items()}
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

    for step in subject.steps:
        _check(step)
    ranked = _ranked(subject.steps, output)
    last = next((step for step in subject.steps if step.operator.outputs[0] == ranked), None)
    if last is None or last.name != "FULLY_CONNECTED":
        raise TargetError(f"scores must come from a FULLY_CONNECTED for the C generator, and do not; {WAY_OUT}")
    for step in subject.steps:
        given = tuple(value_of(step, place) for place in step.operator.inputs)
        value = EMITTERS[step.name](Call(step, given, narrow))
        place = step.operator.outputs[0]
        if step.name in COMPUTED and place != ranked:
            name = f"{step.name.lower()}_{step.operator.index}"
            steps.append(_loop(name, value))
            kept.append(Kept(name, value.size, len(steps) - 1))
            value = _kept(value, name)
        values[place] = value
    scores = values[output]
    four = scores.four
    assert four is not None  # of every FULLY_CONNECTED, and of its views
    rest = -scores.size % 4  # rows that are scored with the last item, and are none
    beyond = {
        f"table_{tensor.buffer}": rest * int(np.prod(tensor.shape[1:])) for tensor in last.inputs if tensor.is_constant
    }
    return Program(tuple(steps), tuple(kept), scores, four, inputs, limits, tables, beyond)


def names_in_c(names: list[str]) -> dict[str, str]:
    """What inputs are called in C: `history`, and for a context feature its name made one that C takes.

    >>> list(names_in_c(["history", "day-part", "day part"]).values())
    ['history', 'context_day_part', 'context_day_part_2']
    """
    found: dict[str, str] = {}
    for number, name in enumerate(names):
        own = name if name == "history" else "context_" + re.sub(r"[^A-Za-z0-9_]", "_", name)
        found[name] = f"{own}_{number}" if own in found.values() else own
    return found


def _input(name: str, in_c: str, tensor: Tensor) -> Value:
    if tensor.dtype != "int32":
        raise TargetError(f"input {name!r} must be int32 for the C generator, not {tensor.dtype}; {WAY_OUT}")
    return Value(tensor, tensor.shape, at=lambda place: f"history[{place}]" if name == "history" else in_c, source=name)


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

    return replace(value, at=at, row=None, before=None, pointer=name, four=None)

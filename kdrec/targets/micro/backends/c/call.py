"""An operator as its emitter sees it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from kdrec.errors import TargetError
from kdrec.targets.base.subject import Step
from kdrec.targets.micro.backends.c.values import Value
from kdrec.tflite.views import Tensor

WAY_OUT = "use the encoder mean with a full item table in int8, or run the file on TensorFlow Lite Micro"
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
        if self.made.dtype != "int8":
            raise self.refused(f"of {self.made.dtype}")
        activation, zero = self.option("fusedActivationFunction"), self.made.zero_point or 0
        if activation not in (NO_ACTIVATION, RELU):
            raise self.refused(f"with the fused activation {activation}")
        return (max(-128, zero) if activation == RELU else -128) - zero, 127 - zero

    def clamped(self, scaled: str, bounds: tuple[int, int]) -> str:
        return f"clamped({scaled}, {bounds[0]}, {bounds[1]})"

    def broadcast(self, value: Value) -> Callable[[str], str]:
        """The element of a value at a flat index of the output, whose last axes it has, or one element for all."""
        shape = self.made.shape
        if value.size == int(np.prod(shape)):
            return value.at
        if value.size == 1:
            return lambda place: value.at("0")
        trimmed = value.shape
        while trimmed and trimmed[0] == 1:
            trimmed = trimmed[1:]
        if shape[len(shape) - len(trimmed) :] != trimmed:
            raise self.refused(f"that stretches {list(value.shape)} to {list(shape)}")
        return lambda place: value.at(f"({place}) % {value.size}")

    def integers(self, place: int) -> np.ndarray:
        """The values of a constant input."""
        tensor = self.given(place).tensor
        if not tensor.is_constant:
            raise self.refused("with computed bounds")
        return tensor.values().reshape(-1)

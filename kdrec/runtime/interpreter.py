"""A .tflite file in LiteRT: checked before it is handed over, called by signature and by name."""

import re
import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from kdrec.bundle.signatures import SignatureSpec, TensorSpec
from kdrec.errors import DataError, RuntimeFileError
from kdrec.tflite.read import parse


@dataclass(frozen=True)
class Edge:
    """A tensor at the edge of a graph: value = scale · (stored − zero_point); scale 0 means not quantized."""

    dtype: np.dtype
    shape: tuple[int, ...]
    scale: float
    zero_point: int

    def dequantize(self, stored: np.ndarray) -> np.ndarray:
        """Values as float32.

        >>> Edge(np.dtype("int8"), (1, 2), 0.5, 1).dequantize(np.array([[1, 3]], np.int8)).tolist()
        [[0.0, 1.0]]
        """
        if not self.scale:
            return stored.astype(np.float32)
        return (stored.astype(np.float32) - np.float32(self.zero_point)) * np.float32(self.scale)

    def quantize(self, values: np.ndarray) -> np.ndarray:
        """Stored numbers for values: round(value / scale) + zero_point, halves away from zero, cut to the type's range.

        >>> Edge(np.dtype("int8"), (1, 3), 0.5, 1).quantize(np.array([0.0, 1.0, 99.0])).tolist()
        [1, 3, 127]
        """
        if not self.scale:
            return values.astype(self.dtype)
        steps = values.astype(np.float64) / self.scale
        rounded = np.copysign(np.floor(np.abs(steps) + 0.5), steps) + self.zero_point
        limits = np.iinfo(self.dtype)
        return np.clip(rounded, limits.min, limits.max).astype(self.dtype)

    def spec(self) -> TensorSpec:
        """The same as a manifest writes it down."""
        quantized = self.scale > 0
        return TensorSpec(
            str(self.dtype),
            self.shape,
            scale=self.scale if quantized else None,
            zero_point=self.zero_point if quantized else None,
        )


@dataclass(frozen=True)
class Ends:
    """Inputs and outputs of one signature, by name."""

    inputs: Mapping[str, Edge]
    outputs: Mapping[str, Edge]


class SignatureFile(ABC):
    """A .tflite file that is called by signature and by name; `name` is the file's, for errors."""

    name: str
    signatures: Mapping[str, Ends]

    def ends(self, signature: str) -> Ends:
        """Inputs and outputs of a signature, which must exist."""
        if signature not in self.signatures:
            raise RuntimeFileError(
                f"{self.name} has no signature {signature!r}, it has {', '.join(sorted(self.signatures)) or 'none'}; "
                f"export it with kdrec"
            )
        return self.signatures[signature]

    def specs(self) -> dict[str, SignatureSpec]:
        """The signatures as a manifest writes them down."""
        return {
            name: SignatureSpec(
                self.name,
                {key: edge.spec() for key, edge in ends.inputs.items()},
                {key: edge.spec() for key, edge in ends.outputs.items()},
            )
            for name, ends in self.signatures.items()
        }

    def run(self, signature: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Stored outputs by name.

        Args:
            signature: to call.
            inputs: an array for each of its inputs; their shapes and types are checked.

        Raises:
            RuntimeFileError: an unknown signature, an input that does not fit, or a failure inside LiteRT.
        """
        expected = self.ends(signature).inputs
        if set(inputs) != set(expected):
            raise RuntimeFileError(
                f"{self.name}: signature {signature!r} takes the inputs {', '.join(sorted(expected))}, "
                f"received {', '.join(sorted(inputs)) or 'none'}; give each of them once"
            )
        for name, edge in expected.items():
            given = inputs[name]
            if given.shape != edge.shape or given.dtype != edge.dtype:
                raise RuntimeFileError(
                    f"{self.name}: input {name!r} of {signature!r} must be {edge.dtype} {edge.shape}, "
                    f"received {given.dtype} {given.shape}; bring it to that type and shape"
                )
        return self._call(signature, inputs)

    @abstractmethod
    def _call(self, signature: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run it with inputs that fit."""


class LiteRtFile(SignatureFile):
    """One .tflite file, ready to run. Calls from several threads wait for each other.

    A file of unknown origin can crash LiteRT, and this process with it: `kdrec.runtime.foreign` runs it in another.

    Args:
        content: the file's bytes.
        name: of the file, for errors.
        num_threads: that LiteRT may use.

    Raises:
        DataError: num_threads below 1.
        RuntimeFileError: the file is cut, altered or uses an op that LiteRT does not have.
    """

    def __init__(self, content: bytes, name: str = "model.tflite", num_threads: int = 1):
        check_threads(num_threads)
        self.name = name
        self._lock = threading.Lock()
        try:
            # LiteRT crashes the process on some files that this finds; it must come first.
            parse(content)
            self._interpreter = Interpreter(model_content=content, num_threads=num_threads)
            keys = list(self._interpreter.get_signature_list())
            self._runners = {key: self._interpreter.get_signature_runner(key) for key in keys}
            self.signatures = {key: _ends(runner) for key, runner in self._runners.items()}
        except (ValueError, RuntimeError) as error:
            raise RuntimeFileError(
                f"{name} cannot be loaded: {one_line(error)}; export it again, or copy it again if it was copied"
            ) from error

    def _call(self, signature: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        try:
            with self._lock:
                return self._runners[signature](**inputs)
        except (ValueError, RuntimeError) as error:
            raise RuntimeFileError(f"{self.name}: LiteRT failed in {signature!r}: {one_line(error)}") from error


def check_threads(num_threads: int) -> None:
    """Refuse a number of threads that is none."""
    if type(num_threads) is not int or num_threads < 1:
        raise DataError(f"num_threads must be an integer of at least 1, received {num_threads!r}; use 1")


def _ends(runner: Any) -> Ends:
    return Ends(
        {name: _edge(details) for name, details in runner.get_input_details().items()},
        {name: _edge(details) for name, details in runner.get_output_details().items()},
    )


def _edge(details: Mapping[str, Any]) -> Edge:
    scale, zero_point = details["quantization"]
    return Edge(
        np.dtype(details["dtype"]), tuple(int(size) for size in details["shape"]), float(scale), int(zero_point)
    )


def one_line(error: object) -> str:
    """A message without its line breaks."""
    return re.sub(r"\s+", " ", str(error)).strip()

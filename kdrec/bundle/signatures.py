"""What a .tflite file of a bundle can be called with: signatures and tensors by name, never by order."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kdrec.bundle.fields import Field

DTYPES = ("float16", "float32", "int8", "int16", "int32", "int64", "uint8")


@dataclass(frozen=True)
class TensorSpec:
    """A tensor at the edge of a graph; quantized ones have value = scale · (stored − zero_point).

    Args:
        dtype: a numpy name, for example `int8`.
        shape: fixed sizes.
        scale: None when the tensor is not quantized.
        zero_point: None when the tensor is not quantized.
    """

    dtype: str
    shape: tuple[int, ...]
    scale: float | None = None
    zero_point: int | None = None

    def document(self) -> dict[str, Any]:
        return {
            "dtype": self.dtype,
            "shape": [int(size) for size in self.shape],
            "scale": None if self.scale is None else float(self.scale),
            "zero_point": None if self.zero_point is None else int(self.zero_point),
        }

    @classmethod
    def read(cls, entry: Field) -> "TensorSpec":
        fields = entry.only(("dtype", "shape", "scale", "zero_point"))
        quantized = fields["scale"].value is not None
        if quantized != (fields["zero_point"].value is not None):
            entry.refuse("must have both scale and zero_point or neither")
        return cls(
            dtype=fields["dtype"].one_of(DTYPES),
            shape=tuple(size.integer(1) for size in fields["shape"].elements()),
            scale=fields["scale"].positive() if quantized else None,
            zero_point=fields["zero_point"].integer() if quantized else None,
        )


@dataclass(frozen=True)
class SignatureSpec:
    """One signature: the file that has it, and its inputs and outputs by name."""

    file: str
    inputs: Mapping[str, TensorSpec]
    outputs: Mapping[str, TensorSpec]

    def document(self) -> dict[str, Any]:
        return {
            "file": self.file,
            "inputs": {name: tensor.document() for name, tensor in self.inputs.items()},
            "outputs": {name: tensor.document() for name, tensor in self.outputs.items()},
        }

    @classmethod
    def read(cls, entry: Field) -> "SignatureSpec":
        fields = entry.only(("file", "inputs", "outputs"))
        return cls(
            file=fields["file"].text(),
            inputs={name: TensorSpec.read(tensor) for name, tensor in fields["inputs"].mapping().items()},
            outputs={name: TensorSpec.read(tensor) for name, tensor in fields["outputs"].mapping().items()},
        )

"""What a recipe is: a precision, said in plain values; `kdrec.export` knows which converter settings they mean."""

from dataclasses import dataclass

from kdrec.errors import ConversionError

WEIGHTS = ("float32", "float16", "int8")
ACTIVATIONS = ("float32", "int8")


@dataclass(frozen=True)
class Recipe:
    """A precision of a file.

    Args:
        name: its file's name.
        weights: type in which tables and kernels are stored: float32, float16 or int8.
        activations: type in which the device computes: float32, or int8, which needs int8 weights and calibration.

    Raises:
        ConversionError: a type that no converter setting gives.
    """

    name: str
    weights: str
    activations: str

    def __post_init__(self) -> None:
        for role, received, known in (
            ("weights", self.weights, WEIGHTS),
            ("activations", self.activations, ACTIVATIONS),
        ):
            if received not in known:
                raise ConversionError(
                    f"{role} of recipe {self.name!r} must be one of {', '.join(known)}, not {received!r}"
                )
        if self.activations == "int8" and self.weights != "int8":
            raise ConversionError(
                f"weights of recipe {self.name!r} must be int8 for int8 activations, not {self.weights!r}; "
                "set weights='int8'"
            )

    @property
    def needs_calibration(self) -> bool:
        """Whether the ranges of activations are measured on example histories."""
        return self.activations == "int8"

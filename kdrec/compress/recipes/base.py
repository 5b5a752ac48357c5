"""What a recipe is: a precision, said in plain values; `kdrec.export` knows which converter settings they mean."""

from dataclasses import dataclass

from kdrec.errors import ConversionError

WEIGHTS = ("float32", "float16", "int8")
ACTIVATIONS = ("float32", "int8")
TABLES = (None, "int4")


@dataclass(frozen=True)
class Recipe:
    """A precision of a file.

    Args:
        name: its file's name.
        weights: type in which tables and kernels are stored: float32, float16 or int8.
        activations: type in which the device computes: float32, or int8, which needs int8 weights and calibration.
        table: type of the item tables; None: that of the weights. int4, two numbers a byte, needs int8 activations.

    Raises:
        ConversionError: a type that no converter setting gives.
    """

    name: str
    weights: str
    activations: str
    table: str | None = None

    def __post_init__(self) -> None:
        for role, received, known in (
            ("weights", self.weights, WEIGHTS),
            ("activations", self.activations, ACTIVATIONS),
            ("table", self.table, TABLES),
        ):
            if received not in known:
                raise ConversionError(
                    f"{role} of recipe {self.name!r} must be one of {', '.join(map(str, known))}, not {received!r}"
                )
        if self.activations == "int8" and self.weights != "int8":
            raise ConversionError(
                f"weights of recipe {self.name!r} must be int8 for int8 activations, not {self.weights!r}; "
                "set weights='int8'"
            )
        if self.table == "int4" and self.activations != "int8":
            raise ConversionError(
                f"table of recipe {self.name!r} must be None beside {self.activations} activations, not 'int4'; "
                "set activations='int8'"
            )

    @property
    def needs_calibration(self) -> bool:
        """Whether the ranges of activations are measured on example histories."""
        return self.activations == "int8"

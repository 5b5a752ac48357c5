"""What a recipe is: a precision, said in plain values; `kdrec.export` knows which converter settings they mean."""

from dataclasses import dataclass, field, replace

from kdrec import variants
from kdrec.errors import ConversionError

WEIGHTS = ("float32", "float16", "int8")
ACTIVATIONS = ("float32", "int8", "int16")
# Groups of matrices that may have a type of their own, and the layers of a student that hold them.
GROUPS = {
    "item_table": ("item_table", "item_scores"),
    "linear": ("linear",),
    "hidden": ("hidden",),
    "residual": ("residual",),
}
# Of a recipe that may be mixed, by its weights: the types that a group may have instead.
OTHER_TYPES = {"int8": ("int4", "float32"), "float32": ("int4", "int8")}


@dataclass(frozen=True)
class Recipe:
    """A precision of a file. Recipes that say the same are equal, whatever their names.

    Args:
        name: its file's name, or the name that `kdrec.compress.recipes.get` decodes.
        weights: type in which tables and kernels are stored: float32, float16 or int8.
        activations: type in which the device computes: float32, or with int8 weights and calibration int8 or int16.
        groups: (group, type) for each group of matrices that is stored otherwise than `weights` says.

    Raises:
        ConversionError: a type that no converter setting gives, or a mix that no runtime takes.
    """

    name: str = field(compare=False)
    weights: str
    activations: str
    groups: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        for role, received, known in (
            ("weights", self.weights, WEIGHTS),
            ("activations", self.activations, ACTIVATIONS),
        ):
            if received not in known:
                raise ConversionError(
                    f"{role} of recipe {self.name!r} must be one of {', '.join(known)}, not {received!r}"
                )
        if self.activations != "float32" and self.weights != "int8":
            raise ConversionError(
                f"weights of recipe {self.name!r} must be int8 for {self.activations} activations, not "
                f"{self.weights!r}; set weights='int8'"
            )
        if self.groups and (self.weights, self.activations) not in (("int8", "int8"), ("float32", "float32")):
            raise ConversionError(
                f"recipe {self.name!r} must begin with int8 or float32 to be mixed by layer, not with "
                f"{self.weights} weights and {self.activations} activations; begin with one of them"
            )
        for group, received in self.groups:
            if group not in GROUPS:
                raise ConversionError(f"recipe {self.name!r} has no group {group!r}; it has {', '.join(GROUPS)}")
            if received not in OTHER_TYPES[self.weights]:
                raise ConversionError(
                    f"{group} of recipe {self.name!r} must be one of {', '.join(OTHER_TYPES[self.weights])} where the "
                    f"others are {self.weights}, not {received!r}; leave the group out to have it {self.weights}, too"
                )
        given = [group for group, _ in self.groups]
        if len(set(given)) < len(given):
            raise ConversionError(
                f"recipe {self.name!r} must name a group once, not {', '.join(given)}; choose its type"
            )
        object.__setattr__(self, "groups", tuple(sorted(self.groups, key=lambda pair: list(GROUPS).index(pair[0]))))

    @property
    def needs_calibration(self) -> bool:
        """Whether the ranges of activations are measured on example histories."""
        return self.activations != "float32"

    @property
    def rewritten(self) -> tuple[tuple[str, str], ...]:
        """(group, type) of what no converter setting gives, so that export writes it itself.

        The converter gives a table that is looked up the type of activations; LiteRT multiplies int16 by int8 only.
        """
        return (("item_table", "int8"),) if self.activations == "int16" else self.groups

    def type_of(self, group: str | None) -> str:
        """The type in which a group of matrices is stored; None stands for all that are in no group.

        >>> Recipe("r", "int8", "int8", (("hidden", "int4"),)).type_of("hidden")
        'int4'
        """
        return next((kind for name, kind in self.groups if name == group), self.weights)


def group_of(layer: str) -> str | None:
    """The group that a layer's matrix belongs to, by the layer's name.

    >>> group_of("item_scores"), group_of("context_hour")
    ('item_table', None)
    """
    return next((group for group, layers in GROUPS.items() if layer in layers), None)


def mixed(base: Recipe, types: dict[str, str]) -> Recipe:
    """A recipe with other types for some groups; what the base says already is left out.

    >>> mixed(Recipe("int8", "int8", "int8"), {"hidden": "int8", "item_table": "int4"}).name
    'int8+item_table=int4'
    """
    other = tuple((group, types[group]) for group in GROUPS if group in types and types[group] != base.weights)
    return Recipe(
        "+".join([base.weights, *(f"{group}={kind}" for group, kind in other)]), base.weights, base.activations, other
    )


def decode(package: str, name: str) -> Recipe:
    """The recipe of a name: a file of the package, and behind each `+` a group with a type of its own.

    Args:
        package: the folder of recipes.
        name: `int8`, or `int8+item_table=int4+hidden=float32`; the order of the groups does not matter.

    Returns:
        The recipe; the name of a mixed one has its groups in the order of `GROUPS`.

    Raises:
        UnknownNameError: no recipe of the name before the first `+`.
        ConversionError: what follows names no group, or a type that the group cannot have there.

    >>> decode("kdrec.compress.recipes", "int8+hidden=float32+item_table=int4").name
    'int8+item_table=int4+hidden=float32'
    """
    first, *rest = name.split("+")
    base: Recipe = variants.get(package, first)
    if not rest:
        return base
    pairs = [part.partition("=") for part in rest]
    for group, equals, kind in pairs:
        if not equals or not kind:
            raise ConversionError(
                f"recipe {name!r} must have group=type behind each '+', not {group!r}; for example int8+item_table=int4"
            )
    told = Recipe(name, base.weights, base.activations, (*base.groups, *((group, kind) for group, _, kind in pairs)))
    return mixed(replace(base, groups=()), dict(told.groups))

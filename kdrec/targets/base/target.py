"""What a device is, as frozen data: its options are handed to export, its rules judge a file."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from kdrec.targets.base.estimates import Estimate, flash
from kdrec.targets.base.subject import Finding, Subject

Rule: TypeAlias = Callable[[Subject, "Target"], Iterator[Finding]]
_SHAPES_THE_FILE = ("signatures", "topk", "one_subgraph", "lookup", "max_fc_outputs", "recipes", "mixes", "oracle")
Estimator: TypeAlias = Callable[[Subject, "Target"], Estimate]


@dataclass(frozen=True, eq=False)
class Finished:
    """What a target adds to a bundle once its model is written.

    Args:
        files: content by file name.
        figures: of those files, columns of the report, by name; the manifest's metrics hold them too.
    """

    files: Mapping[str, bytes]
    figures: Mapping[str, float]


@dataclass(frozen=True)
class Target:
    """A device.

    Args:
        name: the CLI's value and the file's name.
        title: for people.
        source: where the facts come from.
        proof: what of a bundle is proven without the device, and by what.
        not_proven: what only the device can show.
        sources: of single facts, by the name of the field that holds them.
        ops: operators that the runtime has, as the TensorFlow Lite schema spells them.
        custom_ops: operators outside of that schema that the runtime has, too.
        unverified_ops: those of them that no manual at hand confirms.
        accelerated_ops: operators that an NPU beside the CPU may take; empty for a target without one.
        narrow_ops: those of them that it takes with 8 and 16 bits only.
        signatures: that the file must have.
        topk: items that the signature `recommend` returns; None when the host ranks.
        one_subgraph: whether the file may hold one graph only.
        lookup: who reads the item table for a history, `device` or `host`.
        max_fc_outputs: widest FULLY_CONNECTED; None for no limit.
        max_constant_bytes: of parameters that stay on the chip; None for no limit.
        recipe: the default, a name in `kdrec.compress.recipes`.
        recipes: all that it takes; a file of another breaks a rule, or the device refuses it.
        mixes: recipes with one group of matrices in another type, which it takes too, alone and together.
        oracle: the interpreter that stands for the device: `litert` or `tflite-micro`.
        min_runtime: the oldest runtime that a file of the default recipe was run on, and how it answered.
        rules: that a file must keep.
        advice: rules whose violation is a warning.
        estimates: what a file takes of the device.
        finish: makes further files of the written model, for example a compiled one, and figures of them.
        packages: that `finish` needs, each with the extra of kdrec that installs it.
        cores: on which a run counts what generated C costs, names in `kdrec.bench.cortex_m.machines`.
    """

    name: str
    title: str
    source: str
    proof: str
    not_proven: str
    ops: frozenset[str]
    signatures: tuple[str, ...]
    rules: tuple[Rule, ...]
    advice: tuple[Rule, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict, hash=False)
    custom_ops: frozenset[str] = frozenset()
    unverified_ops: frozenset[str] = frozenset()
    accelerated_ops: frozenset[str] = frozenset()
    narrow_ops: frozenset[str] = frozenset()
    topk: int | None = None
    one_subgraph: bool = False
    lookup: str = "device"
    max_fc_outputs: int | None = None
    max_constant_bytes: int | None = None
    recipe: str = "int8"
    recipes: tuple[str, ...] = ("int8",)
    mixes: tuple[str, ...] = ()
    oracle: str = "litert"
    min_runtime: str | None = None
    estimates: tuple[Estimator, ...] = (flash,)
    finish: Callable[[bytes], Finished] | None = None
    packages: Mapping[str, str] = field(default_factory=dict, hash=False)
    cores: tuple[str, ...] = ()

    def takes(self, recipe: str) -> bool:
        """Whether the device takes files of a recipe, by its name; of a mixed one, each part of the mix.

        >>> device = Target("d", "D", "", "", "", frozenset(), (), (), recipes=("int8",), mixes=("int8+hidden=int4",))
        >>> device.takes("int8"), device.takes("int8+hidden=int4"), device.takes("int8+hidden=int4+linear=int4")
        (True, True, False)
        """
        base, *parts = recipe.split("+")
        return base in self.recipes and all(f"{base}+{part}" in self.mixes for part in parts)

    def has_file_of(self, other: "Target") -> bool:
        """Whether export writes the same file for both: all that it is told of a device is equal, and who judges it.

        >>> from dataclasses import replace
        >>> phone = Target("phone", "Phone", "", "", "", frozenset(), ("score",), ())
        >>> phone.has_file_of(replace(phone, name="web")), phone.has_file_of(replace(phone, one_subgraph=True))
        (True, False)
        """
        return all(getattr(self, name) == getattr(other, name) for name in _SHAPES_THE_FILE)


def operators(text: str) -> frozenset[str]:
    """Operator names from a text that lists them.

    >>> sorted(operators("MUL ADD"))
    ['ADD', 'MUL']
    """
    return frozenset(text.split())

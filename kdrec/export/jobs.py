"""What export is asked for, and what it gives."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from kdrec.bundle.host import HostPart
from kdrec.bundle.signatures import SignatureSpec
from kdrec.compress.recipes.base import Recipe
from kdrec.errors import ConversionError

MODEL_FILE = "model.tflite"
SIGNATURES = ("recommend", "score", "embed")
LOOKUPS = ("device", "host")


@dataclass(frozen=True)
class ExportJob:
    """One file to write: a target's options and a recipe.

    Args:
        name: used in messages, for example the target's name.
        recipe: the precision.
        signatures: which of `recommend` (history -> the K best items), `score` (history -> all scores) and `embed`
            (history -> query vector) the file has.
        topk: K of `recommend`; a smaller catalogue gives all its items.
        one_subgraph: the file has exactly one signature, and in int8 its outputs stay int8: for devices that run
            nothing else. Otherwise outputs are float32.
        lookup: who reads the item table for the history: the `device`, or the `host` of an accelerator.
        max_fc_outputs: widest FULLY_CONNECTED of the device; a longer catalogue is scored in parts, `scores_0` ….

    Raises:
        ConversionError: options that contradict each other.
    """

    name: str
    recipe: Recipe
    signatures: tuple[str, ...] = SIGNATURES
    topk: int | None = 100
    one_subgraph: bool = False
    lookup: str = "device"
    max_fc_outputs: int | None = None

    def __post_init__(self) -> None:
        unknown = [name for name in self.signatures if name not in SIGNATURES]
        if unknown or not self.signatures:
            self._refuse("signatures", f"must be some of {', '.join(SIGNATURES)}", self.signatures)
        if self.lookup not in LOOKUPS:
            self._refuse("lookup", f"must be one of {', '.join(LOOKUPS)}", self.lookup)
        if self.one_subgraph and len(self.signatures) != 1:
            self._refuse("signatures", "must be exactly one when one_subgraph is set", self.signatures)
        if "recommend" in self.signatures and (self.topk is None or self.topk < 1):
            self._refuse("topk", "must be at least 1 for signature recommend", self.topk)
        if self.lookup == "host" and self.signatures != ("score",):
            self._refuse("signatures", "must be ('score',) when the host looks up the history", self.signatures)
        if self.lookup == "host" and self.recipe.activations != "int8":
            self._refuse("recipe", "must compute in int8 when the host looks up the history", self.recipe.name)
        if self.max_fc_outputs is not None and self.max_fc_outputs < 1:
            self._refuse("max_fc_outputs", "must be at least 1 or None", self.max_fc_outputs)

    def _refuse(self, argument: str, rule: str, received: object) -> None:
        raise ConversionError(
            f"{argument} of export job {self.name!r} {rule}, not {received!r}; change the target's options"
        )


@dataclass(frozen=True, eq=False)
class Exported:
    """What one job gave.

    Args:
        job: the job.
        files: bytes by file name: `model.tflite`, and with a host its tables as .npy.
        signatures: inputs and outputs of `model.tflite` by name, as a manifest holds them.
        host: what the host computes; None when the device does everything.
        moved: steps by which rewriting moved each output, by "signature/output".
    """

    job: ExportJob
    files: Mapping[str, bytes]
    signatures: Mapping[str, SignatureSpec]
    host: HostPart | None = None
    moved: Mapping[str, float] = field(default_factory=dict)

    @property
    def model(self) -> bytes:
        return self.files[MODEL_FILE]


Calls = list[dict[str, np.ndarray]]

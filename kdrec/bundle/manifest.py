"""manifest.json: what a bundle holds, for which device, and how its files are called and checked."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kdrec.bundle import runtimes
from kdrec.bundle.checksum import Checksum, is_plain_name
from kdrec.bundle.fields import Field, parse
from kdrec.bundle.host import HostPart
from kdrec.bundle.signatures import SignatureSpec
from kdrec.errors import BundleError
from kdrec.files import sha256_of
from kdrec.tflite.oldest_runtime import MeasuredRuntime

SCHEMA = 2  # 2: the file knows a part of the log's items; a bundle that knows them all is still written as 1
NAME = "manifest.json"
ITEMS = "items.json"
GOLDEN = "golden.json"
ORACLES = ("litert", "tflite-micro")

_FIELDS = (
    "schema", "name", "target", "recipe", "kdrec", "libraries", "data", "history", "context", "files", "signatures",
    "host", "metrics", "oracle",
)  # fmt: skip


@dataclass(frozen=True)
class DataSource:
    """The data that a bundle was made from.

    Args:
        name: of the data.
        fingerprint: hex.
        n_items: that the file scores.
        log_items: that the log has, where these are more; None where they are the same.
    """

    name: str
    fingerprint: str
    n_items: int
    log_items: int | None = None


@dataclass(frozen=True)
class HistoryInput:
    """How a device gives a history: its last `length` items, right-aligned, padded with token 0.

    Args:
        length: tokens that the file takes.
        ordered: whether their order counts.
        rare: the token that the rare items of items.json share; None where there are none.
    """

    length: int
    ordered: bool
    rare: int | None = None


@dataclass(frozen=True)
class Manifest:
    """A bundle's manifest; equal manifests are equal bytes.

    Args:
        name: of the model, for example the data set's name.
        target: the device, a name in `kdrec.targets`.
        recipe: the precision, a name in `kdrec.compress.recipes`.
        kdrec: version that wrote the bundle.
        libraries: version of each library that took part, by name.
        data: what it was made from.
        history: the input every target has.
        context: the values of each context feature, by name; value i is token i + 1, token 0 is unknown.
        files: checksum of each file of the bundle but the manifest.
        signatures: what can be called, by name.
        oracle: the interpreter that gave the golden vectors and judges the file: `litert` or `tflite-micro`.
        host: what the host of an Edge TPU computes; None on other targets.
        metrics: what evaluation said of the written file, by name.
        runtime: the Python packages, on x86-64, from which on files with these operators answered with nearly the same
            lists, and to the bit; None, and no such field, where one of them was not run on old packages, and where
            the oracle is not LiteRT. The field raises no schema: no kdrec that would refuse it was released.

    Raises:
        BundleError: `from_json` checks every field and names the first that is wrong.
    """

    name: str
    target: str
    recipe: str
    kdrec: str
    libraries: Mapping[str, str]
    data: DataSource
    history: HistoryInput
    context: Mapping[str, tuple[int | str, ...]]
    files: Mapping[str, Checksum]
    signatures: Mapping[str, SignatureSpec]
    oracle: str
    host: HostPart | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    runtime: MeasuredRuntime | None = None

    def to_json(self) -> bytes:
        """The bytes of manifest.json: sorted keys, one field a line, no time stamp."""
        data, history = (
            {name: value for name, value in vars(part).items() if value is not None}
            for part in (self.data, self.history)
        )
        document: dict[str, Any] = {
            "schema": 1 if self.data.log_items is None else 2,
            "name": self.name,
            "target": self.target,
            "recipe": self.recipe,
            "kdrec": self.kdrec,
            "libraries": dict(self.libraries),
            "data": data,
            "history": {**history, "padding": 0, "alignment": "right"},
            "context": {name: list(values) for name, values in self.context.items()},
            "files": {name: vars(checksum) for name, checksum in self.files.items()},
            "signatures": {name: signature.document() for name, signature in self.signatures.items()},
            "host": self.host.document() if self.host else None,
            "metrics": {name: _finite(name, value) for name, value in self.metrics.items()},
            "oracle": self.oracle,
        }
        if self.runtime is not None:
            document["runtime"] = runtimes.document(self.runtime)
        document["sha256"] = seal(document)
        return (json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()

    @classmethod
    def from_json(cls, content: bytes) -> "Manifest":
        root = parse(NAME, content)
        check_schema(root)
        is_sealed = "sha256" in root.mapping()  # bundles of the first versions are not
        is_measured = "runtime" in root.mapping()
        root.only((*_FIELDS, *(["sha256"] if is_sealed else []), *(["runtime"] if is_measured else [])))
        data, history = root.key("data"), root.key("history")
        is_cut = root.key("schema").value == 2
        data.only(("name", "fingerprint", "n_items", *(["log_items"] if is_cut else [])))
        n_items = data.key("n_items").integer(1)
        has_rare = is_cut and "rare" in history.mapping()
        history.only(("length", "ordered", "padding", "alignment", *(["rare"] if has_rare else [])))
        history.key("padding").equal(0)
        history.key("alignment").equal("right")
        length = history.key("length").integer(1)
        host = root.key("host")
        manifest = cls(
            name=root.key("name").text(),
            target=root.key("target").text(),
            recipe=root.key("recipe").text(),
            kdrec=root.key("kdrec").text(),
            libraries={name: version.text() for name, version in root.key("libraries").mapping().items()},
            data=DataSource(
                data.key("name").text(),
                data.key("fingerprint").text(),
                n_items,
                data.key("log_items").integer(n_items + 1) if is_cut else None,
            ),
            history=HistoryInput(
                length, history.key("ordered").boolean(), history.key("rare").equal(n_items + 1) if has_rare else None
            ),
            context={name: _values(values) for name, values in root.key("context").mapping().items()},
            files={name: _checksum(name, entry) for name, entry in root.key("files").mapping().items()},
            signatures={
                name: SignatureSpec.read(signature) for name, signature in root.key("signatures").mapping().items()
            },
            oracle=root.key("oracle").one_of(ORACLES),
            host=None if host.value is None else HostPart.read(host, length),
            metrics={name: value.number() for name, value in root.key("metrics").mapping().items()},
            runtime=runtimes.read(root.key("runtime")) if is_measured else None,
        )
        manifest._check_files(root)
        if is_sealed and root.key("sha256").digest() != seal(root.value):
            root.key("sha256").refuse(f"must be that of the other fields, {seal(root.value)[:12]}…")
        return manifest

    def _check_files(self, root: Field) -> None:
        """Every file that the manifest speaks of is listed with a checksum."""
        needed = {ITEMS, GOLDEN} | {signature.file for signature in self.signatures.values()}
        if self.host:
            needed |= self.host.files()
        missing = sorted(needed - set(self.files))
        if missing:
            root.key("files").refuse(f"must list {missing[0]}")
        if "score" not in self.signatures:
            root.key("signatures").refuse("must have 'score'")


def seal(document: Mapping[str, Any]) -> str:
    """The sha256 of a manifest's content, however it is laid out: one changed digit would change a list unnoticed.

    It finds what was altered by accident; who alters a bundle on purpose can write a fitting one.
    """
    content = {name: value for name, value in document.items() if name != "sha256"}
    return sha256_of(json.dumps(content, sort_keys=True).encode())


def check_schema(root: Field) -> None:
    """A newer schema is no altered file: the message says to update."""
    schema = root.key("schema").integer(1)
    if schema > SCHEMA:
        raise BundleError(
            f"{root.file} has schema {schema}, a newer schema than {SCHEMA}, which this version reads: update kdrec"
        )


def _finite(name: str, value: float) -> float:
    if not math.isfinite(value):
        raise BundleError(f"metrics must be finite numbers, {name} is {value}: leave an undefined metric out")
    return float(value)


def _values(values: Field) -> tuple[int | str, ...]:
    for value in values.elements():
        if type(value.value) not in (int, str):
            value.refuse("must be an integer or a text")
    return tuple(values.value)


def _checksum(name: str, entry: Field) -> Checksum:
    if not is_plain_name(name) or name == NAME:
        Field(entry.file, "files", name).refuse("must name files of the bundle's own folder, without any path")
    entry.only(("bytes", "sha256"))
    return Checksum(entry.key("bytes").integer(0), entry.key("sha256").digest())

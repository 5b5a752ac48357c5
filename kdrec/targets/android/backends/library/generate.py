"""A Gradle project for Android: a library module with a bundle in its assets, an app, samples in C and for the JVM."""

from importlib.resources import files
from importlib.resources.abc import Traversable

from kdrec.bundle.manifest import GOLDEN, ITEMS, NAME, Manifest
from kdrec.bundle.read import Bundle
from kdrec.errors import TargetError
from kdrec.targets.android.backends.library.golden import golden_h

ASSETS = "recommender/src/main/assets/recommender"
DEBUG_ASSETS = "app/src/debug/assets/recommender"  # golden vectors: a debug build compares itself with them
ENDS = {"recommend": {"items": "int32", "scores": "float32"}, "score": {"scores": "float32"}}
WAY_OUT = "run kdrec with --target android and recipe int8"


def library(content: bytes, bundle: Bundle | None = None) -> dict[str, bytes]:
    """A recommender for Android, to be lifted into an app: Kotlin over LiteRT's CompiledModel, and a sample app.

    Args:
        content: of the bundle's model.
        bundle: that it is from.

    Returns:
        Content by path: the module `recommender`, the module `app`, `samples/c`, `samples/jvm`, and Gradle's files.

    Raises:
        TargetError: a .tflite file without its bundle, or one whose signatures the Kotlin code does not read.
    """
    if bundle is None:
        raise TargetError(
            f"the generator library needs titles, popular items and checksums: give the folder of a bundle, {WAY_OUT}"
        )
    _check(bundle.manifest)
    written = dict(_templates())
    for name in {signature.file for signature in bundle.manifest.signatures.values()} | {ITEMS}:
        written[f"{ASSETS}/{name}"] = bundle.files[name]
    written[f"{ASSETS}/{NAME}"] = bundle.manifest.to_json()
    written[f"{DEBUG_ASSETS}/{GOLDEN}"] = bundle.files[GOLDEN]
    written["samples/c/golden.h"] = golden_h(bundle)
    return written


def _templates() -> dict[str, bytes]:
    """Every file of the folder `project`, by its path there."""
    found: dict[str, bytes] = {}

    def walk(folder: Traversable, path: str) -> None:
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
            if entry.is_dir():
                walk(entry, f"{path}{entry.name}/")
            else:
                found[path + entry.name] = entry.read_bytes()

    walk(files("kdrec.targets.android.backends.library").joinpath("project"), "")
    return found


def _check(manifest: Manifest) -> None:
    """LiteRT's Kotlin API reads float32, int32 and int8; the code here wants scores that need no scale."""
    for name, outputs in ENDS.items():
        signature = manifest.signatures.get(name)
        if signature is None:
            raise TargetError(f"the bundle must have the signature {name!r} for the generator library; {WAY_OUT}")
        for end, dtype in outputs.items():
            if end not in signature.outputs or signature.outputs[end].dtype != dtype:
                received = signature.outputs[end].dtype if end in signature.outputs else "nothing"
                raise TargetError(
                    f"signature {name!r} must return {end!r} in {dtype} for the generator library, it returns "
                    f"{received}; {WAY_OUT}"
                )
        for end, tensor in signature.inputs.items():
            if tensor.dtype != "int32":
                raise TargetError(
                    f"signature {name!r} must take {end!r} in int32 for the generator library, it takes "
                    f"{tensor.dtype}; {WAY_OUT}"
                )

"""The runtimes from which on a bundle's file answers, as its manifest has them."""

from typing import Any

from kdrec.bundle.fields import Field
from kdrec.tflite.oldest_runtime import MeasuredRuntime, Runtime

NAMES = ("runs_from", "equal_from")


def document(measured: MeasuredRuntime) -> dict[str, Any]:
    """The field `runtime` of a manifest.

    >>> document(MeasuredRuntime(Runtime("tflite-runtime", "2.14.0"), Runtime("ai-edge-litert", "2.0.3")))["runs_from"]
    {'package': 'tflite-runtime', 'version': '2.14.0'}
    """
    return {name: vars(getattr(measured, name)) for name in NAMES}


def read(entry: Field) -> MeasuredRuntime:
    """The same back, each field checked."""
    entry.only(NAMES)
    return MeasuredRuntime(*(_runtime(entry.key(name)) for name in NAMES))


def _runtime(entry: Field) -> Runtime:
    entry.only(("package", "version"))
    return Runtime(entry.key("package").text(), entry.key("version").text())

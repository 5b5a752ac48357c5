"""Code for a device that is generated from its file: `kdrec/targets/<target>/backends/<name>`."""

from collections.abc import Callable
from importlib.util import find_spec
from typing import TypeAlias

from kdrec import variants
from kdrec.bundle.read import Bundle
from kdrec.errors import UnknownNameError

# Of a file's bytes and, if it is from one, its bundle: content by file name.
Backend: TypeAlias = Callable[[bytes, Bundle | None], dict[str, bytes]]


def backend(target: str, name: str) -> Backend:
    """A generator of a device.

    Raises:
        UnknownNameError: no such device, or it has no generator of that name.

    >>> backend("micro", "c").__name__
    'c'
    """
    return variants.get(_home(target), name)


def first(target: str) -> str:
    """The generator that a device has when none is asked for.

    Raises:
        UnknownNameError: no such device, or it has no generator.

    >>> first("micro")
    'c'
    """
    return variants.names(_home(target))[0]


def _home(target: str) -> str:
    home, device = f"kdrec.targets.{target.replace('-', '_')}", variants.get("kdrec.targets", target)
    if find_spec(home).submodule_search_locations is None or find_spec(f"{home}.backends") is None:  # type: ignore[union-attr]
        raise UnknownNameError(f"target {device.name} has no generator of code; give its device the bundle")
    return f"{home}.backends"

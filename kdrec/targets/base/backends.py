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
    home = f"kdrec.targets.{target.replace('-', '_')}"
    device = variants.get("kdrec.targets", target)
    if find_spec(home).submodule_search_locations is None or find_spec(f"{home}.backends") is None:  # type: ignore[union-attr]
        raise UnknownNameError(
            f"target {device.name} has no generator of code, so no {name!r}; give its device the bundle"
        )
    return variants.get(f"{home}.backends", name)

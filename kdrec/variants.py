"""Folders that hold variants: one module a variant, its file name the variant's name."""

import pkgutil
from importlib import import_module
from typing import Any

from kdrec.errors import UnknownNameError


def names(package: str) -> list[str]:
    """The variants in a package, sorted: its modules but for `base`.

    >>> "int8" in names("kdrec.compress.recipes")
    True
    """
    paths = import_module(package).__path__
    return sorted(module.name for module in pkgutil.iter_modules(paths) if module.name != "base")


def get(package: str, name: str) -> Any:
    """The attribute `name` of `<package>/<name>.py`; dashes in the name stand for underscores.

    Raises:
        UnknownNameError: no module of that name; the message lists those that exist.
    """
    module = name.replace("-", "_")
    known = names(package)
    if module not in known:
        kind = package.rpartition(".")[2]
        raise UnknownNameError(f"{kind} has no {name!r}; it has {', '.join(known)}")
    return getattr(import_module(f"{package}.{module}"), module)

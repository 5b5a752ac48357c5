"""The files of a teacher cache: arrays that are written and read memory-mapped."""

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import open_memmap

from kdrec.errors import BundleError


def allocated(path: Path, dtype: Any, shape: tuple[int, ...]) -> np.ndarray:
    """A new file, memory-mapped, its space taken at once: without any left, a later write would kill the process."""
    array = open_memmap(path, mode="w+", dtype=dtype, shape=shape)
    allocate = getattr(os, "posix_fallocate", None)
    if allocate is not None:
        with open(path, "r+b") as file:
            allocate(file.fileno(), 0, path.stat().st_size)
    return array


def mapped(path: Path, expected: dict[str, Any]) -> np.ndarray:
    """A field's file, memory-mapped, if it is what meta.json says."""
    try:
        array = open_memmap(path, mode="r")
    except (OSError, ValueError, EOFError) as error:
        raise BundleError(f"teacher cache file {path} cannot be read: {error}; write the cache again") from error
    found = described(array)
    if found != expected:
        raise BundleError(f"teacher cache file {path} must be {expected}, and is {found}; write the cache again")
    return array


def described(array: np.ndarray) -> dict[str, Any]:
    """What meta.json says of an array."""
    return {"dtype": str(array.dtype), "shape": list(array.shape)}

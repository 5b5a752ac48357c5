"""Logs and splits as a folder of .npy files, read memory-mapped; strings as UTF-8 bytes and offsets."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from kdrec.data.features import KINDS, FeatureTable
from kdrec.data.vocabularies import read_only
from kdrec.errors import DataError
from kdrec.files import atomic_folder, canonical_json

SCHEMA = 1
PAIRS = ("users", "items", "times", "ratings", "weights")
IDS = ("user_ids", "item_ids")
TABLES = ("user_features", "item_features")


def pair_arrays(log: Any) -> dict[str, np.ndarray]:
    """The arrays of a log that have one row a pair; a context column as `context/categorical/<array>/<name>`."""
    arrays = {name: getattr(log, name) for name in PAIRS if getattr(log, name) is not None}
    return arrays | table_arrays("context", log.context)


def shared_arrays(log: Any) -> dict[str, np.ndarray]:
    """The arrays that the parts of a split share: vocabularies and feature tables."""
    arrays = {name: getattr(log, name) for name in IDS}
    for table in TABLES:
        arrays |= table_arrays(table, getattr(log, table) or {})
    return arrays


def table_arrays(table: str, features: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The arrays of features, as `<table>/<kind>/<array>/<feature name>`."""
    return {
        f"{table}/{feature.kind}/{part}/{name}": array
        for name, feature in features.items()
        for part, array in feature.arrays().items()
    }


def pair_fields(arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """The reverse of `pair_arrays`, as arguments of `Interactions`."""
    return {name: arrays.get(name) for name in PAIRS} | {"context": features_of("context", arrays)}


def shared_fields(arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """The reverse of `shared_arrays`, as arguments of `Interactions`."""
    tables = {table: features_of(table, arrays) for table in TABLES}
    return {name: read_only(arrays[name]) for name in IDS} | {
        name: FeatureTable(features) if features else None for name, features in tables.items()
    }


def features_of(table: str, arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """The features whose arrays stand under `<table>/`, in their order."""
    parts: dict[tuple[str, str], dict[str, np.ndarray]] = {}
    for key, array in arrays.items():
        if key.startswith(f"{table}/"):
            _, kind, part, name = key.split("/", 3)
            parts.setdefault((name, kind), {})[part] = array
    return {name: KINDS[kind](**pieces) for (name, kind), pieces in parts.items()}


def write(folder: str | Path, content: str, arrays: Mapping[str, np.ndarray], extra: Mapping[str, Any]) -> None:
    """Write arrays and a few JSON values as a folder, which takes its place whole or not at all."""
    with atomic_folder(folder) as fresh:
        listed = []
        for number, (name, array) in enumerate(arrays.items()):
            strings = array.dtype == object
            for suffix, part in (strings_as_bytes(array) if strings else {"": array}).items():
                np.save(fresh / f"{number:03d}{suffix}.npy", part, allow_pickle=False)
            listed.append([name, "strings" if strings else "numbers"])
        meta = {"schema": SCHEMA, "content": content, "arrays": listed, **extra}
        (fresh / "meta.json").write_text(canonical_json(meta))


def read(folder: str | Path, content: str) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """What `write` wrote: arrays (numbers are memory-mapped) and the JSON values.

    Raises:
        DataError: the folder holds something else, lacks a file, or a file is damaged.
    """
    folder = Path(folder)
    try:
        meta = json.loads((folder / "meta.json").read_text())
        if (meta["schema"], meta["content"]) != (SCHEMA, content):
            raise DataError(
                f"{folder} must hold {content} of schema {SCHEMA}, not {meta['content']} of schema {meta['schema']}; "
                f"write it again with this version"
            )
        arrays = {}
        for number, (name, kind) in enumerate(meta["arrays"]):
            if kind == "strings":
                utf8, offsets = (mapped(folder / f"{number:03d}.{part}.npy") for part in ("utf8", "offsets"))
                arrays[name] = bytes_as_strings(utf8, offsets)
            else:
                arrays[name] = mapped(folder / f"{number:03d}.npy")
        return arrays, meta
    except (OSError, ValueError, KeyError, TypeError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(
            f"{folder} must be a folder that save() wrote, and is not whole ({error}); save it again"
        ) from error


def mapped(path: Path) -> np.ndarray:
    """A .npy file as an array that stays on disk; an empty one cannot be mapped and is read."""
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except ValueError:
        return np.load(path, allow_pickle=False)


def strings_as_bytes(strings: Iterable[str]) -> dict[str, np.ndarray]:
    """Strings as {".utf8": uint8, ".offsets": int64}: string i is utf8[offsets[i]:offsets[i + 1]]."""
    encoded = [text.encode() for text in strings]
    offsets = np.cumsum([0, *(len(text) for text in encoded)], dtype=np.int64)
    return {".utf8": np.frombuffer(b"".join(encoded), dtype=np.uint8), ".offsets": offsets}


def bytes_as_strings(utf8: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """The reverse of `strings_as_bytes`, (n,) str objects."""
    content = utf8.tobytes()
    strings = np.empty(len(offsets) - 1, dtype=object)
    bounds = offsets.tolist()
    strings[:] = [content[start:end].decode() for start, end in zip(bounds[:-1], bounds[1:], strict=True)]
    return strings


def digest(arrays: Mapping[str, np.ndarray]) -> str:
    """sha256, in hex, of names, types, shapes and content."""
    total = hashlib.sha256()
    for name, array in arrays.items():
        parts = strings_as_bytes(array) if array.dtype == object else {"": array}
        for suffix, part in parts.items():
            total.update(f"{name}{suffix} {part.dtype.str} {part.shape};".encode())
            total.update(np.ascontiguousarray(part).reshape(-1).view(np.uint8).data)
    return total.hexdigest()

"""Files are written beside and renamed, so that a crash leaves the old file or the new one, never half of one."""

import ctypes
import errno
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kdrec.errors import OutputError


@contextmanager
def naming_full_disk(path: Path) -> Iterator[None]:
    """Turn the system's 'no space left' into an error that names what was being written."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise OutputError(
                f"no space left to write {path}; nothing was replaced: free some space and run the same command again"
            ) from error
        raise


def atomic_write(path: str | Path, content: bytes | str) -> None:
    """Write a file beside its place and rename it there."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content.encode() if isinstance(content, str) else content
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with naming_full_disk(path):
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(name, 0o644)
            os.replace(name, path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


@contextmanager
def atomic_folder(path: str | Path) -> Iterator[Path]:
    """Yield an empty folder beside `path`; on success it takes the place of `path`, on an error nothing changes."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    with naming_full_disk(path):
        try:
            yield fresh
            os.chmod(fresh, 0o755)
            if not path.exists() or not _exchange(fresh, path):
                _move_into_place(fresh, path)
            else:
                shutil.rmtree(fresh)
        except BaseException:
            shutil.rmtree(fresh, ignore_errors=True)
            raise


def _exchange(first: Path, second: Path) -> bool:
    """Swap two folders in one step of the file system, where it can: Linux's renameat2 with RENAME_EXCHANGE."""
    here, exchange = -100, 2
    swap = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    return swap is not None and swap(here, os.fsencode(first), here, os.fsencode(second), exchange) == 0


def _move_into_place(fresh: Path, path: Path) -> None:
    """Rename a folder to a place that is free, or is made free by renaming what stands there aside."""
    if not path.exists():
        os.replace(fresh, path)
        return
    aside = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.old."))
    os.replace(path, aside / path.name)
    try:
        os.replace(fresh, path)
    except BaseException:
        os.replace(aside / path.name, path)
        raise
    finally:
        shutil.rmtree(aside)


def sha256_of(source: bytes | str | Path) -> str:
    """The sha256, in hex, of bytes or of a file's content (read in chunks).

    >>> sha256_of(b"")[:8]
    'e3b0c442'
    """
    if isinstance(source, bytes):
        return hashlib.sha256(source).hexdigest()
    with open(source, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def canonical_json(value: Any) -> str:
    """JSON with sorted keys and no free choice of spaces: equal values, equal bytes.

    >>> canonical_json({"b": 1, "a": [1, 2]})
    '{"a":[1,2],"b":1}'
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def replace_folder(folder: str | Path, files: Mapping[str, bytes], kept: Collection[str] = ()) -> None:
    """Write files as the only ones of a folder, all of them or none; older ones of these names are replaced.

    Args:
        folder: where to.
        files: content by path below it, with `/` between the parts.
        kept: names of files or folders that somebody else may have put there; they stay as they are.

    Raises:
        OutputError: the folder holds something else, or no space is left.
    """
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} is a file, not a folder to write to: give another output folder")
    there = sorted(folder.iterdir()) if folder.exists() else []
    held = (path.relative_to(folder) for path in folder.rglob("*") if not path.is_dir())
    foreign = sorted(path.as_posix() for path in held if path.as_posix() not in files and path.parts[0] not in kept)
    if foreign:
        raise OutputError(
            f"{folder} holds something else, for example {foreign[0]}, and would lose it: give another output folder"
        )
    with atomic_folder(folder) as fresh:
        for name, content in files.items():
            (fresh / name).parent.mkdir(parents=True, exist_ok=True)
            (fresh / name).write_bytes(content)
        for path in there:  # copied, so that an error still changes nothing
            if path.name in kept and path.is_dir():
                shutil.copytree(path, fresh / path.name, symlinks=True)
            elif path.name in kept:
                shutil.copy2(path, fresh / path.name)

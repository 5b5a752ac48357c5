"""Sizes and sha256 of the files of a bundle: noted when it is written, compared before anything is loaded."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kdrec.errors import BundleError
from kdrec.files import sha256_of

PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")


@dataclass(frozen=True)
class Checksum:
    """What a file must be: its size in bytes and its sha256 in hex."""

    bytes: int
    sha256: str


def is_plain_name(name: str) -> bool:
    """Whether a name stays inside the folder: letters, digits, `.`, `_`, `-`; no separator, no leading dot.

    >>> is_plain_name("model.tflite"), is_plain_name("../model.tflite")
    (True, False)
    """
    return PLAIN_NAME.fullmatch(name) is not None


def checksum(content: bytes) -> Checksum:
    """The checksum of a file's content.

    >>> checksum(b"abc").bytes
    3
    """
    return Checksum(len(content), sha256_of(content))


def read_verified(folder: Path, checksums: Mapping[str, Checksum]) -> dict[str, bytes]:
    """The content of every file listed, each compared with its size and sha256.

    What is returned is what was hashed, so that nothing can change in between.

    Args:
        folder: of the bundle.
        checksums: by file name; the names are plain.

    Raises:
        BundleError: a file is missing or differs; the message names it.
    """
    contents = {}
    for name, expected in sorted(checksums.items()):
        path = folder / name
        if not path.is_file():
            raise BundleError(
                f"{path} is missing, though the bundle's manifest lists it; copy the whole folder or export it again"
            )
        size = path.stat().st_size
        if size != expected.bytes:
            raise BundleError(
                f"{path} must have {expected.bytes} bytes, received {size}: it was cut or replaced; "
                f"copy the bundle again or export it again"
            )
        content = path.read_bytes()
        if checksum(content) != expected:
            raise BundleError(
                f"{path} was altered: its sha256 must be {expected.sha256[:12]}…, received "
                f"{sha256_of(content)[:12]}…; copy the bundle again or export it again"
            )
        contents[name] = content
    return contents

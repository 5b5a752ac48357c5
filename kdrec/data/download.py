"""Files from a publisher, taken only when their checksum is the published one."""

import hashlib
import io
import urllib.request
import zipfile
from pathlib import Path

from kdrec.errors import DataError
from kdrec.files import atomic_folder, atomic_write

TIMEOUT = 60  # seconds without a byte


def fetch(url: str, target: str | Path, *, md5: str | None = None, sha256: str | None = None) -> Path:
    """Download a file; a target that already has the checksum is left as it is.

    Args:
        url: https, http or file.
        target: where the file is written, whole or not at all.
        md5, sha256: the published checksum in hex, exactly one of them.

    Returns:
        The target.

    Raises:
        DataError: the address does not answer, or the checksum is another.
    """
    if (md5 is None) == (sha256 is None):
        raise DataError("fetch must be given md5= or sha256=, exactly one; take it from the publisher's page")
    method, published = ("md5", md5) if md5 else ("sha256", str(sha256))
    target = Path(target)
    if target.is_file() and hashlib.new(method, target.read_bytes()).hexdigest() == published:
        return target
    content = downloaded(url)
    found = hashlib.new(method, content).hexdigest()
    if found != published:
        raise DataError(
            f"{url} must have the {method} {published}, and has {found}; nothing was written: download it again, "
            f"or from the publisher's page by hand"
        )
    atomic_write(target, content)
    return target


def fetch_zip(url: str, folder: str | Path, *, md5: str) -> None:
    """Download a .zip whose files lie in one folder, and make that folder.

    Args:
        url: of the .zip.
        folder: what its one folder becomes; must be absent or empty.
        md5: the published checksum, in hex.

    Raises:
        DataError: as of `fetch`, or the folder holds something.
    """
    folder = Path(folder)
    if folder.exists() and any(folder.iterdir()):
        raise DataError(f"{folder} must be absent or empty to download into, and holds files; give another folder")
    with atomic_folder(folder) as fresh:
        archive = fetch(url, fresh / "archive.zip", md5=md5)
        with zipfile.ZipFile(io.BytesIO(archive.read_bytes())) as files:
            for name in files.namelist():
                if not name.endswith("/"):
                    (fresh / Path(name).name).write_bytes(files.read(name))
        archive.unlink()


def downloaded(url: str) -> bytes:
    """The content at an address."""
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT) as answer:
            return answer.read()
    except (OSError, ValueError) as error:
        raise DataError(
            f"{url} cannot be downloaded ({error}); download it by hand, unpack it and give data_dir="
        ) from error

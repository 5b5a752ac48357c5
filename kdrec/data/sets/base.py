"""What the sets that a user has on disk share: which files their folder must hold."""

from collections.abc import Sequence
from pathlib import Path

from kdrec.data.download import fetch_zip
from kdrec.errors import DataError


def folder_of(
    name: str,
    data_dir: str | Path | None,
    files: Sequence[str],
    layout: str,
    source: tuple[str, str] | None = None,
) -> Path:
    """The folder of a data set, which holds all of its files.

    Args:
        name: of the set, for errors.
        data_dir: the folder.
        files: names that must exist; of `a or b` one is enough.
        layout: what the folder looks like, for errors.
        source: address and md5 of the .zip to download when a file is missing; None downloads nothing.

    Raises:
        DataError: no folder given, a file missing, or the download failed.
    """
    if data_dir is None:
        raise DataError(f"data_dir must be given for {name}: a folder with {layout}")
    folder = Path(data_dir)
    if missing(folder, files) and source is not None:
        fetch_zip(source[0], folder, md5=source[1])
    if absent := missing(folder, files):
        raise DataError(f"data_dir={str(folder)!r} has no {', '.join(absent)}; {name} is a folder with {layout}")
    return folder


def missing(folder: Path, files: Sequence[str]) -> list[str]:
    """The files that the folder lacks."""
    return [entry for entry in files if not any((folder / name).is_file() for name in entry.split(" or "))]

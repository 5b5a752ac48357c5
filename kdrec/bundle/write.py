"""Writing a bundle: all of it or nothing."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from kdrec.bundle.checksum import checksum
from kdrec.bundle.fields import parse
from kdrec.bundle.manifest import NAME, Manifest
from kdrec.errors import BundleError, OutputError
from kdrec.files import atomic_folder


def write_bundle(folder: str | Path, files: Mapping[str, bytes], manifest: Manifest) -> Manifest:
    """Write the files and their manifest beside `folder` and rename them there; an older bundle is replaced.

    Equal arguments give equal bytes.

    Args:
        folder: of the bundle.
        files: content by file name, manifest.json left out; items.json and golden.json are among them.
        manifest: its `files` are filled in here.

    Returns:
        The manifest as written.

    Raises:
        BundleError: a field of the manifest is wrong, or it speaks of a file that is not given.
        OutputError: `folder` holds something else than a bundle, or no space is left.
    """
    folder = Path(folder)
    check_replaceable(folder)
    complete = replace(manifest, files={name: checksum(content) for name, content in sorted(files.items())})
    content = complete.to_json()
    written = Manifest.from_json(content)
    with atomic_folder(folder) as fresh:
        for name, data in files.items():
            (fresh / name).write_bytes(data)
        (fresh / NAME).write_bytes(content)
    return written


def check_replaceable(folder: str | Path) -> None:
    """A folder may be replaced when it is absent, empty, or a bundle with no file of somebody else.

    Raises:
        OutputError: it holds something else; the message names it.
    """
    folder = Path(folder)
    if not folder.exists():
        return
    if not folder.is_dir():
        raise OutputError(f"{folder} is a file, not a folder for a bundle: give another output folder")
    own = _own_names(folder)
    foreign = sorted(path.name for path in folder.iterdir() if path.name not in own)
    if foreign:
        raise OutputError(
            f"{folder} is an output folder that holds something else, for example {foreign[0]}, and would lose it: "
            f"give another output folder or move its content away"
        )


def _own_names(folder: Path) -> set[str]:
    """The files that the manifest in a folder lists, and itself; none when there is no manifest of a bundle."""
    path = folder / NAME
    if not path.is_file():
        return set()
    try:
        return {NAME, *parse(NAME, path.read_bytes()).key("files").mapping()}
    except BundleError:
        return set()

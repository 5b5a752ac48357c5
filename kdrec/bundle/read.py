"""Reading a bundle: nothing of it is used before every file has been compared with the manifest."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kdrec.bundle.checksum import read_verified
from kdrec.bundle.items import Items
from kdrec.bundle.manifest import ITEMS, NAME, Manifest
from kdrec.errors import BundleError


@dataclass(frozen=True, eq=False)
class Bundle:
    """A verified bundle.

    Args:
        folder: where it was read.
        manifest: what it holds.
        items: its catalogue.
        files: the content of each file listed, by name: the bytes that were verified.
    """

    folder: Path
    manifest: Manifest
    items: Items
    files: Mapping[str, bytes]


def open_bundle(folder: str | Path) -> Bundle:
    """Verify and read a bundle.

    Args:
        folder: that `write_bundle` wrote.

    Raises:
        BundleError: no bundle, a newer schema, a wrong field, or a file that is missing, cut or altered.
    """
    folder = Path(folder)
    path = folder / NAME
    if not path.is_file():
        raise BundleError(f"{folder} is no bundle: it has no {NAME}; give a folder that `kdrec run` wrote")
    manifest = Manifest.from_json(path.read_bytes())
    files = read_verified(folder, manifest.files)
    items = Items.from_json(files[ITEMS])
    if len(items.ids) != manifest.data.n_items:
        raise BundleError(
            f"{folder / ITEMS} must have {manifest.data.n_items} ids, as {NAME} says, received {len(items.ids)}; "
            f"export the bundle again"
        )
    if bool(items.rare) != (manifest.history.rare is not None):
        raise BundleError(
            f"{folder / ITEMS} must name rare items just where {NAME} has a token for them, received "
            f"{len(items.rare)} and token {manifest.history.rare}; export the bundle again"
        )
    return Bundle(folder, manifest, items, files)

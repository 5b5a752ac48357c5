"""Folders as the LightGCN and NGCF papers published them: `train.txt` and `test.txt`, lines `user item item …`."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from kdrec.data.interactions import Interactions
from kdrec.data.readers import read_list_files
from kdrec.data.sets.base import folder_of
from kdrec.data.splits import Split, given
from kdrec.data.tables import Table
from kdrec.data.vocabularies import VocabularyBuilder, shown
from kdrec.errors import DataError

LAYOUT = (
    "train.txt and test.txt (lines `user item item …`), optionally one valid*.txt and the original ids in "
    "user_list/user_map and item_list/item_map (.txt or .tsv)"
)
COMPACT = ("remap_id", "user", "item")  # names that publishers give the column of the ids in train.txt


def lightgcn(data_dir: str | Path | None = None) -> Split:
    """Read a LightGCN-style folder as a split whose histories are sets.

    Some folders (Gowalla with the LightGCN++ validation) hold valid pairs that are in train too: these are taken out of
    train, and `options["valid_taken_from_train"]` says how many.

    Args:
        data_dir: the folder.

    Returns:
        A Split of the method `given`; valid is empty when the folder has none. Ids are the original ones where the
        folder maps them.

    Raises:
        DataError: a file is missing or damaged, two valid files, or train and test overlap.
    """
    folder = folder_of("lightgcn", data_dir, ["train.txt", "test.txt"], LAYOUT)
    valid_files = sorted(folder.glob("valid*.txt"))
    if len(valid_files) > 1:
        names = ", ".join(path.name for path in valid_files)
        raise DataError(f"data_dir={str(folder)!r} must have one valid*.txt at most, and has {names}; move one away")
    train, test, *valid = read_list_files([folder / "train.txt", folder / "test.txt", *valid_files])
    train, test, *valid = renamed([train, test, *valid], folder)
    if not valid:
        return given(train, None, test)
    repeated = train.pair_keys().isin(valid[0].pair_keys())
    left = train.select(~repeated)
    return given(left, valid[0], test, valid_taken_from_train=int(repeated.sum()))


def renamed(parts: Sequence[Interactions], folder: Path) -> list[Interactions]:
    """The parts with the original ids, where the folder has a map of them."""
    for which in ("user", "item"):
        files = [folder / f"{which}_{kind}{end}" for kind in ("list", "map") for end in (".txt", ".tsv")]
        for path in [path for path in files if path.is_file()][:1]:
            ids = original_ids(getattr(parts[0], f"{which}_ids"), path)
            parts = [reordered(part, which, ids) for part in parts]
    return list(parts)


def original_ids(compact: np.ndarray, path: Path) -> np.ndarray:
    """The original id of each compact one; the map is a table with a header and a column named as in COMPACT."""
    with path.open(encoding="utf-8") as file:
        header = file.readline()
    table = Table(path, "\t" if "\t" in header else " ")
    names = table.columns()
    key = next((name for name in names[:2] if name in COMPACT), None)
    if key is None or len(names) < 2:
        raise DataError(
            f"{path} must have two columns, one of them named {', '.join(COMPACT)}, not {', '.join(names)}; "
            f"repair its header, or move it away to keep the ids of train.txt"
        )
    original = next(name for name in names[:2] if name != key)
    frame = pd.concat(table.chunks([key, original], [key, original]))
    at = pd.Index(frame[key].to_numpy(dtype=object)).get_indexer([str(value) for value in compact.tolist()])
    if (at < 0).any():
        raise DataError(f"{path} has no row for {shown(compact, (at < 0).argmax())}; map every id, or move it away")
    builder = VocabularyBuilder(original, text=True)
    codes = builder.add(frame[original].iloc[at], str(path))
    ids, position = builder.finish()
    return ids[position[codes]]


def reordered(part: Interactions, which: str, ids: np.ndarray) -> Interactions:
    """The same pairs under other ids, positions in the order of the ids again."""
    order = np.argsort(ids, kind="stable")
    position = np.empty(len(ids), dtype=np.int32)
    position[order] = np.arange(len(ids))
    if which == "user":
        return replace(part, users=position[part.users], user_ids=ids[order])
    return replace(part, items=position[part.items], item_ids=ids[order])

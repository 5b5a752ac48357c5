"""CiteULike-t as the Topology Distillation paper split it: who keeps which article; articles have tags."""

from pathlib import Path

import numpy as np
import pandas as pd

from kdrec.data.features import FeatureTable, Tags
from kdrec.data.interactions import Interactions
from kdrec.data.readers import read_tables
from kdrec.data.sets.base import folder_of
from kdrec.data.splits import Split, given
from kdrec.data.tables import Table, reading
from kdrec.errors import DataError

FILES = ("train.tsv", "valid.tsv", "test.tsv")
MAP, TAGS, TAG_ITEMS = "item_map.tsv", "tags.dat", "tag-item.dat"
MOST = 0.5  # of a tag's articles that one reader may keep
LAYOUT = (
    "train.tsv, valid.tsv and test.tsv (columns user and item), optionally item_map.tsv (each item's row in the "
    "published files) and, in it or in the folder raw beside it, the published tags.dat and tag-item.dat"
)


def citeulike(data_dir: str | Path | None = None) -> Split:
    """Read CiteULike-t, 125,580 pairs of 5,219 users and 25,181 articles; a user's articles are a set.

    One pair a user is valid, one test. When the test items are ranked, the user's valid item is no candidate.

    Args:
        data_dir: the folder.

    Returns:
        A Split of the method `given`; items have `tags` if the folder, or `raw` beside it, holds the published ones.
        A tag is left out of which one reader keeps more than half of the articles: readers gave the tags, so such a
        one says whose an article is, that of a pair which is held out, too.

    Raises:
        DataError: a file is missing or damaged.

    Source: Kang et al., Topology Distillation for Recommender System, KDD 2021 (the split); Wang, Chen and Li,
    Collaborative Topic Regression with Social Regularization for Tag Recommendation, IJCAI 2013 (the data).
    """
    folder = folder_of("citeulike", data_dir, FILES, LAYOUT)
    parts = read_tables([folder / name for name in FILES], "user", "item")
    for raw in (folder, folder.parent / "raw"):
        if all(path.is_file() for path in (folder / MAP, raw / TAGS, raw / TAG_ITEMS)):
            tags = item_tags(parts[0].item_ids, folder / MAP, raw / TAGS, raw / TAG_ITEMS)
            tags = without_personal(tags, parts[0])
            parts = [part.with_features(items=FeatureTable({"tags": tags})) for part in parts]
            break
    train, valid, test = parts
    return given(train, valid, test, valid_masked=True)


def item_tags(item_ids: np.ndarray, map_path: Path, names_path: Path, items_path: Path) -> Tags:
    """The tags of each item; a tag that none of them has is left out.

    Args:
        item_ids: (items,).
        map_path: a table; its column `item` has item ids, the other one their rows in the published files.
        names_path: a name a line.
        items_path: a line for each name, how many articles have it and their rows: `2 15135 2058`.
    """
    position = positions(item_ids, map_path)  # (rows,), −1 where no item has the row
    with reading(names_path):
        names = np.array(names_path.read_text(encoding="utf-8").splitlines(), dtype=object)
    with reading(items_path):
        lines = [line.split() for line in items_path.read_text(encoding="utf-8").splitlines()]
    if len(lines) != len(names):
        raise DataError(f"{items_path} must have a line for each of the {len(names)} tags, not {len(lines)}; repair it")
    for number, line in enumerate(lines, 1):
        if not line or not all(field.isdecimal() for field in line) or int(line[0]) != len(line) - 1:
            raise DataError(f"{items_path} must have lines `count row row …`, and line {number} has not; repair it")
    tags = np.repeat(np.arange(len(lines)), [len(line) - 1 for line in lines])
    rows = np.array([field for line in lines for field in line[1:]], dtype=np.int64)
    known = rows < len(position)
    items, tags = position[rows[known]], tags[known]
    items, tags = items[items >= 0], tags[items >= 0]
    kept, codes = np.unique(tags, return_inverse=True)
    order = np.lexsort((codes, items))
    indptr = np.concatenate([[0], np.cumsum(np.bincount(items, minlength=len(item_ids)))])
    return Tags(indptr, codes[order], names[kept])


def without_personal(tags: Tags, train: Interactions) -> Tags:
    """The tags of whose items no user has more than the share MOST in train.

    Args:
        tags: of the items.
        train: pairs of users and the same items.
    """
    n_tags, counts = len(tags.vocabulary), np.diff(tags.indptr)
    starts, each = tags.indptr[train.items], counts[train.items]  # of each pair, the tags of its item
    first = np.repeat(starts - np.cumsum(each) + each, each)
    pair_tags = tags.indices[first + np.arange(each.sum())]
    user_tags, n_items = np.unique(
        np.repeat(train.users, each).astype(np.int64) * n_tags + pair_tags, return_counts=True
    )
    most = np.zeros(n_tags, dtype=np.int64)  # items that a user has of each tag
    np.maximum.at(most, user_tags % n_tags, n_items)
    is_kept = most <= MOST * np.bincount(tags.indices, minlength=n_tags)
    indptr = np.concatenate([[0], np.cumsum(is_kept[tags.indices])])[tags.indptr]
    indices = (np.cumsum(is_kept) - 1)[tags.indices[is_kept[tags.indices]]]
    return Tags(indptr, indices, tags.vocabulary[is_kept])


def positions(item_ids: np.ndarray, path: Path) -> np.ndarray:
    """The position of each published row in item_ids, −1 of rows that none of them has."""
    table = Table(path)
    names = table.columns()
    if len(names) != 2 or names[0] != "item":
        raise DataError(f"{path} must have two columns, item and its row, not {', '.join(names)}; repair its header")
    frame = pd.concat(table.chunks(names))
    if not all(kind.kind == "i" for kind in frame.dtypes):
        raise DataError(f"{path} must hold whole numbers; repair it, or move it away to do without tags")
    at = pd.Index(item_ids).get_indexer(pd.Index(frame["item"]))
    rows = frame[names[1]].to_numpy()
    position = np.full(int(rows.max()) + 1, -1)
    position[rows[at >= 0]] = at[at >= 0]
    return position

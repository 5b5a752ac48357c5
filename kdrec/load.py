"""From a configuration to a split: which data, what is left out of it, what is held out of it."""

from collections.abc import Iterable
from pathlib import Path

from kdrec.config import Config
from kdrec.data import sets, splits
from kdrec.data.feature_tables import read_features
from kdrec.data.features import FeatureTable
from kdrec.data.filters import Counts, prepare
from kdrec.data.interactions import Interactions
from kdrec.data.readers import read_table
from kdrec.data.splits import Split
from kdrec.data.tables import reading
from kdrec.errors import DataError, UnknownNameError
from kdrec.files import sha256_of

DATA_OPTIONS = (
    *("data", "data_dir", "user_column", "item_column", "time_column", "rating_column", "weight_column"),
    *("context_columns", "delimiter", "item_features", "item_id_column", "title_column", "category_columns"),
    *("tag_columns", "numeric_columns", "vector_column", "user_features", "user_id_column", "user_category_columns"),
    *("user_numeric_columns", "minimum_rating", "min_user_items", "min_item_users", "split", "seed"),
)


def load(config: Config) -> tuple[Split, list[Counts]]:
    """Read the data of a configuration, filter it and split it.

    Returns:
        The split, and what each filter left out; a data set that comes split is taken as it is.

    Raises:
        DataError: the file or folder is not what the options say; UnknownNameError: neither a set nor a file.
    """
    read = _read(config)
    if isinstance(read, Split):
        return read, []
    interactions, counts = prepare(
        read,
        minimum_rating=config.minimum_rating,
        min_user_items=config.min_user_items,
        min_item_users=config.min_item_users,
    )
    return _split(interactions, config), counts


def source_of(config: Config) -> dict[str, str]:
    """What the content of the data depends on: each file's checksum, by name."""
    files = [Path(path) for path in (config.item_features, config.user_features) if path is not None]
    if config.data.replace("-", "_") not in sets.names():
        files += [Path(config.data), *Path(config.data).rglob("*.parquet")]
    elif config.data_dir is not None:
        files += Path(config.data_dir).glob("*")
    return checksums(files)


def checksums(paths: Iterable[Path]) -> dict[str, str]:
    """The sha256 of each file by its path; folders and what does not exist are left out.

    Raises:
        DataError: a file that cannot be read.
    """
    found = {}
    for path in sorted(paths):
        if path.is_file():
            with reading(path):
                found[str(path)] = sha256_of(path)
    return found


def name_of(config: Config) -> str:
    """What folders of this data are called: the set's name, or the file's without its ending."""
    return Path(config.data).name.split(".")[0]


def _read(config: Config) -> Interactions | Split:
    known = sets.names()
    if config.data.replace("-", "_") in known:
        return sets.get(config.data)(data_dir=config.data_dir)
    path = Path(config.data)
    if not path.exists():
        raise UnknownNameError(
            f"data must be a file, a folder of Parquet files, or one of {', '.join(known)}; {config.data!r} is none"
        )
    interactions = read_table(
        path, config.user_column, config.item_column,
        time_column=config.time_column, rating_column=config.rating_column, weight_column=config.weight_column,
        context_columns=config.context_columns, delimiter=config.delimiter,
    )  # fmt: skip
    return interactions.with_features(
        users=_user_features(interactions, config), items=_item_features(interactions, config)
    )


def _item_features(interactions: Interactions, config: Config) -> FeatureTable | None:
    if config.item_features is None:
        return None
    if config.item_id_column is None:
        raise DataError("item_features needs item_id_column, the column of that file with the item ids; name it")
    return read_features(
        config.item_features, interactions.item_ids, config.item_id_column,
        title=config.title_column, category=config.category_columns, tags=config.tag_columns,
        numeric=config.numeric_columns, vector=config.vector_column,
    )  # fmt: skip


def _user_features(interactions: Interactions, config: Config) -> FeatureTable | None:
    if config.user_features is None:
        return None
    if config.user_id_column is None:
        raise DataError("user_features needs user_id_column, the column of that file with the user ids; name it")
    return read_features(
        config.user_features, interactions.user_ids, config.user_id_column,
        category=config.user_category_columns, numeric=config.user_numeric_columns,
    )  # fmt: skip


def _split(interactions: Interactions, config: Config) -> Split:
    method = config.split
    if method == "auto":
        method = "random_per_user" if interactions.times is None else "leave_last_out"
    if method == "random_per_user":
        return splits.random_per_user(interactions, seed=config.seed)
    if method in ("leave_last_out", "by_time"):
        return getattr(splits, method)(interactions)
    raise UnknownNameError(
        f"split has no {method!r}; it has auto, leave_last_out, by_time, random_per_user, "
        "and a folder with train.txt and test.txt is read by --data lightgcn"
    )

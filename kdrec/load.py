"""From a configuration to a split: which data, what is left out of it, what is held out of it."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from kdrec.config import Config
from kdrec.data import sets, splits
from kdrec.data.feature_tables import read_features
from kdrec.data.features import FeatureTable
from kdrec.data.filters import Counts, prepare
from kdrec.data.interactions import Interactions
from kdrec.data.readers import read_list_files, read_tables
from kdrec.data.splits import Split
from kdrec.data.tables import Table, reading
from kdrec.errors import DataError, UnknownNameError
from kdrec.files import sha256_of
from kdrec.without_effect import check_effect, is_set, set_options

DATA_OPTIONS = (
    *("data", "data_dir", "valid", "test", "lists", "user_column", "item_column", "time_column"),
    *(
        "rating_column",
        "weight_column",
        "context_columns",
        "delimiter",
        "item_features",
        "item_id_column",
        "title_column",
    ),
    *(
        "category_columns",
        "tag_columns",
        "numeric_columns",
        "vector_column",
        "user_features",
        "user_id_column",
        "user_category_columns",
    ),
    *("user_numeric_columns", "minimum_rating", "min_user_items", "min_item_users", "split", "seed"),
)


def load(config: Config) -> tuple[Split, list[Counts]]:
    """Read the data of a configuration, filter it and split it.

    Returns:
        The split, and what each filter left out; a data set that comes split is taken as it is.

    Raises:
        DataError: the file or folder is not what the options say, or an option has no effect on it.
        UnknownNameError: neither a set nor a file.
    """
    read = _read(config)
    if isinstance(read, Split):
        return _each_once(read), []
    interactions, counts = prepare(
        read,
        minimum_rating=config.minimum_rating,
        min_user_items=config.min_user_items,
        min_item_users=config.min_item_users,
    )
    return _split(interactions, config), counts


def _each_once(split: Split) -> Split:
    """The same without repeated pairs, the first of each kept; how many were left out is among the options."""
    repeated = [part.pair_keys().duplicated() for part in (split.train, split.valid, split.test)]
    if not any(each.any() for each in repeated):
        return split
    train, valid, test = (
        part.select(~each) for part, each in zip((split.train, split.valid, split.test), repeated, strict=True)
    )
    options = {**split.options, "repeated_pairs_left_out": int(sum(each.sum() for each in repeated))}
    return replace(split, train=train, valid=valid, test=test, options=options)


def source_of(config: Config) -> dict[str, str]:
    """What the content of the data depends on: each file's checksum, by name."""
    given = (config.item_features, config.user_features, config.valid, config.test)
    files = [Path(path) for path in given if path is not None]
    if not is_set(config):
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
    if is_set(config):
        check_effect(config)
        return sets.get(config.data)(**config.only(*set_options(config)))
    if not Path(config.data).exists():
        raise UnknownNameError(
            f"data must be a file, a folder of Parquet files, or one of {', '.join(sets.names())}; {config.data!r} is "
            f"none"
        )
    check_effect(config)
    if config.test is None:
        return _with_features(read_logs(config, [config.data]), config)[0]
    if config.valid is None:
        train, test = _with_features(read_logs(config, [config.data, config.test]), config)
        return splits.given(train, None, test, ordered=train.times is not None)
    train, valid, test = _with_features(read_logs(config, [config.data, config.valid, config.test]), config)
    return splits.given(train, valid, test, ordered=train.times is not None)


def read_logs(config: Config, paths: Sequence[str]) -> list[Interactions]:
    """Files like `data`, over common vocabularies."""
    if config.lists:
        return read_list_files(paths, config.delimiter)
    return read_tables(
        paths, config.user_column, config.item_column,
        time_column=config.time_column, rating_column=config.rating_column, weight_column=config.weight_column,
        context_columns=config.context_columns, delimiter=config.delimiter,
    )  # fmt: skip


def _with_features(parts: Sequence[Interactions], config: Config) -> list[Interactions]:
    users, items = _user_features(parts[0], config), _item_features(parts[0], config)
    return [part.with_features(users=users, items=items) for part in parts]


def _item_features(interactions: Interactions, config: Config) -> FeatureTable | None:
    if config.item_features is None:
        return None
    if config.item_id_column is None:
        raise DataError("item_features needs item_id_column, the column of that file with the item ids; name it")
    return read_features(
        config.item_features, interactions.item_ids, config.item_id_column,
        delimiter=_delimiter(config.item_features, config),
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
        delimiter=_delimiter(config.user_features, config),
        category=config.user_category_columns, numeric=config.user_numeric_columns,
    )  # fmt: skip


def _delimiter(path: str, config: Config) -> str | None:
    """Of a text file; a delimiter says nothing about Parquet."""
    return None if Table(Path(path)).is_parquet else config.delimiter


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
        "a folder with train.txt and test.txt is read by --data lightgcn, and test pairs of your own by --test"
    )

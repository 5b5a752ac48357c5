"""Features of users or items from a file or a frame, brought into the order of a vocabulary."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kdrec.data.features import Categorical, Feature, FeatureTable, Numeric, Title, Vector, tags_from_lists
from kdrec.data.log_builder import check_column
from kdrec.data.tables import Table
from kdrec.data.vocabularies import VocabularyBuilder
from kdrec.errors import DataError


def read_features(
    path: str | Path,
    ids: Iterable,
    id_column: str,
    *,
    delimiter: str | None = None,
    columns: Sequence[str] | None = None,
    encoding: str = "utf-8",
    quoted: bool = True,
    **kinds: Any,
) -> FeatureTable:
    """Read the features of users or items from a CSV, TSV, otherwise delimited or Parquet file.

    Args:
        path, delimiter, columns, encoding: as of `read_table`.
        ids: whose features, for example `interactions.item_ids`; rows of other ids are left out.
        id_column: the column that names them.
        quoted: whether `"` quotes a field.
        **kinds: `title`, `category`, `tags`, `numeric`, `vector` … as of `features_from_frame`.

    Returns:
        A FeatureTable in the order of `ids`.

    Raises:
        DataError: a missing column, a repeated id, no row for any of the ids, or a value that is not of its kind.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "items.csv")
    ...     _ = path.write_text("id,name,genres,price\\n7,Tent,out|night,9\\n3,Pan,,4\\n")
    ...     table = read_features(path, [3, 7], "id", title="name", tags=["genres"], numeric=["price"])
    >>> table["title"].values.tolist(), table["genres"].dense().tolist(), table["price"].values.tolist()
    (['Pan', 'Tent'], [[0.0, 0.0], [1.0, 1.0]], [4.0, 9.0])
    """
    table = Table(Path(path), delimiter, columns, encoding, quoted)
    existing = table.columns()
    check_column(existing, id_column, "id_column", str(path))
    wanted = list(dict.fromkeys([id_column, *wanted_columns(**kinds)]))
    for name in wanted:
        check_column(existing, name, "a feature", str(path))
    text = [name for name in wanted if name not in kinds.get("numeric", ())]
    frame = pd.concat(table.chunks(wanted, text), ignore_index=True)
    return features_from_frame(frame, ids, id_column, source=str(path), **kinds)


def features_from_frame(
    frame: pd.DataFrame,
    ids: Iterable,
    id_column: str,
    *,
    title: str | None = None,
    category: Sequence[str] = (),
    tags: Sequence[str] = (),
    numeric: Sequence[str] = (),
    vector: str | Sequence[str] | None = None,
    tag_separator: str = "|",
    source: str = "the frame",
) -> FeatureTable:
    """Features from the columns of a pandas frame.

    An id without a row, or an absent value, gives the id as title, an unknown category, no tags, the mean of the known
    numbers, a vector of zeros.

    Args:
        frame: one row an id.
        ids: whose features; rows of other ids are left out.
        id_column: the column that names them.
        title: the column of the readable name; the feature is called `title`.
        category: columns of one category a row.
        tags: columns of several tags a row, with `tag_separator` between them.
        numeric: columns of numbers.
        vector: one column of lists or of text (numbers with spaces or commas between them), or several columns of
            numbers; the feature is called `vector`.
        tag_separator: between two tags.
        source: named in errors.

    Returns:
        A FeatureTable in the order of `ids`.

    Raises:
        DataError: as of `read_features`.
    """
    wanted = wanted_columns(title=title, category=category, tags=tags, numeric=numeric, vector=vector)
    for name in (id_column, *wanted):
        check_column(list(frame.columns), name, "a feature", source)
    if not wanted:
        raise DataError(f"features of {source} must be named; give title=, category=, tags=, numeric= or vector=")
    names = [str(value) for value in np.asarray(ids, dtype=object).tolist()]
    rows = aligned(frame, id_column, names, source)
    features: dict[str, Feature] = {}
    if title is not None:
        texts = as_text(rows[title])
        features["title"] = Title(texts.where(texts != "", pd.Series(names, dtype=object)).to_numpy())
    for name in category:
        builder = VocabularyBuilder(name, optional=True)
        codes = builder.add(as_text(rows[name]))
        values, position = builder.finish()
        features[name] = Categorical(position[codes], values)
    for name in tags:
        words = (text.split(tag_separator) for text in as_text(rows[name]))
        features[name] = tags_from_lists([[word.strip() for word in row if word.strip()] for row in words])
    for name in numeric:
        features[name] = Numeric(filled(rows[name], name, source))
    if vector is not None:
        features["vector"] = Vector(vectors(rows, vector, source))
    return FeatureTable(features)


def wanted_columns(
    title: str | None = None,
    category: Sequence[str] = (),
    tags: Sequence[str] = (),
    numeric: Sequence[str] = (),
    vector: str | Sequence[str] | None = None,
    tag_separator: str = "|",
) -> list[str]:
    """The columns that the arguments of `features_from_frame` name."""
    vectors = [vector] if isinstance(vector, str) else list(vector or ())
    return [*([title] if title else ()), *category, *tags, *numeric, *vectors]


def aligned(frame: pd.DataFrame, id_column: str, names: Sequence[str], source: str) -> pd.DataFrame:
    """One row for each name, NaN where the frame has none."""
    found = frame[id_column].astype(str)
    if found.duplicated().any():
        repeated = found[found.duplicated()].iloc[0]
        raise DataError(f"id_column={id_column!r} of {source} has {repeated!r} twice; give one row an id")
    at = pd.Index(found.to_numpy(dtype=object)).get_indexer(pd.Index(names, dtype=object))
    if (at < 0).all():
        raise DataError(
            f"id_column={id_column!r} of {source} has none of the {len(names)} ids; it holds {found.iloc[0]!r} where "
            f"the log has {names[0]!r}: name the column that holds the ids of the log"
        )
    return frame.reset_index(drop=True).reindex(np.where(at < 0, len(frame), at)).reset_index(drop=True)


def as_text(values: pd.Series) -> pd.Series:
    """Text, "" where a value is absent."""
    return values.astype(object).where(values.notna(), "").astype(str)


def filled(values: pd.Series, name: str, source: str) -> np.ndarray:
    """Numbers, (rows,) float32, with the mean of the known ones where a value is absent."""
    numbers = pd.to_numeric(values, errors="coerce")
    wrong = numbers.isna() & values.notna() & (values.astype(str) != "")
    if wrong.any() or numbers.isna().all() or np.isinf(numbers.to_numpy(dtype=float, na_value=0.0)).any():
        example = values[wrong].iloc[0] if wrong.any() else "no finite number"
        raise DataError(f"numeric column {name!r} of {source} must hold finite numbers, and has {example!s}; repair it")
    return numbers.fillna(numbers.mean()).to_numpy(dtype=np.float32)


def vectors(rows: pd.DataFrame, vector: str | Sequence[str], source: str) -> np.ndarray:
    """(rows, width) float32, zeros where a vector is absent."""
    if not isinstance(vector, str):
        parts = rows[list(vector)].apply(pd.to_numeric, errors="coerce").to_numpy(dtype=np.float32, na_value=np.nan)
        given = (as_text(rows[vector[0]]) != "").to_numpy()
        table = [part if known else [] for part, known in zip(parts, given, strict=True)]
    else:
        table = [numbers_of(value) for value in rows[vector]]
    widths = sorted({len(numbers) for numbers in table if len(numbers)})
    if len(widths) != 1 or not all(np.isfinite(numbers).all() for numbers in table):
        found = f"widths {widths}" if len(widths) != 1 else "a value that is not a finite number"
        raise DataError(f"vector={vector!r} of {source} must hold finite vectors of one width, not {found}; repair it")
    return np.array([numbers if len(numbers) else np.zeros(widths[0]) for numbers in table], dtype=np.float32)


def numbers_of(value: Any) -> np.ndarray:
    """A list, or text with spaces or commas between the numbers, as float32; empty when absent, NaN where no number."""
    if isinstance(value, str):
        fields = pd.Series(value.replace(",", " ").strip("[]() ").split(), dtype=object)
        return pd.to_numeric(fields, errors="coerce").to_numpy(dtype=np.float32)
    if value is None or np.ndim(value) == 0:
        return np.empty(0, dtype=np.float32)
    return np.asarray(value, dtype=np.float32)

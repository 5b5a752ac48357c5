"""Interaction logs from files: tables with named columns, and lists of the form `user item item …`."""

from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd

from kdrec.data.interactions import Interactions
from kdrec.data.log_builder import LogBuilder, LogColumns
from kdrec.data.tables import CHUNK_ROWS, Table, reading
from kdrec.errors import DataError

LIST_LINES = 10_000


def read_table(
    path: str | Path,
    user_column: str | None = None,
    item_column: str | None = None,
    time_column: str | None = None,
    **options: Any,
) -> Interactions:
    """Read a CSV, TSV, otherwise delimited or Parquet file, or a folder of Parquet files, in chunks.

    Ids stay as they are in the log: a text column whose every value is an integer (`7`, not `007`) gives integers.
    Times are seconds since 1970 or ISO dates.

    Args:
        path: the file; `.csv`, `.tsv`, `.tab` (also compressed) and `.parquet` are known by their extension.
        user_column, item_column: their columns; None finds `user`, `user_id`, `userId`, `item`, `item_id`, `movieId` …
        time_column: the column of times; None reads none.
        **options: `rating_column`, `delimiter` … as of `read_tables`.

    Returns:
        Interactions; positions follow the sorted ids.

    Raises:
        DataError: a missing column, an empty or unreadable file, an absent id, a NaN or negative time, …

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "log.csv")
    ...     _ = path.write_text("u,i,t\\nbob,7,2024-01-02\\nann,3,2024-01-01\\n")
    ...     log = read_table(path, "u", "i", time_column="t")
    >>> log.user_ids.tolist(), log.item_ids.tolist(), log.times.tolist()
    (['ann', 'bob'], [3, 7], [1704067200, 1704153600])
    """
    return read_tables([path], user_column, item_column, time_column, **options)[0]


def read_tables(
    paths: Sequence[str | Path],
    user_column: str | None = None,
    item_column: str | None = None,
    time_column: str | None = None,
    rating_column: str | None = None,
    weight_column: str | None = None,
    context_columns: Sequence[str] = (),
    *,
    delimiter: str | None = None,
    columns: Sequence[str] | None = None,
    encoding: str = "utf-8",
    chunk_rows: int = CHUNK_ROWS,
) -> list[Interactions]:
    """Read files of the same columns, for example train, valid and test, over common vocabularies.

    Args:
        paths: the files.
        user_column, item_column, time_column, rating_column, weight_column: names of columns.
        context_columns: what is known of each event, for example the part of the day.
        delimiter: of text files, one or more characters (`::`); None goes by the extension.
        columns: the column names of files without a header line.
        encoding: of text files.
        chunk_rows: rows that are held as text at a time.

    Returns:
        One Interactions for each path.

    Raises:
        DataError: as of `read_table`.
    """
    wanted = LogColumns(user_column, item_column, time_column, rating_column, weight_column, tuple(context_columns))
    tables = [Table(Path(path), delimiter, columns, encoding) for path in paths]
    found = wanted.found_in(tables[0].columns(), str(tables[0].path))
    builder = LogBuilder(found, text=not tables[0].is_parquet)
    ends = []
    for table in tables:
        found.found_in(table.columns(), str(table.path))
        start = builder.rows
        for frame in table.chunks(found.all, found.text, chunk_rows):
            builder.add(frame, str(table.path), builder.rows - start + 1)
        if builder.rows == start:
            raise DataError(f"{table.path} has a header and no rows; give a file that holds rows")
        ends.append(builder.rows)
    return [Interactions(**fields) for fields in builder.parts(ends)]


def read_lists(path: str | Path, delimiter: str | None = None, encoding: str = "utf-8") -> Interactions:
    """Read lines `user item item …`; see `read_list_files`.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "train.txt")
    ...     _ = path.write_text("0 5 3\\n1 5\\n")
    ...     log = read_lists(path)
    >>> log.users.tolist(), log.item_ids[log.items].tolist()
    ([0, 0, 1], [5, 3, 5])
    """
    return read_list_files([path], delimiter, encoding)[0]


def read_list_files(
    paths: Sequence[str | Path], delimiter: str | None = None, encoding: str = "utf-8"
) -> list[Interactions]:
    """Read files of lines `user item item …` over common vocabularies; a user without items has no pair.

    Args:
        paths: the files.
        delimiter: between two ids; None is any white space.
        encoding: of the files.

    Returns:
        One Interactions for each path, without times.

    Raises:
        DataError: a file is absent, empty or unreadable.
    """
    builder = LogBuilder(LogColumns("user", "item"), text=True)
    ends = []
    for path in map(Path, paths):
        Table(path, delimiter or " ")  # refuses an absent or empty file
        start = builder.rows
        with reading(path), path.open(encoding=encoding) as file:
            while lines := list(islice(file, LIST_LINES)):
                builder.add(list_frame(lines, delimiter), str(path), builder.rows - start + 1)
        if builder.rows == start:
            raise DataError(f"{path} has no line `user item item …`; give a file that holds pairs")
        ends.append(builder.rows)
    return [Interactions(**fields) for fields in builder.parts(ends)]


def list_frame(lines: Iterable[str], delimiter: str | None) -> pd.DataFrame:
    """Lines `user item item …` as one row a pair."""
    rows = [[field for field in line.strip().split(delimiter) if field] for line in lines]
    users = [row[0] for row in rows for _ in row[1:]]
    items = [item for row in rows for item in row[1:]]
    return pd.DataFrame({"user": users, "item": items}, dtype=str)

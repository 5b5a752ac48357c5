"""Delimited text and Parquet as frames of some thousand rows, whatever the size of the file."""

import csv
import io
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from kdrec.errors import DataError

CHUNK_ROWS = 1_000_000
DELIMITERS = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
PARQUET = (".parquet", ".pq")
COMPRESSED = (".gz", ".bz2", ".xz", ".zip", ".zst")
ABSENT = ["", "NA", "N/A", "NaN", "nan", "null", "NULL", "None"]
UNIT_SEPARATOR = "\x1f"  # stands for a delimiter of several characters, which pandas reads forty times slower


@dataclass(frozen=True)
class Table:
    """A CSV, TSV or other delimited file, a Parquet file, or a folder of Parquet files.

    Args:
        path: the file; its extension says what it is, unless `delimiter` does.
        delimiter: of a text file, one or more characters; None goes by the extension.
        names: the column names of a text file without a header line.
        encoding: of a text file.
        quoted: whether `"` quotes a field.

    Raises:
        DataError: the file is absent, empty, unreadable, or of an unknown kind.
    """

    path: Path
    delimiter: str | None = None
    names: Sequence[str] | None = None
    encoding: str = "utf-8"
    quoted: bool = True

    def __post_init__(self) -> None:
        if not self.path.exists():
            raise DataError(f"{self.path} does not exist; give the path of a CSV, TSV or Parquet file")
        if self.path.is_dir() and not self._parquet_files():
            raise DataError(
                f"{self.path} is a folder without .parquet files; give a file, or a folder of Parquet files"
            )
        if self.path.is_file() and self.path.stat().st_size == 0:
            raise DataError(f"{self.path} is empty; give a file that holds rows")

    @property
    def is_parquet(self) -> bool:
        """Whether the rows are read as Parquet."""
        return self.delimiter is None and (self.path.is_dir() or self.path.suffix.lower() in PARQUET)

    @property
    def separator(self) -> str:
        """What stands between two fields of a text file."""
        if self.delimiter is not None:
            return self.delimiter
        suffixes = [suffix.lower() for suffix in self.path.suffixes if suffix.lower() not in COMPRESSED]
        if not suffixes or suffixes[-1] not in DELIMITERS:
            raise DataError(
                f"{self.path} has none of the extensions {', '.join([*DELIMITERS, *PARQUET])}; "
                f"give delimiter=, for example '\\t' or '::'"
            )
        return DELIMITERS[suffixes[-1]]

    def columns(self) -> list[str]:
        """Names of the columns."""
        if self.is_parquet:
            with reading(self.path):
                return pq.read_schema(self._parquet_files()[0]).names
        first = next(guarded(self.path, self._text_chunks(1, header=None, dtype=str, names=None)))
        if self.names is None:
            return first.iloc[0].astype(str).tolist()
        if len(self.names) != first.shape[1]:
            raise DataError(
                f"columns names {len(self.names)} columns ({', '.join(self.names)}) and {self.path} has "
                f"{first.shape[1]}; name each column, first to last"
            )
        return list(self.names)

    def chunks(
        self, columns: Sequence[str], text: Sequence[str] = (), rows: int = CHUNK_ROWS
    ) -> Iterator[pd.DataFrame]:
        """Frames of at most `rows` rows that hold the given columns, all of them existing.

        Args:
            columns: what is read.
            text: columns of a text file that are kept as text; the others become numbers where every field is one.
            rows: rows a frame.
        """
        if self.is_parquet:
            return guarded(self.path, self._parquet_chunks(columns, rows))
        numbers = [name for name in columns if name not in text]
        options = {
            "dtype": {name: str for name in self.columns() if name not in numbers},
            "na_values": {name: ABSENT for name in numbers},
        }
        header = 0 if self.names is None else None
        # All columns are parsed, because pandas checks the number of fields in a row only then.
        frames = self._text_chunks(rows, header=header, names=self.names, **options)
        return (frame[list(columns)] for frame in guarded(self.path, frames))

    def _parquet_files(self) -> list[Path]:
        return [self.path] if self.path.is_file() else sorted(self.path.rglob("*.parquet"))

    def _parquet_chunks(self, columns: Sequence[str], rows: int) -> Iterator[pd.DataFrame]:
        for path in self._parquet_files():
            with pq.ParquetFile(path) as file:
                for batch in file.iter_batches(batch_size=rows, columns=list(columns)):
                    yield batch.to_pandas()

    def _text_chunks(self, rows: int, **options: Any) -> Iterator[pd.DataFrame]:
        options |= {
            "keep_default_na": False,
            "index_col": False,
            "quoting": csv.QUOTE_MINIMAL if self.quoted else csv.QUOTE_NONE,
        }
        if len(self.separator) == 1:
            with pd.read_csv(
                self.path, sep=self.separator, chunksize=rows, encoding=self.encoding, low_memory=False, **options
            ) as frames:
                yield from frames
            return
        with self.path.open(encoding=self.encoding) as file:
            header = [file.readline()] if options["header"] == 0 else []
            while lines := list(islice(file, rows)):
                content = "".join(header + lines).replace(self.separator, UNIT_SEPARATOR)
                yield pd.read_csv(io.StringIO(content), sep=UNIT_SEPARATOR, low_memory=False, **options)


def guarded(path: Path, frames: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    """The frames, with `reading` around the making of each and around nothing else."""
    while True:
        with reading(path):
            frame = next(frames, None)
        if frame is None:
            return
        yield frame


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn what pandas, pyarrow and the system raise about a file into one error that says what to do."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            yield
    except pd.errors.EmptyDataError as error:
        raise DataError(f"{path} is empty; give a file that holds rows") from error
    except UnicodeError as error:
        raise DataError(
            f"{path} cannot be read in its encoding ({error}); give encoding=, for example 'latin-1'"
        ) from error
    except (OSError, EOFError, pa.ArrowException, pd.errors.ParserError, pd.errors.ParserWarning, csv.Error) as error:
        raise DataError(
            f"{path} cannot be read ({str(error).strip()}); check that it is whole and its format"
        ) from error

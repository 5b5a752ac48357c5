"""Builds the arrays of a log from chunks of rows, so that only numbers and distinct ids are kept in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pandas as pd

from kdrec.data.features import Categorical
from kdrec.data.times import seconds
from kdrec.data.vocabularies import VocabularyBuilder
from kdrec.errors import DataError

USER_NAMES = ("user", "user_id", "userid", "uid")
ITEM_NAMES = ("item", "item_id", "itemid", "iid", "movie_id", "movieid")


@dataclass(frozen=True)
class LogColumns:
    """Which column is what; a user or item column of None is found by its name (`user`, `user_id`, `userId`, …)."""

    user_column: str | None = None
    item_column: str | None = None
    time_column: str | None = None
    rating_column: str | None = None
    weight_column: str | None = None
    context_columns: tuple[str, ...] = ()

    def found_in(self, existing: Sequence[str], source: str) -> "LogColumns":
        """The same with user and item column filled in.

        Raises:
            DataError: a column that does not exist; the message lists those that do.
        """
        for part in fields(self):
            value = getattr(self, part.name)
            for name in value if part.name == "context_columns" else [value]:
                if name is not None:
                    check_column(existing, name, part.name, source)
        return replace(
            self,
            user_column=self.user_column or named_like(existing, USER_NAMES, "user_column", source),
            item_column=self.item_column or named_like(existing, ITEM_NAMES, "item_column", source),
        )

    @property
    def text(self) -> list[str]:
        """Columns that are read as text, so that an id stays as it is."""
        return [str(self.user_column), str(self.item_column), *self.context_columns]

    @property
    def all(self) -> list[str]:
        """Every column that is read."""
        numbers = [self.time_column, self.rating_column, self.weight_column]
        return list(dict.fromkeys([*self.text, *(name for name in numbers if name is not None)]))


def check_column(existing: Sequence[str], name: str, argument: str, source: str) -> None:
    """A column must exist; the message lists those that do."""
    if name not in existing:
        raise DataError(f"{argument}={name!r} is not a column of {source}; it has {', '.join(map(str, existing))}")


def named_like(existing: Sequence[str], names: Sequence[str], argument: str, source: str) -> str:
    """The first column whose name, in lower case, is one of `names`."""
    for name in existing:
        if str(name).lower() in names:
            return name
    raise DataError(f"{argument} must be given for {source}; its columns are {', '.join(map(str, existing))}")


class LogBuilder:
    """Takes frames one after another and ends with the fields of `Interactions`.

    Args:
        columns: which column is what, all of them existing.
        text: the ids are text from a file, where `7` stands for the integer 7.
    """

    def __init__(self, columns: LogColumns, text: bool = False):
        self.columns = columns
        self._users = VocabularyBuilder(str(columns.user_column), text)
        self._items = VocabularyBuilder(str(columns.item_column), text)
        self._context = {name: VocabularyBuilder(name, text, optional=True) for name in columns.context_columns}
        self._chunks: dict[str, list[np.ndarray]] = {}
        self._time_kind: str | None = None
        self.rows = 0

    def add(self, frame: pd.DataFrame, source: str, first_row: int = 1) -> None:
        """Append the rows of a frame; `source` and `first_row` (counted from 1) are named in errors."""
        columns, where = self.columns, (source, first_row)
        self._append("users", self._users.add(frame[columns.user_column], *where))
        self._append("items", self._items.add(frame[columns.item_column], *where))
        for name, builder in self._context.items():
            self._append(f"context {name}", builder.add(frame[name], *where))
        if columns.time_column is not None:
            self._append("times", self._times(frame[columns.time_column], *where))
        for field, column in (("ratings", columns.rating_column), ("weights", columns.weight_column)):
            if column is not None:
                self._append(field, numbers(frame[column], field, column, *where))
        self.rows += len(frame)

    def fields(self) -> dict[str, Any]:
        """Arguments of `Interactions` for all rows."""
        return self.parts([self.rows])[0]

    def parts(self, ends: Sequence[int]) -> list[dict[str, Any]]:
        """Arguments of `Interactions` for the rows up to each end, over the vocabularies of all rows."""
        whole = {name: np.concatenate(chunks) for name, chunks in self._chunks.items()}
        user_ids, user_position = self._users.finish()
        item_ids, item_position = self._items.finish()
        whole["users"] = user_position[whole["users"]]
        whole["items"] = item_position[whole["items"]]
        context = {}
        for name, builder in self._context.items():
            values, position = builder.finish()
            context[name] = position[whole.pop(f"context {name}")], values
        rows = [slice(start, end) for start, end in zip([0, *ends[:-1]], ends, strict=True)]
        return [
            {name: array[part] for name, array in whole.items()}
            | {"user_ids": user_ids, "item_ids": item_ids}
            | {"context": {name: Categorical(codes[part], values) for name, (codes, values) in context.items()}}
            for part in rows
        ]

    def _append(self, name: str, array: np.ndarray) -> None:
        self._chunks.setdefault(name, []).append(array)

    def _times(self, values: pd.Series, source: str, first_row: int) -> np.ndarray:
        column = str(self.columns.time_column)
        times, kind = seconds(values, column, source, first_row)
        if self._time_kind not in (None, kind):
            raise DataError(
                f"time column {column!r} of {source} must hold either seconds or dates, and mixes {self._time_kind} "
                f"with {kind} from row {first_row} on; write all rows alike"
            )
        self._time_kind = kind
        return times


def numbers(values: pd.Series, field: str, column: str, source: str, first_row: int) -> np.ndarray:
    """Finite numbers, (rows,) float32; weights must be positive too."""
    found = pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float32, na_value=np.nan)
    wrong, rule = ~np.isfinite(found), "finite numbers"
    if field == "weights":
        wrong, rule = wrong | (found <= 0), "finite positive numbers"
    if wrong.any():
        at = int(wrong.argmax())
        raise DataError(
            f"column {column!r} of {source} holds {field}, which must be {rule}; "
            f"row {first_row + at} has {values.iloc[at]!s}: repair or drop that row"
        )
    return found

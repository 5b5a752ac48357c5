"""Ids as they are in the log, integers or strings, and their positions 0, 1, 2 …"""

import re
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from kdrec.errors import DataError

INTEGER_TEXT = re.compile(r"0|-?[1-9][0-9]{0,17}")


def read_only(array: np.ndarray) -> np.ndarray:
    """A view of the array that cannot be written through; no copy, and the array itself if it is one already."""
    if not array.flags.writeable:
        return array
    view = array.view()
    view.flags.writeable = False
    return view


def vocabulary(ids: Iterable, argument: str = "ids") -> np.ndarray:
    """Distinct ids as a read-only array: int64, or `str` objects.

    Args:
        ids: all integers or all strings, each once.
        argument: named in errors.

    Raises:
        DataError: other types, a mixture, or an id that occurs twice.

    >>> vocabulary([7, 3]).dtype, vocabulary(["b", "a"]).dtype
    (dtype('int64'), dtype('O'))
    """
    values = ids if isinstance(ids, np.ndarray) else list(ids)
    if isinstance(values, np.ndarray) and values.dtype.kind in "iu":
        array = values.astype(np.int64, copy=False)
    elif isinstance(values, np.ndarray) and values.dtype == object and set(map(type, values)) == {str}:
        array = values
    else:
        array = id_array([plain_id(value, argument) for value in np.asarray(values, dtype=object).tolist()], argument)
    repeated = pd.Index(array).duplicated()
    if repeated.any():
        raise DataError(
            f"{argument} must be distinct; {shown(array, int(repeated.argmax()))} occurs twice: name each id once"
        )
    return read_only(array)


def shown(ids: np.ndarray, position: int) -> str:
    """An id as a message shows it: 7 or 'seven'."""
    return repr(ids[position : position + 1].tolist()[0])


def plain_id(value: object, argument: str) -> int | str:
    """The id as a Python int or str; anything else is refused."""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        return int(value)
    raise DataError(f"{argument} must be integers or strings, not {value!r}; convert the column first")


def id_array(ids: Sequence[int | str], argument: str) -> np.ndarray:
    """Plain ids as one int64 array or one array of `str` objects."""
    strings = sum(isinstance(value, str) for value in ids)
    if 0 < strings < len(ids):
        number = next(value for value in ids if not isinstance(value, str))
        text = next(value for value in ids if isinstance(value, str))
        raise DataError(
            f"{argument} must be all integers or all strings, and it mixes {number!r} with {text!r}; "
            f"convert the column to strings"
        )
    array = np.empty(len(ids), dtype=object if strings else np.int64)
    try:
        array[:] = ids
    except OverflowError as error:
        raise DataError(f"{argument} holds integers beyond 64 bits; convert the column to strings") from error
    return array


class VocabularyBuilder:
    """Numbers the ids of a log that arrives in chunks; of the strings only the distinct ones are kept.

    Args:
        column: named in errors.
        text: the values are text from a file, where `7` stands for the integer 7.
        optional: an absent value is allowed and gets −1.

    >>> builder = VocabularyBuilder("item", text=True)
    >>> codes = [builder.add(pd.Series(chunk)) for chunk in (["9", "10"], ["9", "7"])]
    >>> ids, position = builder.finish()
    >>> ids.tolist(), [position[chunk].tolist() for chunk in codes]
    ([7, 9, 10], [[1, 2], [1, 0]])
    """

    def __init__(self, column: str, text: bool = False, optional: bool = False):
        self.column = column
        self.text = text
        self.optional = optional
        self._codes: dict[int | str, int] = {}

    def add(self, values: pd.Series, source: str = "the frame", first_row: int = 1) -> np.ndarray:
        """Codes of the values, (rows,) int32, in order of first appearance; `finish` turns them into positions."""
        codes, distinct = pd.factorize(values)
        known = self._codes
        absent = -1
        table = np.empty(len(distinct) + 1, dtype=np.int32)
        table[-1] = absent
        for i, value in enumerate(distinct.tolist()):
            if value == "":
                table[i] = absent
            else:
                table[i] = known.setdefault(plain_id(value, f"column {self.column!r} of {source}"), len(known))
        coded = table[codes]
        if not self.optional and (coded == absent).any():
            raise DataError(
                f"column {self.column!r} of {source} must have a value in every row; "
                f"row {first_row + int((coded == absent).argmax())} has none: repair or drop that row"
            )
        return coded

    def finish(self) -> tuple[np.ndarray, np.ndarray]:
        """The ids, integers ascending or strings sorted, and the position of each code (of code −1 it is −1)."""
        ids: list = list(self._codes)
        if self.text and all(INTEGER_TEXT.fullmatch(value) for value in ids):
            ids = [int(value) for value in ids]
        array = id_array(ids, f"column {self.column!r}")
        order = np.argsort(array, kind="stable")
        position = np.full(len(ids) + 1, -1, dtype=np.int32)
        position[order] = np.arange(len(ids))
        return read_only(array[order]), position

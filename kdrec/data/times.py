"""Times of events: numbers are seconds since 1970, text and dates are read as ISO 8601 (UTC where no zone is given)."""

import numpy as np
import pandas as pd

from kdrec.errors import DataError

MICROSECONDS = 1_000_000


def seconds(values: pd.Series, column: str, source: str = "the frame", first_row: int = 1) -> tuple[np.ndarray, str]:
    """Seconds since 1970 of numbers, ISO dates or datetimes.

    Args:
        values: (rows,) as read.
        column, source, first_row: named in errors.

    Returns:
        (rows,) int64, or float64 when a value has a fraction; and which it was, "numbers" or "dates".

    Raises:
        DataError: a value that is absent, negative, infinite, or neither a number nor a date.

    >>> seconds(pd.Series(["2024-01-01", "2024-01-01T00:00:01.5"]), "when")[0].tolist()
    [1704067200.0, 1704067201.5]
    >>> seconds(pd.Series([12, 7]), "when")
    (array([12,  7]), 'numbers')
    """
    numbers = None if pd.api.types.is_datetime64_any_dtype(values) else pd.to_numeric(values, errors="coerce")
    if numbers is not None and (numbers.notna().any() or values.isna().all()):
        found, kind = number_seconds(numbers), "numbers"
    else:
        found, kind = date_seconds(values), "dates"
    wrong = ~(found >= 0) | (found == np.inf)
    if wrong.any():
        at = int(wrong.argmax())
        raise DataError(
            f"time column {column!r} of {source} must hold seconds since 1970 or ISO dates, none absent or negative; "
            f"row {first_row + at} has {values.iloc[at]!s}: repair or drop that row"
        )
    return found, kind


def number_seconds(numbers: pd.Series) -> np.ndarray:
    """Numbers as int64 where they are integers, else float64 with NaN for an absent one."""
    if pd.api.types.is_integer_dtype(numbers) and not numbers.isna().any():
        return numbers.to_numpy(dtype=np.int64)
    return numbers.to_numpy(dtype=np.float64, na_value=np.nan)


def date_seconds(values: pd.Series) -> np.ndarray:
    """ISO text, dates or datetimes as seconds; NaN for what is none of them."""
    dates = pd.to_datetime(values, errors="coerce", utc=True, format="ISO8601")
    absent = dates.isna().to_numpy()
    ticks = dates.dt.tz_localize(None).astype("datetime64[us]").astype("int64").to_numpy()
    if absent.any() or (ticks % MICROSECONDS).any():
        return np.where(absent, np.nan, ticks / MICROSECONDS)
    return ticks // MICROSECONDS

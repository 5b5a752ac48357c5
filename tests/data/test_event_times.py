import datetime

import numpy as np
import pandas as pd
import pytest

from kdrec.data.times import seconds
from kdrec.errors import DataError

DAY = 86_400


@pytest.mark.parametrize(
    ("values", "expected", "dtype"),
    [
        ([3, 1], [3, 1], np.int64),
        ([3.5, 1], [3.5, 1], np.float64),
        (["3", "1"], [3, 1], np.int64),
        (pd.array([3, 1], dtype="Int64"), [3, 1], np.int64),
        (["1970-01-02", "1970-01-01T00:00:01"], [DAY, 1], np.int64),
        (["1970-01-02T00:00:00+01:00", "1970-01-01T00:00:00.25Z"], [DAY - 3600, 0.25], np.float64),
        (pd.to_datetime(["1970-01-03", "1970-01-01"]), [2 * DAY, 0], np.int64),
        (pd.to_datetime(["1970-01-02"]).tz_localize("Europe/Berlin"), [DAY - 3600], np.int64),
        ([datetime.date(1970, 1, 2)], [DAY], np.int64),
    ],
)
def test_numbers_and_dates_are_seconds_since_1970(values, expected, dtype):
    found, _ = seconds(pd.Series(values), "t")
    assert (found.tolist(), found.dtype) == (expected, dtype)


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([1.0, np.nan], "nan"),
        ([1, -5], "-5"),
        ([1.0, np.inf], "inf"),
        (["1", "soon"], "soon"),
        (["2024-01-01", "soon"], "soon"),
        (["2024-01-01", "1969-12-31"], "1969-12-31"),
        (["2024-01-01", None], "(None|nan)"),
        (pd.array([1, None], dtype="Int64"), "<NA>"),
        (pd.to_datetime(["2024-01-01", None]), "NaT"),
    ],
)
def test_wrong_times_are_refused_with_their_row(values, shown):
    rule = "time column 't' of log.csv must hold seconds since 1970 or ISO dates, none absent or negative"
    with pytest.raises(DataError, match=f"{rule}; row 8 has {shown}: repair or drop that row"):
        seconds(pd.Series(values), "t", "log.csv", first_row=7)


def test_a_column_of_nothing_is_refused():
    with pytest.raises(DataError, match="row 1 has nan"):
        seconds(pd.Series([np.nan, np.nan]), "t")

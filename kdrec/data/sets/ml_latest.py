"""MovieLens latest and latest-small, https://grouplens.org/datasets/movielens/latest (they change: no checksum)."""

from pathlib import Path

import pandas as pd

from kdrec.data.feature_tables import features_from_frame
from kdrec.data.interactions import Interactions
from kdrec.data.log_builder import check_column
from kdrec.data.readers import read_table
from kdrec.data.sets.base import folder_of
from kdrec.data.tables import Table

LAYOUT = "ratings.csv and movies.csv, as in ml-latest-small.zip"
COLUMNS = ["movieId", "title", "genres"]
NO_GENRES = "(no genres listed)"


def ml_latest(data_dir: str | Path | None = None) -> Interactions:
    """Read MovieLens latest, latest-small, 20M, 25M or 32M, which share this layout.

    Args:
        data_dir: the folder with `ratings.csv` (userId, movieId, rating, timestamp) and `movies.csv`.

    Returns:
        Interactions with times and ratings; items have `title` and `genres`.

    Raises:
        DataError: a file is missing or damaged.
    """
    folder = folder_of("ml_latest", data_dir, ["ratings.csv", "movies.csv"], LAYOUT)
    log = read_table(folder / "ratings.csv", "userId", "movieId", time_column="timestamp", rating_column="rating")
    path = folder / "movies.csv"
    table = Table(path)
    for name in COLUMNS:
        check_column(table.columns(), name, "a column", str(path))
    frame = pd.concat(table.chunks(COLUMNS, COLUMNS))
    frame["genres"] = frame["genres"].replace(NO_GENRES, "")
    films = features_from_frame(frame, log.item_ids, "movieId", title="title", tags=["genres"], source=str(path))
    return log.with_features(items=films)

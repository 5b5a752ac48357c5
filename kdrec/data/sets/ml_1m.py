"""MovieLens 1M, https://grouplens.org/datasets/movielens/1m (research use only)."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from kdrec.data.feature_tables import read_features
from kdrec.data.interactions import Interactions
from kdrec.data.readers import read_table
from kdrec.data.sets.base import folder_of

SOURCE = ("https://files.grouplens.org/datasets/movielens/ml-1m.zip", "c4d9eecfca2ab87c1945afe126590906")
FILES = ("ratings.dat or interactions.tsv", "movies.dat", "users.dat")
LAYOUT = "ratings.dat (or interactions.tsv: user_id, movie_id, ge3), movies.dat and users.dat, as in ml-1m.zip"


def ml_1m(data_dir: str | Path | None = None, *, download: bool = False) -> Interactions:
    """Read MovieLens 1M: a million ratings of 6,040 users.

    Without `ratings.dat` the folder may hold `interactions.tsv`, which has neither times nor exact ratings: its column
    `ge3` says whether the rating is at least 3, and a rating here is then the lower bound of the true one, 3 or 1.

    Args:
        data_dir: the folder.
        download: fetch it from GroupLens into `data_dir` when the files are not there.

    Returns:
        Interactions with ratings, and with times from `ratings.dat`; items have `title` and `genres`, users `gender`,
        `age` (a group) and `occupation` (a number that the set's README explains).

    Raises:
        DataError: a file is missing or damaged.
    """
    folder = folder_of("ml_1m", data_dir, FILES, LAYOUT, SOURCE if download else None)
    log = rated(folder / "ratings.dat") if (folder / "ratings.dat").is_file() else bounded(folder / "interactions.tsv")
    users = read_features(
        folder / "users.dat",
        log.user_ids,
        "id",
        delimiter="::",
        columns=["id", "gender", "age", "occupation", "zip"],
        category=["gender", "age", "occupation"],
    )
    films = read_features(
        folder / "movies.dat",
        log.item_ids,
        "id",
        delimiter="::",
        columns=["id", "title", "genres"],
        encoding="latin-1",
        quoted=False,
        title="title",
        tags=["genres"],
    )
    return log.with_features(users, films)


def rated(path: Path) -> Interactions:
    """The published `user::item::rating::time`."""
    columns = ["user", "item", "rating", "time"]
    return read_table(path, time_column="time", rating_column="rating", delimiter="::", columns=columns)


def bounded(path: Path) -> Interactions:
    """`user_id, movie_id, ge3`: ratings are 3 where ge3 is 1, else 1."""
    log = read_table(path, "user_id", "movie_id", rating_column="ge3")
    return replace(log, ratings=np.where(log.ratings == 1, 3, 1))

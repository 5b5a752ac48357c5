"""MovieLens 100K, https://grouplens.org/datasets/movielens/100k (research use only)."""

from pathlib import Path

import pandas as pd

from kdrec.data.feature_tables import features_from_frame, read_features
from kdrec.data.features import FeatureTable
from kdrec.data.interactions import Interactions
from kdrec.data.readers import read_table
from kdrec.data.sets.base import folder_of
from kdrec.data.tables import Table

SOURCE = ("https://files.grouplens.org/datasets/movielens/ml-100k.zip", "0e33842e24a9c977be4e0107933c0723")
LAYOUT = "u.data, u.item and u.user, as in ml-100k.zip"
GENRES = (
    "unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary", "Drama", "Fantasy",
    "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western",
)  # fmt: skip


def ml_100k(data_dir: str | Path | None = None, *, download: bool = False) -> Interactions:
    """Read MovieLens 100K: 100,000 ratings of 943 users and 1,682 films.

    Args:
        data_dir: the folder with `u.data`, `u.item` and `u.user`.
        download: fetch it from GroupLens into `data_dir` when the files are not there.

    Returns:
        Interactions with times and ratings; items have `title` and `genres`, users `age`, `gender`, `occupation`.

    Raises:
        DataError: a file is missing or damaged.
    """
    folder = folder_of("ml_100k", data_dir, ["u.data", "u.item", "u.user"], LAYOUT, SOURCE if download else None)
    log = read_table(
        folder / "u.data",
        time_column="time",
        rating_column="rating",
        delimiter="\t",
        columns=["user", "item", "rating", "time"],
    )
    users = read_features(
        folder / "u.user",
        log.user_ids,
        "id",
        delimiter="|",
        columns=["id", "age", "gender", "occupation", "zip"],
        category=["gender", "occupation"],
        numeric=["age"],
    )
    return log.with_features(users, films(folder / "u.item", log))


def films(path: Path, log: Interactions) -> FeatureTable:
    """Titles and genres; the file has one column of 0 and 1 for each genre."""
    columns = ["id", "title", "released", "video", "address", *GENRES]
    table = Table(path, "|", columns, "latin-1", quoted=False)
    table.columns()  # refuses another layout
    frame = pd.concat(table.chunks(columns, ["id", "title", "released", "video", "address"]))
    flags = frame[list(GENRES)].to_numpy() == 1
    frame["genres"] = ["|".join(name for name, has in zip(GENRES, row, strict=True) if has) for row in flags]
    return features_from_frame(frame, log.item_ids, "id", title="title", tags=["genres"], source=str(path))

"""A small log on disk as a user would bring it, and the configuration that reads it."""

from pathlib import Path
from typing import Any

import pandas as pd

from kdrec.config import Config
from kdrec.data.sets.demo import demo

USERS, ITEMS = 150, 60
COLUMNS = {
    "user_column": "who", "item_column": "what", "time_column": "when", "context_columns": ("daypart",),
    "item_id_column": "what", "title_column": "title", "category_columns": ("category",),
}  # fmt: skip
OF_ITEMS = ("item_id_column", "title_column", "category_columns")


def write_small_log(folder: Path) -> None:
    """`log.csv`, one row an event, and `items.csv`, one row an item."""
    log = demo(users=USERS, items=ITEMS)
    daypart = log.context["daypart"]
    pairs = {
        "who": log.user_ids[log.users], "what": log.item_ids[log.items], "when": log.times,
        "daypart": daypart.vocabulary[daypart.codes],
    }  # fmt: skip
    pd.DataFrame(pairs).to_csv(folder / "log.csv", index=False)
    category = log.item_features["category"]
    items = {"what": log.item_ids, "title": log.titles(), "category": category.vocabulary[category.codes]}
    pd.DataFrame(items).to_csv(folder / "items.csv", index=False)


def small(folder: Path, **options: Any) -> Config:
    """A run on the log in a folder that takes seconds."""
    settings: dict[str, Any] = {
        "data": str(folder / "log.csv"), "item_features": str(folder / "items.csv"), **COLUMNS, "teacher": "ease",
        "embedding_dim": 8, "hidden": 16, "epochs": 2, "prune_epochs": 1, "batch_size": 1024, "learning_rate": 0.02,
    }  # fmt: skip
    if options.get("data") == "lightgcn":  # a set by name refuses what is for files
        settings = {name: value for name, value in settings.items() if name not in ("item_features", *COLUMNS)}
    elif options.get("item_features", "items.csv") is None:
        settings = {name: value for name, value in settings.items() if name not in OF_ITEMS}
    return Config(**(settings | options))

"""Histories that only the teacher labels: of users in a file of their own, and made up from those of the log."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from kdrec import describe
from kdrec.config import Config
from kdrec.data.filters import Counts, prepare, sizes
from kdrec.data.interactions import Interactions
from kdrec.data.sampled import sampled_histories, spread
from kdrec.data.splits import Split
from kdrec.distill.batches import training_rows
from kdrec.errors import DataError
from kdrec.load import read_logs
from kdrec.stages import Progress


def are_asked_for(config: Config) -> bool:
    """Whether a configuration has such histories."""
    return config.sampled_histories > 0 or config.unlabelled is not None


def write(split: Split, config: Config, said: Progress, folder: Path) -> None:
    """Leave the pairs of all such users, those of the file first, and what was left out of it in a stage's folder."""
    users, items, counts = np.zeros(0, np.int64), np.zeros(0, np.int32), list[Counts]()
    if config.unlabelled is not None:
        users, items, counts = read_file(config, split.train)
    if config.sampled_histories > 0:
        real = len(training_rows(split.train, split.ordered, config.cuts_per_user)[0])
        rows = max(1, round(config.sampled_histories * real))
        log = sampled_histories(split.train, rows, ordered=split.ordered, seed=config.seed)
        users, items = np.append(users, users.max(initial=-1) + 1 + log.users), np.append(items, log.items)
    np.savez(folder / "pairs.npz", allow_pickle=False, users=users, items=items)
    (folder / "filters.json").write_text(json.dumps([describe.counts(each) for each in counts]))
    left_out = f", {counts[-1].before[0] - counts[-1].after[0]:,} pairs of unknown items left out" if counts else ""
    said("histories", 1, 1, f"{users[-1] + 1:,} histories without a label{left_out}")


def read_file(config: Config, train: Interactions) -> tuple[np.ndarray, np.ndarray, list[Counts]]:
    """The users of the file `unlabelled`, as far as they have items of the catalogue.

    Returns:
        User 0, 1, … and item position of each pair, by user and then in the order of the history; what was left out.

    Raises:
        DataError: a file that cannot be read like `data`, or none of whose items is known.
    """
    log, counts = prepare(read_logs(config, [str(config.unlabelled)])[0], config.minimum_rating)
    known = {str(name): position for position, name in enumerate(train.item_ids.tolist())}
    items = np.array([known.get(str(name), -1) for name in log.item_ids.tolist()], np.int32)[log.items]
    kept = items >= 0
    if not kept.any():
        raise DataError(
            f"unlabelled {config.unlabelled} has no item of the {train.n_items} that are trained on, its ids are like "
            f"{log.item_ids[0]!r} and theirs like {train.item_ids[0]!r}; give a log of the same items"
        )
    counts = [*counts[:-1], Counts("known items", sizes(log), sizes(log.select(kept)))]
    users = np.unique(log.users[kept], return_inverse=True)[1]
    return users, items[kept], [replace(each, name=f"unlabelled: {each.name}") for each in counts]


def read(folder: Path, train: Interactions, ordered: bool) -> Interactions:
    """What `write` left, as users beside those of the log; `with_sampled` joins both."""
    with np.load(folder / "pairs.npz", allow_pickle=False) as stored:
        users, items = stored["users"], stored["items"]
    counts = np.bincount(users)
    names = np.array([f"unlabelled-{number:06d}" for number in range(len(counts))], dtype=object)
    return Interactions(users, items, names, train.item_ids, times=spread(counts)[1] if ordered else None)


def filters(folder: Path) -> list[dict[str, Any]]:
    """What `write` left out of the file, as the report says it."""
    return json.loads((folder / "filters.json").read_text())

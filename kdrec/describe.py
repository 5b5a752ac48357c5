"""What the report says of data, split and stages."""

from typing import Any

from kdrec.data.filters import Counts
from kdrec.data.interactions import joined
from kdrec.data.kept_items import KeptItems
from kdrec.data.splits import Split
from kdrec.stages import Stage

ORDER = {True: "Histories are ordered by time", False: "Histories are sets"}
ON_TEST = {
    True: "on test they hold the training and validation items",
    False: "on test they hold the training items only",
}


def data(name: str, split: Split, filters: list[dict[str, Any]]) -> dict[str, Any]:
    """The log that was split: sizes, summary and what the filters left out."""
    log = joined(joined(split.train, split.valid), split.test)
    pairs = len(log)
    return {
        "name": name,
        "fingerprint": split.fingerprint(),
        "users": split.train.n_users,
        "items": split.train.n_items,
        "pairs": pairs,
        "density": pairs / (split.train.n_users * split.train.n_items),
        "summary": log.summary(),
        "filters": filters,
    }


def split(split: Split) -> dict[str, Any]:
    """How the log was split, and what a history is when judged."""
    more_than_train = len(split.history_source("test")) > len(split.train)
    return {
        "method": split.method,
        "ordered": split.ordered,
        "train_pairs": len(split.train),
        "valid_pairs": len(split.valid),
        "test_pairs": len(split.test),
        "test_users": len(split.users("test")),
        "note": f"{ORDER[split.ordered]}; {ON_TEST[more_than_train]}.",
    }


def vocabulary(split: Split, kept: KeptItems) -> dict[str, Any]:
    """How many items the files know, and how much of the test part is about the others."""
    return {
        "items": kept.n_items,
        "kept": kept.n_kept,
        "tail_share": float((~kept.is_kept[split.test.items]).mean()),
    }


def stage(stage: Stage) -> dict[str, Any]:
    """What a stage cost, or that it was found finished."""
    return {
        "name": stage.name,
        "seconds": stage.seconds,
        "peak_memory_bytes": stage.peak_memory_bytes,
        "cached": stage.cached,
    }


def counts(left: Counts) -> dict[str, Any]:
    """What a filter left, flat."""
    what = ("pairs", "users", "items")
    before = {f"{name}_before": count for name, count in zip(what, left.before, strict=True)}
    return {"name": left.name, **before, **{f"{name}_after": n for name, n in zip(what, left.after, strict=True)}}

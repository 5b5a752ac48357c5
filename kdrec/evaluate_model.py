"""Judge any model on a log: a bundle, a .tflite file, a saved model, a file of scores, or a baseline by name."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kdrec import describe
from kdrec.catalogue import matched, over_log
from kdrec.config import Config
from kdrec.data.splits import Split
from kdrec.errors import DataError
from kdrec.evaluation import baselines
from kdrec.evaluation.ranking import Scorer, evaluate
from kdrec.load import load, name_of

BASELINES = ("popularity", "random")
MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Opened:
    """A model as a scorer on some data.

    Args:
        form: baseline, bundle, file or model.
        scorer: x -> (rows, n_items) over the data's items.
        history_length: what it reads; None leaves it to the scorer.
        unknown_items: items of the data that the model does not know; it can never recommend them.
    """

    form: str
    scorer: Scorer
    history_length: int | None = None
    unknown_items: int = 0


def evaluate_model(
    model: str, config: Config, part: str = "test", progress: Callable[[int, int], None] | None = None
) -> dict[str, Any]:
    """Judge a model as `kdrec run` judges its own: full ranking, seen items masked, ties by their mean.

    Args:
        model: `popularity`, `random`, a bundle's folder, a .tflite file, a saved model, or a file of scores.
        config: its options of the data say on what, `k` the length of the list.
        part: "test" or "valid".
        progress: called with (users done, users in all).

    Returns:
        The model, the data, the split, and the metrics by name; JSON values.

    Raises:
        KdrecError: bad data, no such model, or one that does not fit the data.

    >>> judged = evaluate_model("popularity", Config())
    >>> judged["form"], 0 < judged["metrics"]["recall@10"] < judged["metrics"]["auc"] < 1
    ('baseline', True)
    """
    split, filters = load(config)
    opened = open_model(model, split, config.seed)
    result = evaluate(
        opened.scorer, split, part, ks=(config.k,), history_length=opened.history_length, progress=progress
    )
    return {
        "model": model,
        "form": opened.form,
        "data": describe.data(name_of(config), split, [describe.counts(counts) for counts in filters]),
        "split": describe.split(split),
        "part": part,
        "unknown_items": opened.unknown_items,
        **result.as_dict(),
    }


def open_model(model: str, split: Split, seed: int = 0) -> Opened:
    """A model by its name or path, as a scorer of the split's items."""
    train, path = split.train, Path(model)
    if model == "popularity":
        return Opened("baseline", baselines.popularity(train))
    if model == "random":
        return Opened("baseline", baselines.random(train.n_items, seed))
    if not path.exists():
        raise DataError(
            f"model must be a bundle's folder, a file, or one of {', '.join(BASELINES)}; {model!r} is none and no such "
            f"path exists"
        )
    if (path / MANIFEST).exists():
        return open_bundle(path, split)
    if path.suffix == ".tflite":
        return open_bundle(path.parent, split) if path.with_name(MANIFEST).exists() else open_file(path, train.n_items)

    from kdrec.models import layers  # noqa: F401  # a saved student is made of these
    from kdrec.models.teachers.external import as_teacher

    return Opened("model", as_teacher(path, train.n_items, n_users=train.n_users))


def open_file(path: Path, n_items: int) -> Opened:
    """A .tflite file without a bundle: nothing says what its items are, so they are those of the data, in order."""
    from kdrec.runtime.judge import file_scorer

    scorer = file_scorer(path)
    if scorer.n_items != n_items:
        raise DataError(
            f"{path} scores {scorer.n_items} items and the data has {n_items}; a file without a bundle must score the "
            f"data's items in their order: give its bundle's folder, or the data that it was made from"
        )
    return Opened("file", scorer, scorer.length)


def open_bundle(folder: Path, split: Split) -> Opened:
    """A bundle, its items and context values matched with the data's by id.

    Raises:
        DataError: no item is common to both.
    """
    from kdrec.runtime import Recommender

    recommender = Recommender.load(folder)
    bundle, scorer = recommender.bundle, recommender.scorer()
    ids = split.train.item_ids.tolist()
    unknown = int((matched(ids, bundle.items.ids) < 0).sum())
    if unknown == len(ids):
        raise DataError(
            f"{folder} and the data have no item in common: the bundle's ids are like {bundle.items.ids[0]!r}, the "
            f"data's like {ids[0]!r}; give the data that it was made from, with the same --item-column"
        )
    contexts = {
        name: np.append(np.int32(0), matched(split.train.context[name].vocabulary.tolist(), values) + np.int32(1))
        for name, values in bundle.manifest.context.items()
        if name in split.train.context
    }
    judged = over_log(scorer, bundle.items, ids)

    def score(x: dict[str, np.ndarray]) -> np.ndarray:
        known = {name: table[x[name]] for name, table in contexts.items()}
        return judged({**known, "history": x["history"]})

    return Opened("bundle", score, scorer.length, unknown)

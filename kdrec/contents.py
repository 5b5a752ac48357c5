"""What a bundle says of itself: its manifest and its items."""

import numpy as np

from kdrec import __version__, libraries
from kdrec.bundle.items import Items
from kdrec.bundle.manifest import DataSource, HistoryInput, Manifest
from kdrec.config import Config
from kdrec.data.kept_items import KeptItems
from kdrec.data.splits import Split
from kdrec.export import Exported
from kdrec.targets.base import Target
from kdrec.tflite.oldest_runtime import oldest_runtime


def manifest_of(
    name: str,
    target: Target,
    exported: Exported,
    split: Split,
    config: Config,
    length: int,
    kept: KeptItems | None,
) -> Manifest:
    """The manifest of a file that was exported, before its checksums and its quality are known."""
    n_items, log_items = (split.train.n_items, None) if kept is None else (kept.n_kept, kept.n_items)
    rare = n_items + 1 if kept is not None and kept.bucket else None
    return Manifest(
        name=name,
        target=target.name,
        recipe=exported.job.recipe.name,
        kdrec=__version__,
        libraries=libraries.taking_part(config, target.oracle, target.packages),
        data=DataSource(name, split.fingerprint(), n_items, log_items),
        history=HistoryInput(length, split.ordered, rare),
        context={key: tuple(column.vocabulary.tolist()) for key, column in split.train.context.items()},
        files={},
        signatures=exported.signatures,
        oracle=target.oracle,
        host=exported.host,
        runtime=oldest_runtime(exported.model) if target.oracle == "litert" else None,
    )


def items_of(split: Split, kept: KeptItems | None) -> Items:
    """The items that a file knows, their titles and the most popular first; those that share a row apart."""
    ids, titles, counts = split.train.item_ids, np.array(split.train.titles(), object), split.train.item_counts()
    known = np.arange(len(ids)) if kept is None else kept.positions
    rare = ids[~kept.is_kept] if kept is not None and kept.bucket else ids[:0]
    order = np.argsort(-counts[known], kind="stable")
    return Items.of(ids[known].tolist(), titles[known].tolist(), order.tolist(), rare.tolist())

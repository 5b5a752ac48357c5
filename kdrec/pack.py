"""From a trained student to bundles on disk, and from a bundle to what is judged."""

import gzip
import importlib.util
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import tf_keras as keras

from kdrec import libraries, targets
from kdrec.bench.bundles import bench_bundle
from kdrec.bundle import golden
from kdrec.bundle.fields import parse
from kdrec.bundle.manifest import Manifest
from kdrec.bundle.read import open_bundle
from kdrec.bundle.stored import stored
from kdrec.bundle.write import write_bundle
from kdrec.catalogue import over_log
from kdrec.compress import recipes
from kdrec.config import Config
from kdrec.contents import items_of, manifest_of
from kdrec.data.kept_items import KeptItems
from kdrec.data.splits import Split
from kdrec.distill.batches import TrainingBatches, training_rows
from kdrec.errors import TargetError
from kdrec.export import ExportJob, export_all
from kdrec.export.jobs import MODEL_FILE
from kdrec.export.ranges import within
from kdrec.runtime.judge import judge
from kdrec.runtime.micro_interpreter import MicroFile
from kdrec.targets.base import require
from kdrec.targets.base.vela import REPORT
from kdrec.tflite.sizes import sizes

CALIBRATION_ROWS, GOLDEN_ROWS = 512, 16


def export_jobs(config: Config) -> list[ExportJob]:
    """What is to be exported: one job a target.

    Raises:
        UnknownNameError: no such target or recipe; TargetError: a recipe that a target does not take.
    """
    recipe = recipes.get(config.recipe)
    wanted = [targets.get(target) for target in config.targets]
    for target in wanted:
        if not target.takes(recipe.name):
            taken = (*target.recipes, *target.mixes) if "+" in recipe.name else target.recipes
            raise TargetError(
                f"target {target.name!r} takes the recipe {' or '.join(taken)}, not {recipe.name!r}; "
                f"choose another --recipe, or leave the target out with --target"
            )
    return [
        ExportJob(
            target.name, recipe, target.signatures, target.topk, target.one_subgraph, target.lookup,
            target.max_fc_outputs,
        )
        for target in wanted
    ]  # fmt: skip


def check_targets(config: Config) -> None:
    """Refuse targets and a recipe that cannot be exported, before hours of training.

    Raises:
        KdrecError: as of `export_jobs`; TargetError: what judges or finishes a target's file is not installed.
    """
    export_jobs(config)
    for name in config.targets:
        target = targets.get(name)
        if target.oracle == "tflite-micro" and importlib.util.find_spec("tflite_micro") is None:
            raise TargetError(
                f"target {name!r} is judged by the {target.oracle} interpreter, which is not installed: "
                f"pip install 'kdrec[micro]', or leave the target out with --target"
            )
        for package, extra in target.packages.items():
            if not libraries.versions({package}):
                raise TargetError(
                    f"target {name!r} needs {package}, which is not installed: pip install 'kdrec[{extra}]', "
                    f"or leave the target out with --target"
                )


def export_bundles(
    student: keras.Model,
    split: Split,
    config: Config,
    name: str,
    folder: str | Path,
    kept: KeptItems | None = None,
) -> None:
    """Write a bundle, still without metrics of quality, for each target of a configuration, into `folder/<target>`.

    Args:
        student: trained.
        split, config, name: of the run.
        folder: of the bundles.
        kept: the items that the student knows, where they are not all of the split's.

    Raises:
        ConversionError: the converter refused or died; TargetError: a file breaks a rule of its device, or could not
            be finished for it.
    """
    examples = calibration(split, student, config, kept)
    rows, length = examples["history"].shape
    for exported in export_all(student, export_jobs(config), examples):
        target = targets.get(exported.job.name)
        manifest = manifest_of(name, target, exported, split, config, length, kept)
        cases = [
            {key: values[row].reshape(-1).tolist() for key, values in examples.items()}
            for row in range(min(GOLDEN_ROWS, rows))
        ]
        cases[0]["history"] = [0] * (length - 1) + [1]  # the shortest history, too
        files = {**exported.files, "items.json": items_of(split, kept).to_json()}
        write_exported(Path(folder, target.name), files, manifest, cases)


def write_exported(
    folder: Path, files: Mapping[str, bytes], manifest: Manifest, cases: Sequence[Mapping[str, Sequence[int]]]
) -> None:
    """Write the bundle of an exported file: checked, with golden vectors, and finished as its target wants it.

    Args:
        folder: of the bundle.
        files: the model, its host's tables and items.json, by name.
        manifest: of them; its figures are those of finishing.
        cases: inputs of the golden vectors, which the target's oracle answers from the file before it is finished.

    Raises:
        TargetError: the file breaks a rule of its device, or could not be finished for it.
    """
    target, model = targets.get(manifest.target), files[MODEL_FILE]
    require(model, target)
    files = {**files, "golden.json": golden.make(target.oracle, cases, judge(manifest, files).answers)}
    if target.finish is not None:
        finished = target.finish(model)
        files, manifest = {**files, **finished.files}, replace(manifest, metrics=finished.figures)
    write_bundle(folder, files, manifest)


def calibration(
    split: Split, student: keras.Model, config: Config, kept: KeptItems | None = None
) -> dict[str, np.ndarray]:
    """The histories and contexts by which the converter measures ranges, as a configuration asks for them."""
    examples = representative(split, student, config.seed)
    if kept is not None:
        examples["history"] = kept.read(examples["history"])
    return dict(within(student, examples, config.calibration))


def representative(
    split: Split, student: keras.Model, seed: int, most: int = CALIBRATION_ROWS
) -> dict[str, np.ndarray]:
    """Histories and contexts of the training rows, one from each of equal groups from the shortest to the longest.

    Returns:
        By input of the student, at most so many rows, in random order.
    """
    users, cuts = training_rows(split.train, split.ordered)
    length = student.get_layer("history").input_shape[0][1]
    batches = TrainingBatches(split.train, users, cuts, length, split.ordered, seed=seed)
    rng = np.random.default_rng(seed)
    by_length = np.argsort(cuts, kind="stable")
    groups = np.array_split(by_length, min(most, len(users)))
    x, _ = batches.batch(rng.permutation([rng.choice(group) for group in groups]), rng)
    return {name: x[name] for name in student.input_names}


@dataclass(frozen=True)
class Shipped:
    """A bundle as it is judged: its scorer, the history it reads, and the columns that need no judging."""

    scorer: Callable[[Mapping[str, np.ndarray]], np.ndarray]
    history_length: int
    known: dict[str, Any]


def shipped(folder: Path, split: Split | None = None) -> Shipped:
    """Open a bundle, verified, and measure what is not quality: bytes, latency, arena.

    Latency is that of the signature `score` in LiteRT, whatever the target: history to all scores, for the histories of
    the golden vectors; of a file whose host looks up the history, from the device's inputs on.

    Args:
        folder: of the bundle.
        split: whose items the scorer is to score, of which the file may know a part; None scores the file's own.
    """
    bundle = open_bundle(folder)
    manifest, files = bundle.manifest, bundle.files
    scorer: Any = judge(manifest, files)
    if split is not None:
        scorer = over_log(scorer, bundle.items, split.train.item_ids.tolist())
    model_file = manifest.signatures["score"].file
    models = stored(files, model_file)
    split_up = sizes(files[model_file], manifest.data.n_items, int(manifest.history.rare is not None))
    host = {name: content for name, content in models.items() if name.endswith(".npy")}
    timed = bench_bundle(bundle, "score")
    known: dict[str, Any] = {
        "target": manifest.target,
        "recipe": manifest.recipe,
        "parameters": split_up.parameters + sum(map(_entries, host.values())),
        "bytes": sum(len(content) for content in models.values()),
        "gzip_bytes": sum(len(gzip.compress(content, mtime=0)) for content in models.values()),
        "table_bytes": split_up.tables + sum(map(len, host.values())),
        "overhead_bytes": split_up.overhead,
        "latency_us_p50": timed.latency_us_p50,
        "latency_us_p90": timed.latency_us_p90,
        "latency_us_p99": timed.latency_us_p99,
        # What the target counted; quality is for those to measure who read this.
        **{name: round(value) for name, value in manifest.metrics.items() if not is_judged(name)},
    }
    if manifest.runtime is not None:
        known |= {name: str(runtime) for name, runtime in vars(manifest.runtime).items()}
    if REPORT in files:
        known["placement"] = parse(REPORT, files[REPORT]).key("operators").value
    if manifest.data.log_items is not None:
        left_out = manifest.data.log_items - manifest.data.n_items
        known["saved_bytes"] = round(known["table_bytes"] * left_out / manifest.data.n_items)
    if manifest.oracle == "tflite-micro" and model_file in models:
        one: dict[str, np.ndarray] = {name: np.zeros(1, np.int32) for name in manifest.context}
        one["history"] = np.ones((1, manifest.history.length), np.int32)
        known["arena_bytes"] = MicroFile(files[model_file]).run(one).arena_bytes
    return Shipped(scorer, manifest.history.length, known)


def _entries(array: bytes) -> int:
    return np.load(io.BytesIO(array), allow_pickle=False).size


def is_judged(name: str) -> bool:
    """Whether a figure of a report's row, or of a manifest, is of quality, or of one core: no size of the file itself.

    >>> [is_judged(name) for name in ("ndcg@10", "keep", "on_chip_bytes")]
    [True, True, False]
    """
    return "@" in name or name in ("auc", "keep", "tied_share")


def publish(source: Path, place: Path, metrics: Mapping[str, float]) -> None:
    """Write a judged bundle, its metrics in the manifest beside figures that it has, to where the user finds it."""
    bundle = open_bundle(source)
    write_bundle(place, bundle.files, replace(bundle.manifest, metrics={**bundle.manifest.metrics, **metrics}))

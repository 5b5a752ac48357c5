"""Small students of every kind in every recipe, as files with golden vectors, which min_runtime.py has runtimes answer.

Their weights are random, for a runtime that rounds otherwise shows it without any training. The demo's files join them.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tf_keras as keras

from kdrec import converter, targets
from kdrec.bench.bundles import golden_inputs
from kdrec.bundle.manifest import NAME as MANIFEST
from kdrec.bundle.read import open_bundle
from kdrec.compress import recipes
from kdrec.export import ExportJob, export_all
from kdrec.models import encoders, tables
from kdrec.models.students.history import history
from kdrec.runtime.host import Host
from kdrec.runtime.interpreter import LiteRtFile

MODEL, GOLDEN = "model.tflite", "golden.npz"
ITEMS, MANY_ITEMS, WIDTH, LENGTH, HIDDEN, TOPK = 300, 20_003, 32, 20, 64, 10  # many: lists are found on two levels
CALLS = 2 * LENGTH  # of every length, twice
CONTEXT = {"hour": 4, "place": 6}
Calls = Sequence[Mapping[str, np.ndarray]]


def kinds() -> dict[str, dict[str, Any]]:
    """Options of a student by the name of its kind: every encoder, alone and with all else, and every item table."""
    both = {name: {"encoder": name} for name in encoders.names()}
    more = {
        f"{name}, context, untied": {"encoder": name, "context": CONTEXT, "tied": False} for name in encoders.names()
    }
    stored = {f"table {name}": {"table": name} for name in tables.names() if name != "full"}
    return {
        **both,
        **more,
        **stored,
        "table quotient_remainder, sum": {"table": "quotient_remainder", "table_options": {"operation": "sum"}},
        "set": {"ordered": False},
        "attention, set": {"encoder": "attention", "ordered": False},
        "rare items": {"unranked": 1},
        "many items": {"n_items": MANY_ITEMS},
    }


def jobs(kind: str) -> list[ExportJob]:
    """Every recipe that LiteRT takes, and the Edge TPU's file; of the plain student every mixed recipe, too."""
    android, coral = targets.get("android"), targets.get("coral_edgetpu")
    names = [*android.recipes, *(android.mixes if kind == "mean" else ())]
    return [
        *(ExportJob(name, recipes.get(name), android.signatures, TOPK) for name in names),
        ExportJob(
            coral.name, recipes.get(coral.recipe), coral.signatures, None, coral.one_subgraph, coral.lookup,
            coral.max_fc_outputs,
        ),
    ]  # fmt: skip


def write(place: Path) -> list[Path]:
    """Write a folder a file, `model.tflite` with golden vectors of the LiteRT that is installed.

    Returns:
        The folders, in order.
    """
    with converter.keep():
        return [*_of_students(place), *_of_bundles(place)]


def _of_students(place: Path) -> Iterator[Path]:
    for kind, options in kinds().items():
        rng = np.random.default_rng(7)
        student = random_student(**options)
        calibration, asked = (tokens(student, rng, rows) for rows in (100, CALLS))
        calls = [{name: values[row : row + 1] for name, values in asked.items()} for row in range(CALLS)]
        for exported in export_all(student, jobs(kind), calibration):
            if exported.host is None:
                device_calls: Calls = calls
            else:
                edges = LiteRtFile(exported.model).ends("score").inputs
                device_calls = list(map(Host(exported.host, exported.files, edges), calls))
            yield _written(place / f"{kind}, {exported.job.name}", exported.model, device_calls)


def _of_bundles(place: Path) -> Iterator[Path]:
    """The demo's committed files, with the inputs of their own golden vectors."""
    demo = Path(__file__).parents[2] / "tflite_models" / "demo"
    for folder in sorted(manifest.parent for manifest in demo.glob(f"*/{MANIFEST}")):
        bundle = open_bundle(folder)
        if bundle.manifest.oracle != "litert":
            continue
        yield _written(place / f"demo, {folder.name}", bundle.files[MODEL], golden_inputs(bundle))


def random_student(n_items: int = ITEMS, **options: Any) -> keras.Model:
    """A student whose weights are random, biases too, as if it were trained."""
    rng = np.random.default_rng(5)
    student = history(
        n_items, embedding_dim=WIDTH, history_length=LENGTH, hidden=HIDDEN, item_counts=rng.permutation(n_items),
        **options,
    )  # fmt: skip
    for layer in student.layers:
        if layer.name == "item_table" and options.get("table", "full") != "full":
            layer.fit(0.2 * rng.normal(size=(n_items, WIDTH)))
            continue
        layer.set_weights([weight + 0.2 * rng.normal(size=weight.shape) for weight in layer.get_weights()])
        if layer.name == "item_table":
            (table,) = layer.get_weights()
            layer.set_weights([np.vstack([0 * table[:1], table[1:]])])
    return student


def tokens(student: keras.Model, rng: np.random.Generator, rows: int) -> dict[str, np.ndarray]:
    """(rows, LENGTH) histories, right-aligned, of every length from 1, and (rows,) values of each context feature."""
    n_items, filled = student.output_shape[1], np.zeros((rows, LENGTH), np.int32)
    for row, each in enumerate(filled):
        n = row % LENGTH + 1
        each[LENGTH - n :] = rng.choice(n_items, n, replace=False) + 1
    context = {name: rng.integers(0, CONTEXT[name] + 1, rows).astype(np.int32) for name in student.input_names[1:]}
    return {"history": filled, **context}


def _written(folder: Path, model: bytes, calls: Calls) -> Path:
    """The file and its golden vectors: (calls, …) by "signature/inputs/name" and "signature/outputs/name"."""
    file, golden = LiteRtFile(model), {}
    for signature in file.signatures:
        answers = [file.run(signature, call) for call in calls]
        for way, rows in (("inputs", calls), ("outputs", answers)):
            golden |= {f"{signature}/{way}/{name}": np.stack([row[name] for row in rows]) for name in rows[0]}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MODEL).write_bytes(model)
    np.savez(folder / GOLDEN, allow_pickle=False, **golden)
    print(folder.name)
    return folder

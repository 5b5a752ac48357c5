"""Item tables compared at equal bytes: each shrunk until its Android file is as large as a full table's of some width.

    .venv/bin/python scripts/benchmarks/tables.py
    .venv/bin/python scripts/benchmarks/tables.py --data-dir DIR

Without --data-dir the demo's data are used; DIR holds train.txt, valid*.txt and test.txt of MovieLens-1M, the split of
LightGCN++, and its students listen to the teacher of ml_1m.py. A full student of --width is distilled, and every table
is fitted to its own and trained on; `full` is distilled at the width that the bytes allow. Of a table's variants, the
one that is best on validation is judged on test. Bytes are equal to about a hundred; runs go on where they were cut.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from configs import ML_1M
from rich.console import Console
from setting import key_of

from kdrec import experiment, forms, pack, procedures, steps
from kdrec.config import Config
from kdrec.data.splits import Split
from kdrec.export import export
from kdrec.files import atomic_write
from kdrec.judge import Judge
from kdrec.stages import Stages, curve_of

DEMO = Config(hidden=32, sparsity=0.0, targets=("android",), table_epochs=4)
EPOCHS = 15  # of MovieLens-1M's tables
FULL_WIDTHS = (8, 16, 24)  # of the full tables whose files say how many bytes the others have
MEASURED = ("bytes", "table_bytes", "overhead_bytes", "latency_us_p50", "ndcg@10", "ndcg@10_low", "ndcg@10_high")

# Variant -> table, options, and the option that grows until the bytes are used up, with its range for n items.
Variant = tuple[str, dict[str, Any], str, Callable[[int], range]]
VARIANTS: dict[str, Variant] = {
    "hashing": ("hashing", {}, "rows", lambda n: range(1, n + 1)),
    "product of quotient and remainder": (
        "quotient_remainder", {"operation": "product"}, "rows", lambda n: range(int(n**0.5) + 1, n + 1),
    ),
    "sum of quotient and remainder": (
        "quotient_remainder", {"operation": "sum"}, "rows", lambda n: range(int(n**0.5) + 1, n + 1),
    ),
    **{
        f"{books} codes": ("codebooks", {"books": books}, "pieces", lambda n: range(2, min(n + 1, 128) + 1))
        for books in (4, 8)
    },
    **{
        f"two widths, tail of {tail}": ("adaptive", {"tail_dim": tail}, "head", lambda n: range(1, 100))  # per cent
        for tail in (2, 6)
    },
}  # fmt: skip
say = Console(stderr=True).log


def numbers(config: Config, split: Split) -> int:
    """The bytes of all numbers that a student's int8 file stores: four of a bias, one of any other."""
    weights = forms.build_student(replace(config, table_epochs=0), split).weights
    return sum(int(np.prod(weight.shape)) * (4 if "bias" in weight.name else 1) for weight in weights)


def rest(config: Config, split: Split) -> int:
    """The bytes of a file beside its numbers, which its graph decides: seen on a student that nobody trained."""
    student, rng = forms.build_student(replace(config, table_epochs=0), split), np.random.default_rng(0)
    for weight in student.trainable_weights:  # equal constants, such as biases of zeros, would be stored once
        weight.assign_add(0.01 * rng.normal(size=weight.shape))
    (job,) = pack.export_jobs(config)
    return len(export(student, job, pack.representative(split, student, 0)).model) - numbers(config, split)


def once(work: Path, key: Any, make: Callable[[], Any]) -> Any:
    """What was found for a key, found now or in an earlier run."""
    place = work / "done" / f"{key_of(key)}.json"
    if not place.exists():
        atomic_write(place, json.dumps(make()))
    return json.loads(place.read_text())


def largest(variant: Variant, config: Config, split: Split, limit: int, work: Path) -> Config | None:
    """The configuration of a variant with the most bytes up to a limit; None when even the fewest are more."""
    table, options, growing, values_of = variant
    values = values_of(split.train.n_items)

    def of(value: int) -> Config:
        share = value / 100 if growing == "head" else value
        return replace(config, table=table, table_options={**options, growing: share})

    shown = of(values[len(values) // 2])  # how many rows a table has does not change its graph
    beside = once(work, ["beside", json.loads(shown.to_json())], lambda: rest(shown, split))
    if numbers(of(values[0]), split) + beside > limit:
        return None
    low, high = 0, len(values) - 1
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if numbers(of(values[middle]), split) + beside <= limit else (low, middle - 1)
    return of(values[low])


def judged(config: Config, work: Path) -> dict[str, Any]:
    """Train what a configuration says, and judge its file."""
    stages = Stages(work, None, partial(steps.make_deterministic, config.seed))
    data, split = procedures.read(stages, config)
    trained, exported = experiment.written(stages, data, split, config, plain=False)
    logs = curve_of(list(trained.students.values())[-1].stage.folder)
    shipped = pack.shipped(exported.folder / "android")
    row = Judge(split, config.k).row("file", "file", shipped.scorer, shipped.history_length, **shipped.known)
    return {"valid_ndcg@10": max(log["val_ndcg@10"] for log in logs), **{name: row[name] for name in MEASURED}}


def compare(config: Config, width: int, widths: tuple[int, ...], work: Path) -> list[dict[str, Any]]:
    """A row for each table at each number of bytes, the best variant of its table on validation."""
    stages = Stages(work, None, partial(steps.make_deterministic, config.seed))
    split = procedures.read(stages, config)[1]

    def found_once(asked: Config) -> dict[str, Any]:
        return once(work, json.loads(asked.to_json()), lambda: judged(asked, work))

    rows = []
    for narrow in widths:
        epochs = config.epochs + config.table_epochs  # as many as the others have in all
        full = replace(config, embedding_dim=narrow, table="full", table_epochs=0, epochs=epochs)
        found = {"full": [{"variant": f"width {narrow}", **found_once(full)}]}
        limit = found["full"][0]["bytes"]
        for name, variant in VARIANTS.items():
            asked = largest(variant, replace(config, embedding_dim=width), split, limit, work)
            if asked is None:
                say(f"{limit:,} bytes: no file of {name} is as small")
                continue
            say(f"{limit:,} bytes: {name} {asked.table_options}")
            options = {"variant": name, "options": asked.table_options}
            found.setdefault(asked.table, []).append({**options, **found_once(asked)})
        for table, tried in found.items():
            best = max(tried, key=lambda row: row["valid_ndcg@10"])
            rows.append({"limit": limit, "table": table, **best, "tried": [row["variant"] for row in tried]})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", help="folder of MovieLens-1M; without it the demo's data")
    parser.add_argument("--width", type=int, default=32, help="of the rows that the other tables stand for")
    parser.add_argument("--full-widths", type=int, nargs="+", default=FULL_WIDTHS, help="whose files give the bytes")
    parser.add_argument("--work", type=Path, default=Path("runs/benchmarks/tables"), help="where a cut run goes on")
    given = parser.parse_args()
    config = DEMO if given.data_dir is None else replace(ML_1M, data_dir=given.data_dir, table_epochs=EPOCHS)
    name = "demo" if given.data_dir is None else "ml_1m"
    rows = compare(config, given.width, given.full_widths, given.work / name)
    result = {"data": name, "width": given.width, "rows": rows, "config": json.loads(config.to_json())}
    result["config"]["data_dir"] = None
    place = Path(__file__).parent / f"tables_{name}.json"
    atomic_write(place, json.dumps(result, indent=1, sort_keys=True) + "\n")
    for row in rows:
        say(f"{row['limit']:>8,} {row['table']:<20}{row['variant']:<36}{row['bytes']:>8,} {row['ndcg@10']:.4f}")


if __name__ == "__main__":
    main()

"""Run a configuration, of a grid the best one on validation, with several seeds, and report test.

    .venv/bin/python scripts/seeds.py demo
    .venv/bin/python scripts/seeds.py ml-100k --data-dir DIR/ml-100k --grid '{"student_loss_weight": [0.3, 0.6]}'

Without --grid nothing is chosen: the defaults are run. Every run is a `kdrec run`,
resumable; the figures are written to scripts/results/<data>.json.
"""

import argparse
import json
from dataclasses import asdict, replace
from itertools import product
from pathlib import Path

import numpy as np

from kdrec import experiment
from kdrec.config import Config
from kdrec.data.splits import Split
from kdrec.evaluation.ranking import evaluate
from kdrec.files import atomic_write
from kdrec.load import load
from kdrec.models import teachers
from kdrec.models.teachers.als import als

SEEDS = (0, 1, 2)
METRICS = ("ndcg@10", "recall@10")


def chosen(config: Config, grid: dict[str, list], work: Path) -> tuple[Config, list[dict]]:
    """The setting of the grid whose distilled student is best on validation, and what each setting reached there."""
    tried = []
    for setting in settings(grid):
        report = experiment.run(replace(config, targets=("android",), **setting), work / "tried", work)
        reached = max(epoch["val_ndcg@10"] for epoch in report["curves"]["student_distilled"])
        tried.append({**setting, "val_ndcg@10": reached})
        print(tried[-1], flush=True)
    best = max(tried, key=lambda entry: entry["val_ndcg@10"])
    return replace(config, **{name: best[name] for name in grid}), tried


def settings(grid: dict[str, list]) -> list[dict]:
    """Every combination of the grid's values."""
    return [dict(zip(grid, values, strict=True)) for values in product(*grid.values())]


def als_of_same_width(split: Split, config: Config, seed: int) -> dict[str, float]:
    """implicit's ALS with as many factors as the student has dimensions, its settings chosen on validation."""
    fitted = [
        als(split.train, seed=seed, factors=config.embedding_dim, **setting)
        for setting in settings({"regularization": [1.0, 10.0, 50.0], "alpha": [1.0, 5.0], "recency": [None, 8.0]})
    ]
    best = max(fitted, key=lambda teacher: evaluate(teacher, split, "valid").metrics["ndcg@10"])
    return {name: evaluate(best, split, "test").metrics[name] for name in METRICS}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="name of a data set")
    parser.add_argument("--data-dir", help="folder that holds it")
    parser.add_argument(
        "--teacher", default="two_tower", help=f"one of {', '.join(teachers.names())}, or several by comma"
    )
    parser.add_argument("--teacher-options", type=json.loads, default={}, help="JSON")
    parser.add_argument("--grid", type=json.loads, default={}, help='JSON, for example {"temperature": [0.3, 0.5]}')
    parser.add_argument("--work", type=Path, default=Path("runs/seeds"))
    arguments = parser.parse_args()

    config = Config(
        data=arguments.data, data_dir=arguments.data_dir, teacher=arguments.teacher,
        teacher_options=arguments.teacher_options,
    )  # fmt: skip
    place = Path(__file__).parent / "results" / f"{arguments.data}.json"
    result = measured(config, arguments.grid, arguments.work / arguments.data)
    atomic_write(place, json.dumps(result, indent=1, sort_keys=True) + "\n")
    print(f"written to {place}")


def measured(config: Config, grid: dict[str, list], work: Path) -> dict:
    """The figures of each seed and their summary, with the configuration that was run and how it was chosen."""
    config, tried = chosen(config, grid, work) if grid else (config, [])
    runs = []
    for seed in SEEDS:
        seeded = replace(config, seed=seed)
        report = experiment.run(seeded, work / f"out-{seed}", work)
        split, _ = load(seeded)  # `work` holds the splits of all seeds
        rows = {row["name"]: {name: row[name] for name in METRICS} for row in report["rows"]}
        runs.append({**rows, "als_same_width": als_of_same_width(split, seeded, seed)})
        print(seed, {name: round(row["ndcg@10"], 4) for name, row in runs[-1].items()}, flush=True)
    summary = {
        name: {
            metric: {"mean": float(np.mean(values)), "deviation": float(np.std(values, ddof=1))}
            for metric in METRICS
            for values in [[run[name][metric] for run in runs]]
        }
        for name in runs[0]
    }
    used = {name: value for name, value in asdict(config).items() if name not in ("data_dir", "seed")}
    return {
        "data": config.data, "seeds": list(SEEDS), "embedding_dim": config.embedding_dim, "config": used,
        "tried_on_validation": tried, "chosen": {name: used[name] for name in grid},
        "summary": summary, "runs": runs,
    }  # fmt: skip


if __name__ == "__main__":
    main()

"""The smallest file that keeps 98 % of the teacher's NDCG, and every file that no smaller one beats: `kdrec search`.

    .venv/bin/python scripts/benchmarks/search.py --data-dir DIR --trials 40

DIR holds train.txt, valid*.txt and test.txt of MovieLens-1M, the split of LightGCN++; without it the demo's data are
used. Varied are the sizes, the precision and the items, which decide the bytes, and the learning rate, whose best value
depends on the width; losses, temperature and weights stay as validation chose them for ml_1m.py.

Trials are chosen by validation and kept in --work: the same command adds more, `--trials 0` only writes the result,
and several processes may share --work once the first one has trained the teacher. Each judges the files of its front on
test when it ends; the last one to end writes what all of them found.
"""

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from configs import ML_1M, QUICK, parser, task, without_place
from rich.console import Console

from kdrec import pack
from kdrec.cli.search import line
from kdrec.config import Config
from kdrec.data.splits import Split
from kdrec.judge import Judge
from kdrec.load import load
from kdrec.search.goal import Goal
from kdrec.search.result import for_report
from kdrec.search.study import search

GOAL = Goal(keep=0.98)
OVER = ("embedding_dim", "hidden", "recipe", "vocabulary", "learning_rate")
DEMO = Config(sparsity=0.0, targets=("android",))
TRIAL = {"epochs": 25}  # 42 in ml_1m.py: forty trials have to end
say = Console(stderr=True).log


def on_test(bundle: Path, split: Split, k: int) -> dict[str, Any]:
    """What the file of a bundle reaches on the test part."""
    shipped = pack.shipped(bundle, split)
    row = Judge(split, k).row("file", "file", shipped.scorer, shipped.history_length)
    return {f"test_{name}": row[name] for name in (f"ndcg@{k}", f"ndcg@{k}_low", f"ndcg@{k}_high", f"recall@{k}")}


def main() -> None:
    asked = parser(__doc__)
    asked.add_argument("--trials", type=int, default=40, help="how many more this process tries")
    given = asked.parse_args()
    config = DEMO if given.data_dir is None else replace(ML_1M, data_dir=given.data_dir, **TRIAL)
    config = replace(config, **(QUICK if given.quick else {}))
    of_set, k = task("search", given), config.k
    out = of_set.work / f"best-{os.getpid()}"  # no two processes write into one
    found = search(
        config, GOAL, trials=given.trials, over=OVER, out=out, work=of_set.work, ended=lambda row: say(line(row))
    )
    split, _ = load(config)
    fronts = {row["number"]: on_test(out / "front" / f"trial_{row['number']}" / "android", split, k)
              for row in found["trials"] if row["front"]}  # fmt: skip
    report = json.loads((out / "report.json").read_text())
    teacher = next(row for row in report["rows"] if row["name"] == "teacher")
    shown = for_report(found)
    ended = [row for row in shown["trials"] if row["state"] != "running"]  # by another process, or cut
    shown["trials"] = [row | fronts.get(row["number"], {}) for row in ended]
    shown["best"]["config"] = without_place(found["best"]["config"])
    shown["teacher"] = {name: teacher[name] for name in (f"ndcg@{k}", f"recall@{k}")}
    say(f"written to {of_set.write({**shown, 'over': OVER}, config)}")


if __name__ == "__main__":
    main()

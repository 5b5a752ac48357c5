"""What distillation, pruning, clustering and rounding bring, alone, together and in another order: `kdrec compare`.

    .venv/bin/python scripts/benchmarks/compare.py
    .venv/bin/python scripts/benchmarks/compare.py --data-dir DIR

Without --data-dir the demo's data are used; DIR holds train.txt, valid*.txt and test.txt of MovieLens-1M, the split of
LightGCN++, and its students listen to the teacher of ml_1m.py. Stages that variants share are trained once, and a cut
run goes on in --work. `compare_table.py` makes the table of the result.
"""

from dataclasses import replace
from typing import Any

from configs import ML_1M, QUICK, parser, task
from rich.console import Console

from kdrec.compare import compare
from kdrec.config import Config
from kdrec.report.table import COMPARED

DEMO = Config()
EVERY_STEP: dict[str, Any] = {
    "sparsity": 0.5, "prune_epochs": 10, "clusters": 16, "cluster_epochs": 5, "quantize_epochs": 10,
}  # fmt: skip
ONCE = {"prune_epochs": 1, "cluster_epochs": 1, "quantize_epochs": 1}
OF_FORM = ("form", "target", "recipe")
say = Console(stderr=True).log


def kept(row: dict[str, Any], k: int) -> dict[str, Any]:
    """What the README's table needs of a row, and the interval of its quality."""
    names = [name.replace("@k", f"@{k}") for name in (*COMPARED, "ndcg@k_low", "ndcg@k_high")]
    return {name: row.get(name) for name in (*names, *OF_FORM)}


def main() -> None:
    given = parser(__doc__).parse_args()
    config = DEMO if given.data_dir is None else replace(ML_1M, data_dir=given.data_dir)
    config = replace(config, targets=("android",), **(EVERY_STEP | (QUICK | ONCE if given.quick else {})))
    of_set = task("compare", given)

    def progress(stage: str, done: int, total: int, note: str) -> None:
        if stage.startswith("compare: "):
            say(stage)

    report = compare(config, out=of_set.work / "out", work=of_set.work, progress=progress)
    teacher = next(row for row in report["rows"] if row["name"] == "teacher")
    rows = [kept(row, config.k) for row in (teacher, *report["comparison"])]
    say(f"written to {of_set.write({'k': config.k, 'rows': rows}, config)}")


if __name__ == "__main__":
    main()

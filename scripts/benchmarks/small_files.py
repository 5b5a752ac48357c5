"""CiteULike and MovieLens-1M: the best file for its bytes, and rounding afterwards against training under rounding.

    .venv/bin/python scripts/benchmarks/small_files.py --data-dir DIR

DIR holds both sets, citeulike-t/td_loo_fullrank and ml-1m/lightgcnpp_ge3. Teachers and students are those of
citeulike.py and ml_1m.py, and are taken from --work if these have run. `--only citeulike` measures one set and leaves
the other's results as they were.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import citeulike
import ml_1m
from base import Benchmark, built_ensemble
from setting import Setting, arguments, seeded, summary
from students import say

from kdrec.compress import quantize_aware, recipes
from kdrec.compress.shared_rows import share_rows
from kdrec.data.kept_items import KeptItems
from kdrec.data.sets.citeulike import citeulike as citeulike_set
from kdrec.data.sets.lightgcn import lightgcn
from kdrec.files import atomic_write
from kdrec.judge import keras_scorer
from kdrec.steps import make_deterministic

PLACE = Path(__file__).with_suffix(".json")
EPOCHS, SHARE = 20, 0.5  # of training under rounding, and its share of the learning rate
LONG, WHOLE = 60, 1.0  # the same of the best files for their bytes


@dataclass(frozen=True)
class Smaller:
    """What is made of a student.

    Args:
        recipe: precision of its file.
        epochs: of training under rounding; 0 rounds the trained student.
        vocabulary: so many of the most popular items keep a row; None: all.
        most_bytes: that the file may have; None for a row that is no answer to a budget.
        rate_share: of the student's learning rate, while it is trained under rounding.
    """

    recipe: str
    epochs: int
    vocabulary: int | None = None
    most_bytes: int | None = None
    rate_share: float = SHARE


class SmallFiles(Benchmark):
    """Files of students that `Students` trains."""

    def run_smaller(self, setting: Setting, smaller: Smaller) -> dict[str, Any]:
        """The file of a student that was made smaller, judged on validation and test."""
        return self.once({**asdict(setting), **asdict(smaller)}, lambda: self._smaller(setting, smaller))

    def _smaller(self, setting: Setting, smaller: Smaller) -> dict[str, Any]:
        student, _ = self.student(setting)
        how = "trained under rounding" if smaller.epochs else "rounded"
        say(f"{self.name}: {smaller.recipe}, {how}, d={setting.embedding_dim}, seed {setting.seed}")
        start, split, kept = time.perf_counter(), self.splits[setting.left_out], None
        if smaller.vocabulary is not None:
            whole, counts = student, split.train.item_counts()
            kept = KeptItems.best(counts, smaller.vocabulary, bucket=False)
            student = self.untrained(setting, kept)
            share_rows(whole, student, kept.positions, counts)
        if smaller.epochs:
            make_deterministic(setting.seed + 1)
            rounded = quantize_aware.quantizable(student, recipes.get(smaller.recipe))
            rate = smaller.rate_share * setting.learning_rate
            self.fit(rounded, replace(setting, epochs=smaller.epochs, learning_rate=rate, seed=setting.seed + 1))
            student = quantize_aware.strip(rounded)
        row = {"setting": asdict(setting), "method": how, **asdict(smaller)}
        row["seconds"] = time.perf_counter() - start
        row |= self.judged("float", keras_scorer(student), setting.left_out, setting.history_length)
        return row | self.file(student, setting, smaller.recipe, ("valid", "test"), kept)

    def rows(self, wanted: Sequence[tuple[Setting, Smaller]], seeds: Sequence[int]) -> list[dict[str, Any]]:
        """A row each over seeds."""
        return [
            summary([self.run_smaller(one, smaller) for one in seeded(setting, seeds)]) | asdict(smaller)
            for setting, smaller in wanted
        ]


KERNELS = "int8+item_table=int4+linear=int4+hidden=int4+residual=int4"
ROUNDED, TRAINED = Smaller("int4_table", 0), Smaller("int4_table", EPOCHS)
INT8, INT8_TRAINED = Smaller("int8", 0), Smaller("int8", EPOCHS)
# Of ML-1M: most bytes of a file -> embedding_dim, hidden and items with a row; what else was tried is in LOG.md.
BUDGETS = {40 * 1024: (40, 64, 1500), 72 * 1024: (48, 96, 2500), 128 * 1024: (96, 128, 2200)}


def citeulike_rows() -> list[tuple[Setting, Smaller]]:
    """Rows of 5, 10, 20 and 64 bytes, twice as wide in four bits."""
    rates = {**citeulike.WIDTHS, 5: 0.01, 40: 0.005, 128: 0.004}

    def of(width: int) -> Setting:
        return replace(citeulike.RECIPE, embedding_dim=width, learning_rate=rates[width])

    found = []
    for row_bytes in (5, 10, 20, 64):
        found += [(of(row_bytes), INT8), (of(2 * row_bytes), ROUNDED), (of(2 * row_bytes), TRAINED)]
    return found


def ml_1m_rows() -> list[tuple[Setting, Smaller]]:
    """Rounding afterwards and training under rounding, at eight bits and at four; then the best file for its bytes."""
    both = ml_1m.SCORES | ml_1m.RANKS
    rates = {**ml_1m.WIDTHS, 40: 0.006, 48: 0.006, 96: 0.004}
    setting = replace(ml_1m.RECIPE, embedding_dim=32, learning_rate=rates[32], losses=ml_1m.SCORES)
    found = [(setting, smaller) for smaller in (INT8, INT8_TRAINED, ROUNDED, TRAINED)]
    for most, (width, hidden, items) in BUDGETS.items():
        setting = replace(
            ml_1m.RECIPE, embedding_dim=width, hidden=hidden, learning_rate=rates[width],
            losses=both if width >= 64 else ml_1m.SCORES,
        )  # fmt: skip
        found.append((setting, Smaller(KERNELS, LONG, items, most, WHOLE)))
    return found


SETS = {
    "citeulike": ("citeulike-t/td_loo_fullrank", citeulike_set, citeulike, citeulike_rows),
    "ml_1m": ("ml-1m/lightgcnpp_ge3", lightgcn, ml_1m, ml_1m_rows),
}


def main() -> None:
    given = arguments(__doc__, "")
    result = json.loads(PLACE.read_text()) if PLACE.exists() else {}
    for name, (folder, read, of, rows) in SETS.items():
        if given.only in (None, name):
            teacher = built_ensemble(of.TEACHER)
            benchmark = SmallFiles(name, read(given.data_dir / folder), teacher, of.TEACHER, of.METRICS, given.work)
            result[name] = {
                "metrics": of.METRICS, "teacher": benchmark.teacher_row(), "rows": benchmark.rows(rows(), given.seeds),
            }  # fmt: skip
            atomic_write(PLACE, json.dumps(result, indent=1, sort_keys=True) + "\n")
            say(f"written to {PLACE}")


if __name__ == "__main__":
    main()

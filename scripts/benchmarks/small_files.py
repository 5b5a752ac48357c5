"""CiteULike and MovieLens-1M: what item rows of four bits reach, rounded afterwards and trained under rounding.

    .venv/bin/python scripts/benchmarks/small_files.py --data-dir DIR

DIR holds both sets, citeulike-t/td_loo_fullrank and ml-1m/lightgcnpp_ge3. Teachers and students are those of
citeulike.py and ml_1m.py, and are taken from --work if these have run. `--only citeulike` does one set, and writes
nothing.
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
from kdrec.data.sets.citeulike import citeulike as citeulike_set
from kdrec.data.sets.lightgcn import lightgcn
from kdrec.files import atomic_write
from kdrec.judge import keras_scorer
from kdrec.steps import make_deterministic

PLACE = Path(__file__).with_suffix(".json")
EPOCHS, SHARE = 20, 0.5  # of training under rounding, and its share of the learning rate


@dataclass(frozen=True)
class Smaller:
    """What is made of a student.

    Args:
        recipe: precision of its file.
        epochs: of training under rounding; 0 rounds the trained student.
    """

    recipe: str
    epochs: int


class SmallFiles(Benchmark):
    """Files of students that `Students` trains."""

    def run_smaller(self, setting: Setting, smaller: Smaller) -> dict[str, Any]:
        """The file of a student that was made smaller, judged on validation and test."""
        return self.once({**asdict(setting), **asdict(smaller)}, lambda: self._smaller(setting, smaller))

    def _smaller(self, setting: Setting, smaller: Smaller) -> dict[str, Any]:
        student, _ = self.student(setting)
        how = "trained under rounding" if smaller.epochs else "rounded"
        say(f"{self.name}: {smaller.recipe}, {how}, d={setting.embedding_dim} seed {setting.seed}")
        start = time.perf_counter()
        if smaller.epochs:
            make_deterministic(setting.seed + 1)
            rounded = quantize_aware.quantizable(student, recipes.get(smaller.recipe))
            rate = SHARE * setting.learning_rate
            self.fit(rounded, replace(setting, epochs=smaller.epochs, learning_rate=rate, seed=setting.seed + 1))
            student = quantize_aware.strip(rounded)
        row = {"setting": asdict(setting), "method": f"{smaller.recipe}, {how}", **asdict(smaller)}
        row["seconds"] = time.perf_counter() - start
        row |= self.judged("float", keras_scorer(student), setting.left_out, setting.history_length)
        return row | self.file(student, setting, smaller.recipe, ("valid", "test"))

    def rows(self, wanted: Sequence[tuple[Setting, Smaller]], seeds: Sequence[int]) -> list[dict[str, Any]]:
        """A row each, over seeds."""
        return [
            summary([self.run_smaller(one, smaller) for one in seeded(setting, seeds)]) | asdict(smaller)
            for setting, smaller in wanted
        ]


ROUNDED, TRAINED = Smaller("int4_table", 0), Smaller("int4_table", EPOCHS)
INT8, INT8_TRAINED = Smaller("int8", 0), Smaller("int8", EPOCHS)


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
    """Rounding afterwards and training under rounding, at eight bits and at four."""
    losses = {16: ml_1m.SCORES, 32: ml_1m.SCORES, 64: ml_1m.SCORES | ml_1m.RANKS}  # as chosen in ml_1m.json
    found = []
    for width, soft in losses.items():
        setting = replace(ml_1m.RECIPE, embedding_dim=width, learning_rate=ml_1m.WIDTHS[width], losses=soft)
        found += [(setting, smaller) for smaller in (INT8, INT8_TRAINED, ROUNDED, TRAINED)]
    return found


SETS = {
    "citeulike": ("citeulike-t/td_loo_fullrank", citeulike_set, citeulike, citeulike_rows),
    "ml_1m": ("ml-1m/lightgcnpp_ge3", lightgcn, ml_1m, ml_1m_rows),
}


def main() -> None:
    given = arguments(__doc__, "")
    result = {}
    for name, (folder, read, of, rows) in SETS.items():
        if given.only in (None, name):
            teacher = built_ensemble(of.TEACHER)
            benchmark = SmallFiles(name, read(given.data_dir / folder), teacher, of.TEACHER, of.METRICS, given.work)
            result[name] = {
                "metrics": of.METRICS, "teacher": benchmark.teacher_row(), "rows": benchmark.rows(rows(), given.seeds),
            }  # fmt: skip
    if given.only is None:
        atomic_write(PLACE, json.dumps(result, indent=1, sort_keys=True) + "\n")
        say(f"written to {PLACE}")


if __name__ == "__main__":
    main()

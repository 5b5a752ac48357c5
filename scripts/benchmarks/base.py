"""What the benchmarks share: the rows of a table, chosen on validation, over seeds, and their result file."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from setting import Setting, seeded, summary
from students import Students, say

from kdrec.data.splits import Split
from kdrec.files import atomic_write
from kdrec.judge import keras_scorer
from kdrec.models.teachers.als import als
from kdrec.models.teachers.base import Teacher
from kdrec.models.teachers.ensemble import ensemble


class Benchmark(Students):
    """The rows of a benchmark's table; `Students` says what the arguments are."""

    def teacher_row(self, left_out: bool = False) -> dict[str, Any]:
        """What the teacher reaches on validation and test."""

        def measure() -> dict[str, Any]:
            row = {"method": "teacher", **self.judged("float", self.teacher(left_out), left_out, None)}
            folder = self.work / f"teacher-{'left-out' if left_out else 'all'}"
            return row | {"seconds": json.loads((folder / "seconds.json").read_text())}

        return self.once({"teacher": True, "left_out": left_out}, measure)

    def als_row(self, width: int, options: Mapping[str, float]) -> dict[str, Any]:
        """What ALS of a student's width, whose factors it begins with, reaches by itself in float32."""

        def measure() -> dict[str, Any]:
            model = als(self.splits[False].train, seed=0, factors=width, **options)
            return {"method": "ALS itself, float32", "factors": width, **self.judged("float", model, False, None)}

        return self.once({"als": width, **options}, measure)

    def run(self, setting: Setting, test: bool = True) -> dict[str, Any]:
        """Train a student and judge it: float on validation; with `test`, also float and int8 file on test."""
        return self.once({**asdict(setting), "test": test}, lambda: self._run(setting, test))

    def _run(self, setting: Setting, test: bool) -> dict[str, Any]:
        student, seconds = self.student(setting)
        row = {"setting": asdict(setting), "method": setting.method, "seconds": seconds}
        parts = ("valid", "test")[: 1 + test]
        row |= self.judged("float", keras_scorer(student), setting.left_out, setting.history_length, parts)
        return row | (self.file(student, setting, "int8") if test else {})

    def report(
        self, methods: Mapping[str, list[Setting]], recipes: list[list[Setting]], published: list[dict], given: Any,
        one_seed: bool = False,
    ) -> None:  # fmt: skip
        """Choose each method's setting on validation, run it with every seed, and write the results.

        Args:
            methods: what validation chooses from, by method.
            recipes: the same, a list a width, for what is also run for users who were left out.
            published: rows of papers.
            given: the command line; `--only` runs a part and writes no results.
            one_seed: all but the recipes for users who are known is run with the first seed only.
        """
        chosen = {}
        for name, alternatives in methods.items():
            if given.only in (None, name):
                chosen[name] = self._best(alternatives)
        seeds = given.seeds[:1] if one_seed else given.seeds
        rows = [summary([self.run(one) for one in seeded(setting, seeds)]) for setting in chosen.values()]
        if given.only in (None, "recipe", "tags"):
            for setting in map(self._best, recipes):
                rows.append(summary([self.run(one) for one in seeded(setting, given.seeds)]))
                unseen = replace(setting, left_out=True)
                rows.append(summary([self.run(one) for one in seeded(unseen, seeds)]))
        if given.only is None:
            result = {
                "data": self.name, "metrics": self.metrics, "teacher_settings": self.teacher_key,
                "teacher": self.teacher_row(), "teacher_left_out": self.teacher_row(left_out=True),
                "als": [self.als_row(one.embedding_dim, one.initialise_options) for one, *_ in recipes],
                "published": published, "rows": rows,
                "tried": {name: [asdict(setting) for setting in tried] for name, tried in methods.items()},
                "tried_recipes": [[asdict(setting) for setting in tried] for tried in recipes],
            }  # fmt: skip
            place = Path(__file__).parent / f"{self.name}.json"
            atomic_write(place, json.dumps(result, indent=1, sort_keys=True) + "\n")
            say(f"written to {place}")

    def _best(self, alternatives: list[Setting]) -> Setting:
        """What reaches most on validation, where there is a choice."""
        if len(alternatives) == 1:
            return alternatives[0]
        runs = [self.tuned.run(setting, test=False) for setting in alternatives]
        return alternatives[int(np.argmax([run[f"float_valid_{self.metrics[0]}"] for run in runs]))]


def built_ensemble(options: Mapping[str, Any]) -> Callable[[Split, Path], Teacher]:
    """Trains an ensemble on a split, its weights chosen on the split's validation part."""

    def build(split: Split, checkpoints: Path) -> Teacher:
        return ensemble(
            split.train, seed=0, ordered=split.ordered, validation=split, checkpoint_folder=checkpoints, **options
        )

    return build

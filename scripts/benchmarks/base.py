"""What the benchmarks share: teachers, caches and students trained once, files that are judged, results kept."""

import io
import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from setting import Setting, key_of, seeded, summary

from kdrec import losses, pack
from kdrec.bundle.read import open_bundle
from kdrec.config import Config
from kdrec.data.left_out import leave_users_out
from kdrec.data.sampled import sampled_histories
from kdrec.data.splits import Split
from kdrec.distill.calibrate import calibrated_scale
from kdrec.distill.rows import rows_of
from kdrec.distill.teacher_cache import TeacherCache
from kdrec.distill.train import train
from kdrec.evaluation.ranking import evaluate
from kdrec.files import atomic_write
from kdrec.judge import keras_scorer
from kdrec.models import initialisers
from kdrec.models.students.history import history
from kdrec.models.teachers.als import als
from kdrec.models.teachers.base import Teacher, load
from kdrec.models.teachers.ensemble import ensemble
from kdrec.runtime.judge import judge
from kdrec.steps import make_deterministic
from kdrec.tflite.sizes import sizes

LEFT_OUT_SHARE, LEFT_OUT_SEED = 0.1, 7
TOP, ITEM_TOP = 100, 200
say = Console(stderr=True).log


class Benchmark:
    """A data set, its teacher, and the students that were distilled from it; what was done is not done again.

    Args:
        name: of the data set; the results go to `<name>.json` beside the script.
        split: the data.
        teacher: trains the teacher of a split; the results depend on `teacher_key`, which names its settings.
        teacher_key: JSON that describes the teacher.
        metrics: what is reported, for example ("recall@50", "ndcg@10"); the first one chooses.
        work: folder for teachers, caches and finished settings.
        tuned: the same with validation pairs kept out of train, where this one trains on them; by it all is chosen.
    """

    def __init__(
        self, name: str, split: Split, teacher: Callable[[Split, Path], Teacher], teacher_key: Mapping[str, Any],
        metrics: tuple[str, ...], work: Path, tuned: "Benchmark | None" = None,
    ):  # fmt: skip
        self.name, self.metrics, self.build, self.teacher_key = name, metrics, teacher, dict(teacher_key)
        self.ks = tuple(sorted({int(metric.partition("@")[2]) for metric in metrics}))
        self.tuned = tuned or self
        self.work = work / key_of(self.teacher_key, split.fingerprint())
        without, self.left = leave_users_out(split, LEFT_OUT_SHARE, LEFT_OUT_SEED)
        self.splits = {False: split, True: without}
        self._teachers: dict[bool, Any] = {}

    def teacher(self, left_out: bool = False) -> Teacher:
        """The teacher of everybody, or of those who are not left out."""
        if left_out not in self._teachers:
            folder = self.work / f"teacher-{'left-out' if left_out else 'all'}"
            if not folder.exists():
                start = time.perf_counter()
                teacher = self.build(self.splits[left_out], self.work / "checkpoints" / folder.name)
                teacher.save(folder)
                (folder / "seconds.json").write_text(json.dumps(time.perf_counter() - start))
            self._teachers = {left_out: load(folder)}  # one at a time: a teacher may fill the memory
        return self._teachers[left_out]

    def teacher_row(self, left_out: bool = False) -> dict[str, Any]:
        """What the teacher reaches on validation and test."""

        def measure() -> dict[str, Any]:
            row = {"method": "teacher", **self._judged("float", self.teacher(left_out), left_out, None)}
            folder = self.work / f"teacher-{'left-out' if left_out else 'all'}"
            return row | {"seconds": json.loads((folder / "seconds.json").read_text())}

        return self._once({"teacher": True, "left_out": left_out}, measure)

    def als_row(self, width: int, options: Mapping[str, float]) -> dict[str, Any]:
        """What ALS of a student's width, whose factors it begins with, reaches by itself in float32."""

        def measure() -> dict[str, Any]:
            model = als(self.splits[False].train, seed=0, factors=width, **options)
            return {"method": "ALS itself, float32", "factors": width, **self._judged("float", model, False, None)}

        return self._once({"als": width, **options}, measure)

    def run(self, setting: Setting, test: bool = True) -> dict[str, Any]:
        """Train a student and judge it: float on validation; with `test`, also float and int8 file on test."""
        return self._once({**asdict(setting), "test": test}, lambda: self._run(setting, test))

    def _run(self, setting: Setting, test: bool) -> dict[str, Any]:
        make_deterministic(setting.seed)
        split = self.splits[setting.left_out]
        student = history(
            split.train.n_items, embedding_dim=setting.embedding_dim, history_length=setting.history_length,
            hidden=setting.hidden, tied=setting.tied, ordered=split.ordered, seed=setting.seed,
        )  # fmt: skip
        seconds = self._trained(student, setting, split)
        row = {"setting": asdict(setting), "method": setting.method, "seconds": seconds}
        parts = ("valid", "test")[: 1 + test]
        row |= self._judged("float", keras_scorer(student), setting.left_out, setting.history_length, parts)
        return row | (self._file(student, split, setting) if test else {})

    def _trained(self, student: Any, setting: Setting, split: Split) -> float:
        """Train it, or load what it had become when it was trained; the seconds that this took."""
        place = self.work / "weights" / f"{key_of(asdict(setting))}.npz"
        if place.exists():
            with np.load(place, allow_pickle=False) as stored:
                student.set_weights([stored[f"w{i}"] for i in range(len(stored.files) - 1)])
                return float(stored["seconds"])
        left_out = "left out" * setting.left_out
        say(f"{self.name}: {setting.method} d={setting.embedding_dim} seed {setting.seed}", left_out)
        soft = [losses.get(name)(**options) for name, options in setting.losses.items()]
        listening = self._listening(setting, soft)
        start = time.perf_counter()
        if setting.initialise != "random":
            factors = als(
                split.train, seed=setting.seed, factors=setting.embedding_dim, **setting.initialise_options
            ).item_embedding
            initialisers.get(setting.initialise)(student, item_embedding=factors, seed=setting.seed)
        train(
            student, split, losses=soft, student_loss_weight=setting.student_loss_weight if soft else 1.0,
            epochs=setting.epochs, learning_rate=setting.learning_rate, patience=None, monitor=None, validate=False,
            jit_compile=True, seed=setting.seed, stage=setting.method, hidden_share=setting.hidden_share,
            whole_share=setting.whole_share, sampled_a_row=setting.sampled_a_row, **listening,
        )  # fmt: skip
        seconds = time.perf_counter() - start
        content = io.BytesIO()
        weights = {f"w{i}": weight for i, weight in enumerate(student.get_weights())}
        np.savez(content, seconds=seconds, **weights)
        atomic_write(place, content.getvalue())
        return seconds

    def _listening(self, setting: Setting, soft: Iterable[Any]) -> dict[str, Any]:
        if not soft:
            return {}
        needs = frozenset().union(*(loss.needs for loss in soft))
        return {"cache": self.cache(setting, needs), "sampled": self.sampled(setting)}

    def sampled(self, setting: Setting) -> Any:
        """The histories of nobody that a setting trains on beside the users'."""
        train_part = self.splits[setting.left_out].train
        count = round(setting.sampled * len(np.unique(train_part.users)))
        return sampled_histories(train_part, count, seed=0) if count else None

    def cache(self, setting: Setting, needs: frozenset[str]) -> TeacherCache:
        """The teacher's answers, written once for all settings that ask for the same."""
        split = self.splits[setting.left_out]
        asked = {"left_out": setting.left_out, "sampled": setting.sampled, "needs": sorted(needs)}
        folder = self.work / "caches" / key_of(asked)
        if not folder.exists():
            say(f"{self.name}: asking the teacher for {', '.join(sorted(needs))}")
            rows = rows_of(split, sampled=self.sampled(setting))
            TeacherCache.write(
                folder, self._who_gives(needs, setting.left_out), rows.interactions, rows.users, rows.cuts, needs=needs,
                scale=self.scale(setting.left_out), top=TOP, item_top=ITEM_TOP, unlabelled=rows.unlabelled,
            )  # fmt: skip
        return TeacherCache.open(folder)

    def _who_gives(self, needs: frozenset[str], left_out: bool) -> Teacher:
        """The teacher; or, where a loss needs vectors of users and a sum has none, the first member that has."""
        teacher = self.teacher(left_out)
        if "user_embedding" not in needs - teacher.provides:
            return teacher
        return next(member for member in teacher.members if "user_embedding" in member.provides)

    def scale(self, left_out: bool) -> float:
        """What makes temperature 1 natural for the teacher's scores."""
        if self.tuned is not self:
            return self.tuned.scale(left_out)
        key = {"scale": True, "left_out": left_out}
        return self._once(key, lambda: {"scale": calibrated_scale(self.teacher(left_out), self.splits[left_out])})[
            "scale"
        ]

    def _judged(
        self, form: str, scorer: Any, left_out: bool, length: int | None, parts: tuple[str, ...] = ("valid", "test")
    ) -> dict[str, float]:
        """`<form>_<part>_<metric>`, over everybody, or over those who were left out."""
        split, users = self.splits[left_out], self.left if left_out else None
        found = {}
        for part in parts if len(split.valid) else parts[-1:]:
            result = evaluate(scorer, split, part, ks=self.ks, history_length=length, users=users)
            found |= {f"{form}_{part}_{metric}": result.metrics[metric] for metric in self.metrics}
        return found

    def _file(self, student: Any, split: Split, setting: Setting) -> dict[str, Any]:
        """The int8 Android file of a student, judged on test, and its bytes."""
        folder = self.work / "files" / key_of(asdict(setting))
        config = Config(targets=("android",), recipe="int8", teacher="als", seed=setting.seed)
        pack.export_bundles(student, split, config, self.name, folder)
        bundle = open_bundle(folder / "android")
        content = bundle.files[bundle.manifest.signatures["score"].file]
        constants = sizes(content, split.train.n_items).constants
        per_item = sum(size for shape, _, size in constants if shape and max(shape) >= split.train.n_items)
        judged = self._judged(
            "int8", judge(bundle.manifest, bundle.files), setting.left_out, setting.history_length, ("test",)
        )
        return {**judged, "file_bytes": len(content), "row_bytes": per_item / split.train.n_items}

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

    def _once(self, key: Mapping[str, Any], work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        place = self.work / "done" / f"{key_of(key)}.json"
        if not place.exists():
            atomic_write(place, json.dumps(work(), indent=1))
        return json.loads(place.read_text())


def built_ensemble(options: Mapping[str, Any]) -> Callable[[Split, Path], Teacher]:
    """Trains an ensemble on a split, its weights chosen on the split's validation part."""

    def build(split: Split, checkpoints: Path) -> Teacher:
        return ensemble(
            split.train, seed=0, ordered=split.ordered, validation=split, checkpoint_folder=checkpoints, **options
        )

    return build

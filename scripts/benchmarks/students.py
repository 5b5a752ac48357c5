"""Teachers, caches and students, trained once and kept; files that are judged."""

import io
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from setting import Setting, key_of

from kdrec import losses, pack
from kdrec.config import Config
from kdrec.data.kept_items import KeptItems
from kdrec.data.left_out import leave_users_out
from kdrec.data.sampled import sampled_histories
from kdrec.data.splits import Split
from kdrec.distill.calibrate import calibrated_scale
from kdrec.distill.rows import rows_of
from kdrec.distill.teacher_cache import TeacherCache
from kdrec.distill.train import train
from kdrec.evaluation.ranking import evaluate
from kdrec.files import atomic_write
from kdrec.forms import build_student, student_of_file
from kdrec.models import initialisers
from kdrec.models.teachers.als import als
from kdrec.models.teachers.base import Teacher, load
from kdrec.steps import make_deterministic

LEFT_OUT_SHARE, LEFT_OUT_SEED = 0.1, 7
TOP, ITEM_TOP = 100, 200
say = Console(stderr=True).log


class Students:
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
        metrics: tuple[str, ...], work: Path, tuned: "Students | None" = None,
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

    def untrained(self, setting: Setting, kept: KeptItems | None = None) -> Any:
        """The student of a setting before its training, of some items if not of all."""
        return build_student(self._config(setting), self.splits[setting.left_out], kept)

    def student(self, setting: Setting) -> tuple[Any, float]:
        """The student of a setting, trained, and the seconds that this took."""
        make_deterministic(setting.seed)
        student = self.untrained(setting)
        return student, self._trained(student, setting, self.splits[setting.left_out])

    def _config(self, setting: Setting, recipe: str = "int8") -> Config:
        return Config(
            targets=("android",), recipe=recipe, teacher="als", seed=setting.seed, tied=setting.tied,
            embedding_dim=setting.embedding_dim, history_length=setting.history_length, hidden=setting.hidden,
        )  # fmt: skip

    def _trained(self, student: Any, setting: Setting, split: Split) -> float:
        """Train it, or load what it had become when it was trained; the seconds that this took."""
        place = self.work / "weights" / f"{key_of(asdict(setting))}.npz"
        if place.exists():
            with np.load(place, allow_pickle=False) as stored:
                student.set_weights([stored[f"w{i}"] for i in range(len(stored.files) - 1)])
                return float(stored["seconds"])
        left_out = "left out" * setting.left_out
        say(f"{self.name}: {setting.method} d={setting.embedding_dim} seed {setting.seed}", left_out)
        self._listening(setting)  # asking the teacher is no part of the training
        start = time.perf_counter()
        if setting.initialise != "random":
            factors = als(
                split.train, seed=setting.seed, factors=setting.embedding_dim, **setting.initialise_options
            ).item_embedding
            initialisers.get(setting.initialise)(student, item_embedding=factors, seed=setting.seed)
        self.fit(student, setting)
        seconds = time.perf_counter() - start
        content = io.BytesIO()
        weights = {f"w{i}": weight for i, weight in enumerate(student.get_weights())}
        np.savez(content, seconds=seconds, **weights)
        atomic_write(place, content.getvalue())
        return seconds

    def fit(self, student: Any, setting: Setting) -> None:
        """Train a student as a setting says."""
        listening = self._listening(setting)
        train(
            student, self.splits[setting.left_out], validate=False, patience=None, monitor=None, jit_compile=True,
            student_loss_weight=setting.student_loss_weight if listening else 1.0, seed=setting.seed,
            epochs=setting.epochs, learning_rate=setting.learning_rate, stage=setting.method,
            hidden_share=setting.hidden_share, whole_share=setting.whole_share, sampled_a_row=setting.sampled_a_row,
            **listening,
        )  # fmt: skip

    def _listening(self, setting: Setting) -> dict[str, Any]:
        soft = [losses.get(name)(**options) for name, options in setting.losses.items()]
        if not soft:
            return {}
        needs = frozenset().union(*(loss.needs for loss in soft))
        return {"losses": soft, "cache": self.cache(setting, needs), "sampled": self.sampled(setting)}

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
        found = self.once(key, lambda: {"scale": calibrated_scale(self.teacher(left_out), self.splits[left_out])})
        return found["scale"]

    def judged(
        self, form: str, scorer: Any, left_out: bool, length: int | None, parts: tuple[str, ...] = ("valid", "test")
    ) -> dict[str, float]:
        """`<form>_<part>_<metric>`, over everybody, or over those who were left out."""
        split, users = self.splits[left_out], self.left if left_out else None
        found = {}
        for part in parts if len(split.valid) else parts[-1:]:
            result = evaluate(scorer, split, part, ks=self.ks, history_length=length, users=users)
            found |= {f"{form}_{part}_{metric}": result.metrics[metric] for metric in self.metrics}
        return found

    def file(
        self, student: Any, setting: Setting, recipe: str, parts: tuple[str, ...] = ("test",),
        kept: KeptItems | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """The Android file of a student, judged on test or on more, and its bytes."""
        folder, split = self.work / "files" / key_of(asdict(setting), recipe), self.splits[setting.left_out]
        config = self._config(setting, recipe)
        written = student if kept is None else student_of_file(student, config, split, kept)
        pack.export_bundles(written, split, config, self.name, folder, kept)
        shipped = pack.shipped(folder / "android", split)
        judged = self.judged("int8", shipped.scorer, setting.left_out, setting.history_length, parts)
        table = shipped.known["table_bytes"] / (split.train.n_items if kept is None else kept.n_kept)
        return {
            **judged, "file_bytes": shipped.known["bytes"], "gzip_bytes": shipped.known["gzip_bytes"],
            "row_bytes": table, "latency_us_p50": shipped.known["latency_us_p50"],
        }  # fmt: skip

    def once(self, key: Mapping[str, Any], work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        place = self.work / "done" / f"{key_of(key)}.json"
        if not place.exists():
            atomic_write(place, json.dumps(work(), indent=1))
        return json.loads(place.read_text())

"""What the speed benchmark's processes share: data, teachers and caches, read from where an earlier stage left them.

TensorFlow is imported by those who need it alone, for memory is measured.
"""

from pathlib import Path
from typing import Any

import numpy as np

from kdrec.data.sets.lightgcn import lightgcn
from kdrec.data.splits import Split
from kdrec.distill.teacher_cache import TeacherCache
from kdrec.files import atomic_folder
from kdrec.models import teachers
from kdrec.models.teachers.base import Teacher, load

EMBEDDING_DIM, HISTORY_LENGTH, BATCH = 32, 256, 512  # of every student, and rows of every batch
STUDENT_LOSS_WEIGHT, TOP = 0.3, 100


def folder(given: dict[str, Any]) -> Path:
    """Where the stages of a data set leave what they made."""
    return Path(given["work"], given["data"])


def write_split(given: dict[str, Any]) -> None:
    """Read the data set from its files, once for all."""
    lightgcn(given["source"]).save(folder(given) / "split")


def read_split(given: dict[str, Any]) -> Split:
    """What `write_split` wrote."""
    return Split.load(folder(given) / "split")


def train_teacher(given: dict[str, Any], name: str) -> None:
    """Train a teacher, of a quality that does not matter, and keep it."""
    split = read_split(given)
    teacher = teachers.get(name)(split.train, seed=0, ordered=split.ordered, **given["teachers"].get(name, {}))
    teacher.save(folder(given) / name)


def read_teacher(given: dict[str, Any], name: str) -> Teacher:
    """The teacher that `train_teacher` kept."""
    return load(folder(given) / name)


def rows(given: dict[str, Any], split: Split) -> tuple[np.ndarray, np.ndarray]:
    """Users and cuts that are trained on: at most `rows` of them."""
    from kdrec.distill.batches import training_rows

    users, cuts = training_rows(split.train, split.ordered)
    most = given["rows"] or len(users)
    return users[:most], cuts[:most]


def write_cache(given: dict[str, Any], split: Split, teacher: str, kind: str) -> None:
    """A teacher's answers: "scores" of all items, the best ones and the last's for the "rest", or only a "list"."""
    asked = {"needs": {"top_items"} if kind == "list" else {"scores"}, "dense": kind == "scores", "top": TOP}
    TeacherCache.write(
        cache_folder(given, teacher, kind), read_teacher(given, teacher), split.train, *rows(given, split), **asked
    )


def read_cache(given: dict[str, Any], split: Split, teacher: str, kind: str) -> TeacherCache:
    """What `write_cache` wrote, now if not before."""
    if not cache_folder(given, teacher, kind).exists():
        write_cache(given, split, teacher, kind)
    return TeacherCache.open(cache_folder(given, teacher, kind))


def cache_folder(given: dict[str, Any], teacher: str, kind: str) -> Path:
    """Where the answers are."""
    return folder(given) / "caches" / f"{teacher}-{kind}"


def keep(place: Path, **arrays: np.ndarray) -> None:
    """Arrays in a folder of their own, whole or not at all."""
    with atomic_folder(place) as fresh:
        np.savez(fresh / "arrays.npz", allow_pickle=False, **arrays)


def kept(place: Path) -> dict[str, np.ndarray]:
    """What `keep` wrote."""
    with np.load(place / "arrays.npz", allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}

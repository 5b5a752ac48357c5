"""A chain of students: each learns from the one before, so that no step from large to small is too wide."""

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import tf_keras as keras

from kdrec.data.interactions import Interactions
from kdrec.data.splits import Split
from kdrec.distill.asking import ask_teacher
from kdrec.distill.student_reader import student_reader
from kdrec.distill.train import train
from kdrec.errors import DataError
from kdrec.losses.base import DistillationLoss


class StudentTeacher:
    """A trained student as a teacher: x -> scores (rows, n_items) float32, with query and item table.

    Args:
        student: a Keras 2 model, from `kdrec.models.students`.
        ordered: whether histories are ordered. Of one longer than the student reads, the last items are read; of a
            longer set, items spread evenly over it.

    >>> from kdrec.models.students.history import history
    >>> teacher = StudentTeacher(history(40, embedding_dim=8, history_length=6), ordered=True)
    >>> x = {"history": np.array([[1, 2, 3]], np.int32)}
    >>> np.allclose(teacher(x), teacher.user_embedding(x) @ teacher.item_embedding.T)
    True
    """

    name = "student"
    provides = frozenset({"user_embedding", "item_embedding"})

    def __init__(self, student: keras.Model, ordered: bool):
        self.student, self.ordered = student, ordered
        self._read = student_reader(student, ("query", "item_embedding"), "query")
        self._shapes = dict(zip(student.input_names, (tensor.shape for tensor in student.inputs), strict=True))

    def __call__(self, x: dict[str, np.ndarray]) -> np.ndarray:
        return self._answer(x)["scores"].numpy()

    def user_embedding(self, x: dict[str, np.ndarray]) -> np.ndarray:
        """The query of each row, (rows, embedding_dim) float32."""
        return self._answer(x)["query"].numpy()

    @cached_property
    def item_embedding(self) -> np.ndarray:
        """What multiplies the query, (n_items, embedding_dim) float32."""
        blank = {name: np.zeros((1, *shape[1:]), np.int32) for name, shape in self._shapes.items()}
        return self._read(blank, False)["item_embedding"].numpy()

    def _answer(self, x: dict[str, np.ndarray]) -> Any:
        length = self._shapes["history"][1]
        return self._read({**x, "history": fitted(x["history"], length, self.ordered)}, False)


def fitted(history: np.ndarray, length: int, ordered: bool) -> np.ndarray:
    """Right-aligned tokens in another width: of more, the last ones; of a set that holds more, some all over it.

    Args:
        history: (rows, width) tokens, 0 to the left.
        length: the width wanted.
        ordered: whether the tokens are ordered.

    Returns:
        (rows, length).

    >>> fitted(np.array([[0, 1, 2, 3, 4]]), 2, ordered=True).tolist()
    [[3, 4]]
    >>> fitted(np.array([[0, 1, 2, 3, 4], [0, 0, 0, 0, 9]]), 2, ordered=False).tolist()
    [[2, 4], [0, 9]]
    """
    history = np.pad(history, [(0, 0), (max(0, length - history.shape[1]), 0)])
    width, counts = history.shape[1], np.count_nonzero(history, axis=1)
    if ordered:
        return history[:, width - length :]
    back = np.arange(length)[::-1]  # places before the last one
    at = back * np.maximum(counts, length)[:, np.newaxis] // length
    return np.take_along_axis(history, width - 1 - at, axis=1)


def chain(
    split: Split,
    teacher: Callable[[dict[str, np.ndarray]], np.ndarray],
    students: Sequence[Callable[[], keras.Model]],
    folder: str | Path,
    *,
    losses: Callable[[], Sequence[DistillationLoss]],
    weighting: str = "fixed",
    cuts_per_user: int | None = 50,
    sampled: Interactions | None = None,
    seed: int = 0,
    progress: Callable[[str, int, int, str], None] | None = None,
    **options: Any,
) -> list[keras.Model]:
    """Train students one after another, the first from the teacher, each later one from the student before.

    A small student learns little from a teacher that is much larger; students of sizes between them, its assistants,
    hand on what the next one can follow (Mirzadeh et al., AAAI 2020, arXiv:1902.03393).

    Args:
        split: trained on `train`, watched on `valid`.
        teacher: any callable from inputs to scores (rows, n_items).
        students: functions that build the untrained students, from wide to narrow.
        folder: for caches and checkpoints. A chain that was cut goes on there; name another folder for another chain.
        losses: a function that makes the soft losses of a student, which may own layers.
        weighting: as of `Distiller`.
        cuts_per_user, sampled, seed: as of `train`.
        progress: called with (stage, done, total, note); stages are `cache-1`, `student-1`, `cache-2`, …
        **options: of `train`, the same for every student, for example student_loss_weight.

    Returns:
        The trained students, the last one that for which the others were made.

    Raises:
        DataError: no student, or a loss that needs what a teacher or student does not give, such as snapshots of a
            student.
    """
    if not students:
        raise DataError("students must build at least one student, not none")
    folder = Path(folder)
    trained: list[keras.Model] = []
    for number, build in enumerate(students, start=1):
        student, made = build(), list(losses())

        def report(done: int, total: int, number: int = number) -> None:
            if progress is not None:
                progress(f"cache-{number}", done, total, "")

        cache = ask_teacher(
            folder / f"cache-{number}", teacher, split, made, weighting=weighting, cuts_per_user=cuts_per_user,
            sampled=sampled, seed=seed, resume=True, progress=report,
        )  # fmt: skip
        keras.utils.set_random_seed(seed)  # for what losses draw, so that a chain that goes on repeats itself
        train(
            student, split, cache=cache, losses=made, weighting=weighting, cuts_per_user=cuts_per_user,
            sampled=sampled, seed=seed, stage=f"student-{number}", folder=folder / f"student-{number}",
            progress=progress, **options,
        )  # fmt: skip
        teacher = StudentTeacher(student, split.ordered)
        trained.append(student)
    return trained

"""Contestants that train a student for some steps; a contestant's name says how: teacher/loss/batches, and /xla.

- teacher: `none`; `cache`, `rest` or `list`, the stored answers of one (all scores; the best ones, and the last of
  them for the rest; the order of the best ones); `als`, `ease` or `two_tower`, asked in each step as any callable is;
  `graph`, the same two towers as a Keras model, which runs in the step's own graph.
- loss: `hard`, `softened_kl` or `rank_softmax`.
- batches: `fit`, made as in `fit`, while the student trains; `ready`, made before.
- `xla`: the step is compiled with jit_compile=True.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import speed_data as data
import speed_towers as towers
import tensorflow as tf
import tf_keras as keras
from speed_worker import Run, serve

from kdrec.distill.batches import TrainingBatches
from kdrec.distill.distiller import Distiller
from kdrec.losses.rank_softmax import RankSoftmax
from kdrec.losses.softened_kl import SoftenedKl
from kdrec.losses.softmax import Softmax
from kdrec.models.students.history import history

KINDS = {"cache": "scores", "rest": "rest", "list": "list"}
SOFT = {"softened_kl": SoftenedKl, "rank_softmax": RankSoftmax}
READY = 4  # batches made before, used in turn


def setup(given: dict[str, Any]) -> Mapping[str, Run]:
    """The contestants that are named in `contestants`; with `pair`, models and batches are kept there for Keras 3."""
    keras.utils.set_random_seed(0)
    split = data.read_split(given)
    users, cuts = data.rows(given, split)
    made = partial(
        TrainingBatches, split.train, users, cuts, data.HISTORY_LENGTH, split.ordered, batch_size=data.BATCH, seed=0
    )
    built = {name: contestant(given, split, made, *name.split("/")) for name in given["contestants"]}
    if "pair" in given:
        keep_pair(given, split, made())
    return built


def contestant(given: dict[str, Any], split: Any, made: Any, teacher: str, loss: str, feed: str, xla: str = "") -> Run:
    """A compiled model and its batches; the first steps, which trace and compile, are done."""
    cached = data.read_cache(given, split, given["teacher"], KINDS[teacher]) if teacher in KINDS else None
    batches, model = made(cache=cached), a_student(split)
    if teacher != "none":
        asked = None if cached is not None else answering(given, teacher)
        model = Distiller(asked, model, SOFT[loss](), student_loss_weight=data.STUDENT_LOSS_WEIGHT)
    model.compile(keras.optimizers.Adam(0.005), loss=Softmax(), jit_compile=bool(xla))
    made_ready = ready(batches, READY)
    stream = batches() if feed == "fit" else tf.data.Dataset.from_tensor_slices(made_ready).repeat().prefetch(2)
    if teacher == "none":
        stream = stream.map(lambda x, y: ({"history": x["history"]}, y))
    step, batch = model.make_train_function(), iter(stream)

    def run(count: int) -> None:
        for _ in range(count):
            logs = step(batch)
        float(next(iter(logs.values())))

    run(2)
    return run


def a_student(split: Any) -> keras.Model:
    """The student of every contestant."""
    return history(
        split.train.n_items, embedding_dim=data.EMBEDDING_DIM, history_length=data.HISTORY_LENGTH, ordered=split.ordered
    )


def answering(given: dict[str, Any], teacher: str) -> Any:
    """A teacher that is asked in each step."""
    if teacher != "graph":
        return data.read_teacher(given, teacher)
    taught = data.read_teacher(given, "two_tower")
    weights = towers.teacher_weights(taught.model, taught.item_embedding)
    return towers.teacher_model(keras, weights, data.HISTORY_LENGTH, taught.model.options.history_length)


def ready(batches: TrainingBatches, count: int) -> Any:
    """The first so many batches of an epoch, stacked."""
    return tf.nest.map_structure(lambda *parts: np.stack(parts), *(drawn(batches, n) for n in range(count)))


def drawn(batches: TrainingBatches, number: int) -> tuple:
    """One batch, whoever asks for it."""
    rng = np.random.default_rng(number)
    picked = np.sort(rng.choice(len(batches.users), min(batches.batch_size, len(batches.users)), replace=False))
    return batches.batch(picked, rng)


def keep_pair(given: dict[str, Any], split: Any, batches: TrainingBatches) -> None:
    """Write what another process needs to train the same student from the same live teacher on the same batches."""
    taught, student = data.read_teacher(given, "two_tower"), a_student(split)
    x, labels = ready(batches, READY)
    teacher = answering(given, "graph")
    first = {name: x[name][0] for name in ("user", "history")}
    np.testing.assert_allclose(teacher(first).numpy(), taught(first), rtol=1e-3, atol=1e-3)
    weights = {
        "teacher": towers.teacher_weights(taught.model, taught.item_embedding),
        "student": towers.student_weights(student),
        "says": {"teacher": teacher(first).numpy(), "student": student(first["history"]).numpy()},
        "batch": {"user": x["user"], "history": x["history"], "labels": labels},
        "reads": {"tokens": np.array(taught.model.options.history_length)},
    }
    arrays = {f"{part}/{name}": array for part, named in weights.items() for name, array in named.items()}
    data.keep(Path(given["pair"]), **arrays)


if __name__ == "__main__":
    serve(setup)

"""A batch of made-up answers: every field that a student or a teacher can give a loss, small enough to check by eye."""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from kdrec.losses.base import Batch

ROWS, ITEMS, WIDTH, TEACHER_WIDTH = 4, 11, 3, 5  # no two sizes are equal, so that a mistaken axis shows
CACHED_ROWS, TOP, SNAPSHOTS, ITEM_TOP = 9, 6, 2, 7
IN_CACHE = np.array([5, 0, 8, 3], np.int32)  # the cache rows that the batch holds, in the batch's order


class Case(NamedTuple):
    """One batch: what the student says (variables, for gradients), what the teacher says, and what is seen."""

    student: dict[str, tf.Variable]
    teacher: dict[str, tf.Tensor]
    batch: Batch


def student_fields(seed=0, scale=1.0):
    """`scores`, `query` and `item_embedding`, unrelated to each other, the scores of size `scale`."""
    rng = np.random.default_rng([seed, 1])
    shapes = {"scores": (ROWS, ITEMS), "query": (ROWS, WIDTH), "item_embedding": (ITEMS, WIDTH)}
    return {
        name: tf.Variable((scale if name == "scores" else scale**0.5) * rng.normal(size=shape), dtype=tf.float32)
        for name, shape in shapes.items()
    }


def teacher_fields(seed=0, scale=1.0):
    """Every field of a teacher cache, told to the batch's rows, and which items the rows have seen (two each).

    `scores` are the products of the embeddings; `top_items` leave seen items out; the last snapshot is the teacher
    itself and the ones before it are noisier; `item_users` numbers all rows of the cache, of which the batch holds
    some, and ends with −1 where rows that have seen the item leave the list short.
    """
    rng = np.random.default_rng([seed, 2])
    users, items = rng.normal(size=(CACHED_ROWS, TEACHER_WIDTH)), rng.normal(size=(ITEMS, TEACHER_WIDTH))
    users, items = users * scale**0.5, items * scale**0.5
    scores = users @ items.T  # (cached rows, items)
    seen = np.argsort(rng.random((CACHED_ROWS, ITEMS)), axis=1) < 2
    listed = np.argsort(-np.where(seen, -np.inf, scores), axis=1)[:, :TOP]
    snapshots = []
    for noise in np.linspace(1.0, 0.0, SNAPSHOTS):
        noisy = scores + noise * scale * rng.normal(size=scores.shape)
        snapshots.append(np.argsort(-np.where(seen, -np.inf, noisy), axis=1)[:, :TOP])
    ranked = np.argsort(-np.where(seen, -np.inf, scores), axis=0).T[:, :ITEM_TOP]  # (items, users)
    ranked = np.where(np.take_along_axis(seen.T, ranked, axis=1), -1, ranked)
    fields = {
        "scores": scores[IN_CACHE].astype(np.float32),
        "top_items": listed[IN_CACHE].astype(np.int32),
        "top_scores": np.take_along_axis(scores, listed, axis=1)[IN_CACHE].astype(np.float32),
        "user_embedding": users[IN_CACHE].astype(np.float32),
        "snapshot_items": np.stack(snapshots, axis=1)[IN_CACHE].astype(np.int32),
        "row": IN_CACHE,
        "item_embedding": items.astype(np.float32),
        "item_users": ranked.astype(np.int32),
        "item_counts": rng.integers(0, 50, ITEMS).astype(np.float32),
    }
    return {name: tf.constant(values) for name, values in fields.items()}, seen[IN_CACHE]


def case(seed=0, scale=1.0, step=0, progress=0.5):
    """A student and a teacher that do not agree."""
    teacher, seen = teacher_fields(seed, scale)
    held_out = np.zeros((ROWS, ITEMS), bool)
    held_out[np.arange(ROWS), teacher["top_items"].numpy()[:, 1]] = True
    held_out[-1] = False  # a row that only the teacher labels
    return Case(student_fields(seed, scale), teacher, Batch.of(seen, held_out, step, progress))


def copy_of(teacher):
    """A student that says all that the teacher says."""
    return {
        "scores": teacher["scores"], "query": teacher["user_embedding"], "item_embedding": teacher["item_embedding"]
    }  # fmt: skip


def shuffled(student, seed=0):
    """The same scores, given to other items, in each row."""
    rng = np.random.default_rng([seed, 3])
    return {**student, "scores": tf.constant(rng.permuted(student["scores"].numpy(), axis=1))}

"""Contestants that write a teacher's answers to training rows: a contestant's name says teacher/kind."""

import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import speed_data as data
from speed_worker import Run, serve

from kdrec.distill.teacher_cache import TeacherCache


def setup(given: dict[str, Any]) -> Mapping[str, Run]:
    """The contestants that are named in `contestants`, such as "als/scores" and "als/list"; each has answered once."""
    split = data.read_split(given)
    users, cuts = data.rows(given, split)
    found = {}
    for name in given["contestants"]:
        teacher, _, kind = name.partition("/")
        asked = {"needs": {"scores"}, "dense": True} if kind == "scores" else {"needs": {"top_items"}, "top": data.TOP}
        written = partial(TeacherCache.write, teacher=data.read_teacher(given, teacher), **asked)
        found[name] = contestant(written, split.train, users, cuts)
    return found


def contestant(write: Any, interactions: Any, users: Any, cuts: Any) -> Run:
    """Writes the whole cache, into a folder that is deleted."""

    def run(count: int) -> dict[str, Any]:
        for _ in range(count):
            with tempfile.TemporaryDirectory() as folder:
                write(Path(folder, "cache"), interactions=interactions, users=users, cuts=cuts)
        return {"users": len(users)}

    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder, "cache"), interactions=interactions, users=users[: data.BATCH], cuts=cuts[: data.BATCH])
    return run


if __name__ == "__main__":
    serve(setup)

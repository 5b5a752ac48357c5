"""The teacher's answers, written once and read memory-mapped, so that a student trains without running the teacher."""

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from numpy.lib.format import open_memmap

from kdrec.data.interactions import Interactions
from kdrec.distill.teacher_answers import answers
from kdrec.errors import BundleError, DataError
from kdrec.files import atomic_folder, canonical_json

SCHEMA = 1
DENSE_BYTES = 512 * 2**20  # `dense="auto"` keeps all scores up to this size

Teacher = Callable[[dict[str, np.ndarray]], np.ndarray]
Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class TeacherCache:
    """Row i answers the history of users[i] after its first cuts[i] pairs; fields are float16, scores as they are.

    Fields: `scores` (rows, n_items); or `top_items` (rows, K) int32 and `top_scores` (rows, K), the best items that
    are not in the row's history, score descending, then lower position; `user_embedding` (rows, d) if the teacher
    provides it. Float16 keeps 3 digits of a score above 6e-5: a teacher gives logits, not probabilities.

    Args:
        folder: what `write` wrote.
        meta: the content of its meta.json.
        arrays: the fields, memory-mapped.

    >>> import tempfile
    >>> log = Interactions([0, 0, 1], [0, 1, 2], ["ann", "bob"], ["a", "b", "c"])
    >>> teacher = lambda x: np.tile([3.0, 2.0, 1.0], (len(x["user"]), 1))
    >>> folder = tempfile.mkdtemp() + "/cache"
    >>> cache = TeacherCache.write(folder, teacher, log, np.array([0, 0]), np.array([1, 2]), dense=False, top=1)
    >>> cache.batch(np.array([0, 1]))["teacher_top_items"].tolist()  # after [a]: b; after [a, b]: c
    [[1], [2]]
    """

    folder: Path
    meta: dict[str, Any]
    arrays: dict[str, np.ndarray]

    def __len__(self) -> int:
        return self.meta["rows"]

    @property
    def fields(self) -> frozenset[str]:
        """What the cache holds."""
        return frozenset(self.arrays)

    def batch(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """The fields of some rows, named `teacher_<field>`: what joins the inputs of a batch."""
        return {f"teacher_{name}": np.asarray(array[rows]) for name, array in self.arrays.items()}

    def check_answers(self, interactions: Interactions, users: np.ndarray, cuts: np.ndarray) -> None:
        """Refuse rows other than those that the cache was written for.

        Raises:
            DataError: other data, other users or other cuts.
        """
        if fingerprint(interactions, users, cuts) != self.meta["fingerprint"]:
            raise DataError(
                f"teacher cache {self.folder} answers other rows than those to train on; write it with the same "
                f"interactions and the same training_rows(…, cuts_per_user)"
            )

    @classmethod
    def write(
        cls,
        folder: str | Path,
        teacher: Teacher,
        interactions: Interactions,
        users: np.ndarray,
        cuts: np.ndarray,
        *,
        scale: float = 1.0,
        history_length: int | None = None,
        top: int = 200,
        dense: bool | Literal["auto"] = "auto",
        batch_size: int = 512,
        progress: Progress | None = None,
    ) -> Self:
        """Ask the teacher about each row and keep its answers; the folder appears whole or not at all.

        Args:
            folder: replaced if it exists.
            teacher: any callable from x to scores (rows, n_items).
            interactions: the pairs that histories and context are taken from.
            users, cuts: (rows,) each: the history of row i is the first cuts[i] pairs of users[i].
            scale: factor on the scores, for example from `calibrated_scale`; it changes no ranking.
            history_length: tokens that the teacher is shown, the last ones; None shows the whole history.
            top: K of the top list; at most as many as every row has unseen.
            dense: keep the scores of all items; "auto" does up to 512 MiB, and else keeps the top list.
            batch_size: rows that the teacher scores at once.
            progress: called with (rows done, rows).

        Raises:
            DataError: scores of a wrong shape, not finite or beyond ±60,000; no row; no unseen item for a top list.
            OutputError: no space left.
        """
        users, cuts = np.asarray(users, dtype=np.int32), np.asarray(cuts, dtype=np.int32)
        check_rows(users, cuts, top)
        size = len(users) * interactions.n_items * np.dtype(np.float16).itemsize
        is_dense = size <= DENSE_BYTES if dense == "auto" else dense
        top = 0 if is_dense else top_length(interactions, users, cuts, top)
        with atomic_folder(folder) as fresh:
            arrays: dict[str, np.ndarray] = {}
            for start in range(0, len(users), batch_size):
                rows = slice(start, start + batch_size)
                fields = answers(teacher, interactions, users[rows], cuts[rows], history_length, top, scale)
                for name, values in fields.items():
                    if start == 0:
                        shape = (len(users), *values.shape[1:])
                        arrays[name] = allocated(fresh / f"{name}.npy", values.dtype, shape)
                    arrays[name][rows] = values
                if progress is not None:
                    progress(min(start + batch_size, len(users)), len(users))
            meta = {
                "schema": SCHEMA,
                "fingerprint": fingerprint(interactions, users, cuts),
                "teacher": getattr(teacher, "name", type(teacher).__name__),
                "scale": scale,
                "rows": len(users),
                "n_items": interactions.n_items,
                "history_length": history_length,
                "fields": {name: {"dtype": str(array.dtype), "shape": array.shape} for name, array in arrays.items()},
            }
            for array in arrays.values():
                array.flush()  # type: ignore[attr-defined]
            (fresh / "meta.json").write_text(canonical_json(meta))
        return cls.open(folder)

    @classmethod
    def open(cls, folder: str | Path, fingerprint: str | None = None) -> Self:
        """A cache that was written before.

        Args:
            folder: of the cache.
            fingerprint: of the rows that it must answer, from `fingerprint(interactions, users, cuts)`; None takes any.

        Raises:
            BundleError: no cache, a damaged one, or one of another schema.
            DataError: it answers other rows.
        """
        folder = Path(folder)
        try:
            meta = json.loads((folder / "meta.json").read_text())
            schema, found = meta["schema"], meta["fingerprint"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BundleError(f"folder {folder} holds no teacher cache: {error!r}; write it again") from error
        if schema != SCHEMA:
            raise BundleError(
                f"teacher cache {folder} has schema {schema}, and this version reads {SCHEMA}; write it again"
            )
        if fingerprint is not None and fingerprint != found:
            raise DataError(
                f"fingerprint of teacher cache {folder} must be that of the data and rows in use, {fingerprint}, and "
                f"is {found}; write the cache again for this data"
            )
        return cls(folder, meta, {name: mapped(folder / f"{name}.npy", part) for name, part in meta["fields"].items()})


def allocated(path: Path, dtype: np.dtype, shape: tuple[int, ...]) -> np.ndarray:
    """A new file, memory-mapped, its space taken at once: without any left, a later write would kill the process."""
    array = open_memmap(path, mode="w+", dtype=dtype, shape=shape)
    allocate = getattr(os, "posix_fallocate", None)
    if allocate is not None:
        with open(path, "r+b") as file:
            allocate(file.fileno(), 0, path.stat().st_size)
    return array


def mapped(path: Path, expected: dict[str, Any]) -> np.ndarray:
    """A field's file, memory-mapped, if it is what meta.json says."""
    try:
        array = open_memmap(path, mode="r")
    except (OSError, ValueError, EOFError) as error:
        raise BundleError(f"teacher cache file {path} cannot be read: {error}; write the cache again") from error
    found = {"dtype": str(array.dtype), "shape": list(array.shape)}
    if found != expected:
        raise BundleError(f"teacher cache file {path} must be {expected}, and is {found}; write the cache again")
    return array


def fingerprint(interactions: Interactions, users: np.ndarray, cuts: np.ndarray) -> str:
    """sha256, in hex, of the data and of the rows that a cache answers."""
    digest = hashlib.sha256(interactions.fingerprint().encode())
    for array in (users, cuts):
        digest.update(np.ascontiguousarray(array, dtype="<i4").tobytes())
    return digest.hexdigest()


def check_rows(users: np.ndarray, cuts: np.ndarray, top: int) -> None:
    """There must be rows, and as many cuts as users."""
    if len(users) == 0 or users.shape != cuts.shape:
        raise DataError(
            f"users and cuts must be one value a row each, at least one row, not shapes {users.shape} and {cuts.shape}"
        )
    if top < 1:
        raise DataError(f"top must be at least 1, not {top}; 200 is the default")


def top_length(interactions: Interactions, users: np.ndarray, cuts: np.ndarray, top: int) -> int:
    """K that every row can fill: at most the unseen items of the row with the longest history."""
    longest = int(cuts.argmax())
    unseen = interactions.n_items - int(cuts[longest])
    if unseen < 1:
        user = interactions.user_ids[users[longest]]
        raise DataError(
            f"top list needs an unseen item in every row, and user {user!r} has {cuts[longest]} pairs of "
            f"{interactions.n_items} items; use dense=True"
        )
    return min(top, unseen)

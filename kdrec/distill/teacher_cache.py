"""The teacher's answers, written once and read memory-mapped, so that a student trains without running the teacher."""

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np

from kdrec.data.histories import pad_histories
from kdrec.data.interactions import Interactions
from kdrec.distill.cache_files import allocated, described, mapped
from kdrec.distill.cache_plan import ROW_FIELDS, TABLES, given, name_of, plan
from kdrec.distill.cache_tables import ItemUsers, tables
from kdrec.distill.teacher_answers import answers, teacher_inputs
from kdrec.errors import BundleError, DataError
from kdrec.files import atomic_folder, canonical_json

SCHEMA = 2
SCORES = frozenset({"scores"})

Teacher = Callable[[dict[str, np.ndarray]], np.ndarray]
Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class TeacherCache:
    """Row i answers the history of users[i] after its first cuts[i] pairs; it holds what its `needs` asked for.

    Fields of a row: `scores` (rows, n_items); `top_items` (rows, K) int32 and `top_scores` (rows, K), the best items
    that are not in the row's history, score descending, then lower position; `user_embedding` (rows, d);
    `snapshot_items` (rows, S, K) int32, the top items of S states of the teacher, the easiest first, the teacher last;
    `row` (rows,) int32, the number of the row. All but positions are float16, which keeps 3 digits of a score above
    6e-5: a teacher gives logits, not probabilities.

    Tables for all rows: `item_embedding` (n_items, d) float32, by which `user_embedding` gives the scores;
    `item_users` (n_items, R) int32, the rows that have not seen the item, score descending, then lower row, and −1
    where there are fewer; `item_counts` (n_items,) float32, pairs of each item.

    Args:
        folder: what `write` wrote.
        meta: the content of its meta.json.
        arrays: the fields of a row, memory-mapped.
        tables: the tables, memory-mapped.

    >>> import tempfile
    >>> log = Interactions([0, 0, 1], [0, 1, 2], ["ann", "bob"], ["a", "b", "c"])
    >>> teacher = lambda x: np.tile([3.0, 2.0, 1.0], (len(x["user"]), 1))
    >>> folder = tempfile.mkdtemp() + "/cache"
    >>> users, cuts, needs = np.array([0, 0]), np.array([1, 2]), {"top_items", "item_users"}
    >>> cache = TeacherCache.write(folder, teacher, log, users, cuts, needs=needs, top=1)
    >>> cache.batch(np.array([0, 1]))["teacher_top_items"].tolist()  # after [a]: b; after [a, b]: c
    [[1], [2]]
    >>> cache.tables["item_users"].tolist()  # both have seen a, the second also b
    [[-1, -1], [0, -1], [0, 1]]
    """

    folder: Path
    meta: dict[str, Any]
    arrays: dict[str, np.ndarray]
    tables: dict[str, np.ndarray]

    def __len__(self) -> int:
        return self.meta["rows"]

    @property
    def fields(self) -> frozenset[str]:
        """What the cache holds: fields of a row, and tables."""
        return frozenset(self.arrays) | frozenset(self.tables) | ({"row"} & set(self.meta["needs"]))

    def batch(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """The fields of some rows, named `teacher_<field>`: what joins the inputs of a batch."""
        fields = {f"teacher_{name}": np.asarray(array[rows]) for name, array in self.arrays.items()}
        return fields | ({"teacher_row": np.asarray(rows, dtype=np.int32)} if "row" in self.fields else {})

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

    def check_has(self, needs: Iterable[str]) -> None:
        """Refuse needs that neither the fields meet nor what follows from them.

        Raises:
            DataError: a need that the cache does not meet.
        """
        missing = frozenset(needs) - given(self.fields)
        if missing:
            raise DataError(
                f"teacher cache {self.folder} has no {', '.join(sorted(missing))}, it holds "
                f"{', '.join(sorted(self.fields))}; write it again with needs={sorted(self.fields | missing)}"
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
        needs: Iterable[str] = SCORES,
        scale: float = 1.0,
        history_length: int | None = None,
        top: int = 200,
        item_top: int = 200,
        snapshots: int = 3,
        dense: bool | Literal["auto"] = "auto",
        unlabelled: np.ndarray | None = None,
        batch_size: int = 512,
        progress: Progress | None = None,
    ) -> Self:
        """Ask the teacher about each row and keep its answers; the folder appears whole or not at all.

        Args:
            folder: replaced if it exists.
            teacher: any callable from x to scores (rows, n_items); for embeddings and snapshots one that provides them.
            interactions: the pairs that histories and context are taken from.
            users, cuts: (rows,) each: the history of row i is the first cuts[i] pairs of users[i].
            needs: the fields to hold. `scores` that are too large are met by the best ones, a top list, or exactly by
                both embeddings if these are needed, too.
            scale: factor on the scores, for example from `calibrated_scale`; it changes no ranking. Embeddings are
                multiplied by its square root, so that their product is the scores.
            history_length: tokens that the teacher is shown, the last ones; None shows the whole history.
            top: K of a top list; at most as many as every row has unseen.
            item_top: R of `item_users`; at most as many as there are rows.
            snapshots: S of `snapshot_items`, the teacher itself included.
            dense: keep the scores of all items when they are needed; "auto" does up to 512 MiB.
            unlabelled: (n_users,) bool, users whose pairs do not count in `item_counts`, such as sampled ones; or None.
            batch_size: rows that the teacher scores at once.
            progress: called with (rows done, rows).

        Raises:
            DataError: scores of a wrong shape, not finite or beyond ±60,000; no row; a need that the teacher cannot
                meet; no unseen item for a top list.
            UnknownNameError: a need that no cache holds.
            OutputError: no space left.
        """
        users, cuts = np.asarray(users, dtype=np.int32), np.asarray(cuts, dtype=np.int32)
        kept = plan(teacher, interactions, users, cuts, needs, dense, top, item_top, snapshots)
        easier = teacher.snapshots(kept.snapshots)[:-1] if kept.snapshots else []  # type: ignore[attr-defined]
        item_users = ItemUsers(interactions.n_items, kept.item_top) if kept.item_top else None
        with atomic_folder(folder) as fresh:
            arrays: dict[str, np.ndarray] = {}
            for start in range(0, len(users), batch_size):
                rows = slice(start, start + batch_size)
                x = teacher_inputs(interactions, users[rows], cuts[rows], history_length)
                seen = pad_histories(interactions, users[rows], cuts[rows])
                fields, unseen = answers(teacher, easier, kept, x, seen, interactions.n_items, scale)
                for name, values in fields.items():
                    if start == 0:
                        shape = (len(users), *values.shape[1:])
                        arrays[name] = allocated(fresh / f"{name}.npy", values.dtype, shape)
                    arrays[name][rows] = values
                if item_users is not None and unseen is not None:
                    item_users.add(start, unseen)
                if progress is not None:
                    progress(min(start + batch_size, len(users)), len(users))
            once = tables(teacher, interactions, kept, scale, unlabelled, item_users)
            for name, values in once.items():
                arrays[name] = allocated(fresh / f"{name}.npy", values.dtype, values.shape)
                arrays[name][:] = values
            meta = {
                "schema": SCHEMA,
                "fingerprint": fingerprint(interactions, users, cuts),
                "teacher": name_of(teacher),
                "needs": sorted(kept.needs),
                "scale": scale,
                "rows": len(users),
                "n_items": interactions.n_items,
                "history_length": history_length,
                "fields": {name: described(array) for name, array in arrays.items()},
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
        arrays = {name: mapped(folder / f"{name}.npy", part) for name, part in meta["fields"].items()}
        of_rows, of_all = ({name: arrays[name] for name in names if name in arrays} for names in (ROW_FIELDS, TABLES))
        return cls(folder, meta, of_rows, of_all)


def fingerprint(interactions: Interactions, users: np.ndarray, cuts: np.ndarray) -> str:
    """sha256, in hex, of the data and of the rows that a cache answers."""
    digest = hashlib.sha256(interactions.fingerprint().encode())
    for array in (users, cuts):
        digest.update(np.ascontiguousarray(array, dtype="<i4").tobytes())
    return digest.hexdigest()

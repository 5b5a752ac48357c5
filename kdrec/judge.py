"""A row of the report: one form of the model, its size and what it recommends."""

import gzip
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tf_keras as keras

from kdrec.data.splits import Split
from kdrec.distill.live_teacher import inputs_of
from kdrec.evaluation.fusion import choose_alpha, fuse
from kdrec.evaluation.ranking import evaluate

Scorer = Callable[[dict[str, np.ndarray]], np.ndarray]


@dataclass(frozen=True)
class Judge:
    """Judges every form in the same way: full ranking of the test part, seen items masked, ties by their mean.

    Args:
        split: whose test part is judged.
        k: length of the list.
        is_kept: (n_items,) bool, the items that keep a row of their own, the head, judged apart from the others, the
            tail; None where all do.
    """

    split: Split
    k: int
    is_kept: np.ndarray | None = None

    def row(
        self, name: str, form: str, scorer: Scorer, history_length: int | None = None, **known: Any
    ) -> dict[str, Any]:
        """Evaluate a scorer and make its row; `with_keep` fills in what needs the teacher's.

        Args:
            name: of the row.
            form: `baseline`, `keras` or `file`.
            scorer: x -> scores (rows, n_items).
            history_length: how much history the form reads; None gives it all.
            **known: columns that are not measured here, for example `bytes`.
        """
        ends = {} if self.is_kept is None else {"head": self.is_kept, "tail": ~self.is_kept}
        result = evaluate(scorer, self.split, "test", ks=(self.k,), history_length=history_length, item_sets=ends)
        ndcg = f"ndcg@{self.k}"
        values = result.per_user[ndcg]
        margin = 1.96 * values.std() / len(values) ** 0.5  # 95 % of the mean over users, normal approximation
        empty = dict.fromkeys(
            (
                "keep",
                "target",
                "recipe",
                "parameters",
                "bytes",
                "gzip_bytes",
                "table_bytes",
                "overhead_bytes",
                "sparsity",
            )
            + ("latency_us_p50", "latency_us_p90", "latency_us_p99", "arena_bytes")
        )
        return {
            **empty,
            **{"name": name, "form": form},
            **result.metrics,
            **{f"{ndcg}_low": result.metrics[ndcg] - margin, f"{ndcg}_high": result.metrics[ndcg] + margin},
            **{f"{ndcg}_pessimistic": result.pessimistic[ndcg]},
            **{
                f"{metric}@{self.k}_{end}": None if np.isnan(value := found[f"{metric}@{self.k}"]) else value
                for end, found in result.by_items.items()
                for metric in ("ndcg", "recall")
            },
            "tied_share": result.tied_share[f"tied@{self.k}"],
            **known,
        }

    def fusion(self, teacher: Scorer, student: Scorer, parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """The row of teacher and student together, α chosen on the validation part; its sizes are those of both.

        Args:
            teacher, student: x -> scores (rows, n_items).
            parts: for each of the two, the columns of its size.
        """
        alpha, _ = choose_alpha(teacher, student, self.split, self.k)
        sizes = {
            name: None if any(part[name] is None for part in parts) else sum(part[name] for part in parts)
            for name in ("parameters", "bytes", "gzip_bytes")
        }
        return self.row("fusion", "keras", fuse(teacher, student, alpha), alpha=alpha, **sizes)


def with_keep(rows: list[dict[str, Any]], k: int) -> list[dict[str, Any]]:
    """The rows with `keep`, their share of the teacher's NDCG@k; None where the teacher's is 0.

    >>> rows = [{"name": "teacher", "ndcg@5": 0.5}, {"name": "student", "ndcg@5": 0.25}]
    >>> [row["keep"] for row in with_keep(rows, 5)]
    [1.0, 0.5]
    """
    best = next(row for row in rows if row["name"] == "teacher")[f"ndcg@{k}"]
    return [{**row, "keep": row[f"ndcg@{k}"] / best if best else None} for row in rows]


def keras_scorer(student: keras.Model) -> Scorer:
    """A Keras model as a scorer on numpy inputs."""
    return lambda x: student(inputs_of(student, x), training=False).numpy()


def weight_sizes(student: keras.Model) -> dict[str, int]:
    """Parameters of a Keras model, their bytes as float32, and those bytes gzipped."""
    raw = b"".join(weight.astype(np.float32).tobytes() for weight in student.get_weights())
    return {"parameters": len(raw) // 4, "bytes": len(raw), "gzip_bytes": len(gzip.compress(raw, mtime=0))}


def folder_sizes(folder: Path) -> dict[str, int | None]:
    """Floats stored in the .npz files of a folder, the bytes of all its files, and those bytes gzipped.

    Returns:
        By column of a row; a folder without files has none of them, one without .npz files no parameters.
    """
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    arrays = [file for file in files if file.suffix == ".npz"]
    return {
        "parameters": sum(map(_floats, arrays)) if arrays else None,
        "bytes": sum(file.stat().st_size for file in files) if files else None,
        "gzip_bytes": sum(map(_gzip_bytes, files)) if files else None,
    }


def _floats(path: Path) -> int:
    with np.load(path, allow_pickle=False) as stored:
        return sum(array.size for name in stored.files if (array := stored[name]).dtype.kind == "f")


def _gzip_bytes(path: Path) -> int:
    """Piece by piece, for a teacher may be larger than what memory is left."""
    packer, size = zlib.compressobj(9, wbits=31), 0  # 31: with gzip's header
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            size += len(packer.compress(piece))
    return size + len(packer.flush())

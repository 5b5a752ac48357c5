"""A row of the report: one form of the model, its size and what it recommends."""

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tf_keras as keras

from kdrec.data.splits import Split
from kdrec.distill.live_teacher import inputs_of
from kdrec.evaluation.ranking import evaluate
from kdrec.evaluation.result import RankingResult

Scorer = Callable[[dict[str, np.ndarray]], np.ndarray]


@dataclass
class Judge:
    """Judges every form in the same way: full ranking of the test part, seen items masked, ties by their mean.

    Args:
        split: whose test part is judged.
        k: length of the list.
    """

    split: Split
    k: int
    teacher: RankingResult | None = None

    def row(
        self, name: str, form: str, scorer: Scorer, history_length: int | None = None, **known: Any
    ) -> dict[str, Any]:
        """Evaluate a scorer and make its row; the teacher must come before what is compared with it.

        Args:
            name: of the row.
            form: `baseline`, `keras` or `file`.
            scorer: x -> scores (rows, n_items).
            history_length: how much history the form reads; None gives it all.
            **known: columns that are not measured here, for example `bytes`.
        """
        result = evaluate(scorer, self.split, "test", ks=(self.k,), history_length=history_length)
        if name == "teacher":
            self.teacher = result
        ndcg = f"ndcg@{self.k}"
        values = result.per_user[ndcg]
        margin = 1.96 * values.std() / len(values) ** 0.5  # 95 % of the mean over users, normal approximation
        keep = None if self.teacher is None else result.metrics[ndcg] / self.teacher.metrics[ndcg]
        empty = dict.fromkeys(
            ("target", "recipe", "parameters", "bytes", "gzip_bytes", "table_bytes", "overhead_bytes", "sparsity")
            + ("latency_us_p50", "latency_us_p90", "latency_us_p99", "arena_bytes")
        )
        return {
            **empty,
            **{"name": name, "form": form, "keep": keep},
            **result.metrics,
            **{f"{ndcg}_low": result.metrics[ndcg] - margin, f"{ndcg}_high": result.metrics[ndcg] + margin},
            **{f"{ndcg}_pessimistic": result.pessimistic[ndcg]},
            "tied_share": result.tied_share[f"tied@{self.k}"],
            **known,
        }


def keras_scorer(student: keras.Model) -> Scorer:
    """A Keras model as a scorer on numpy inputs."""
    return lambda x: student(inputs_of(student, x), training=False).numpy()


def weight_sizes(student: keras.Model) -> dict[str, int]:
    """Parameters of a Keras model, their bytes as float32, and those bytes gzipped."""
    raw = b"".join(weight.astype(np.float32).tobytes() for weight in student.get_weights())
    return {"parameters": len(raw) // 4, "bytes": len(raw), "gzip_bytes": len(gzip.compress(raw, mtime=0))}

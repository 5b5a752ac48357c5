"""What a benchmark's student is trained with, and what its script is called with."""

import argparse
import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Setting:
    """One student: everything that its training depends on beside data and teacher.

    Args:
        method: its row in the table.
        losses: soft losses by name, with the options of each; none is plain training.
        student_loss_weight: weight of the hard loss.
        embedding_dim, hidden, tied: of the student.
        history_length: items that it reads.
        epochs, learning_rate: of its training; an epoch holds every user and every sampled history once.
        initialise: where its item table begins, a name in `kdrec.models.initialisers`.
        initialise_options: of the ALS, as wide as the student, whose factors it begins with.
        sampled: histories of nobody that the teacher labels, for each user.
        sampled_a_row: so many of them an epoch, for each user, in turn.
        hidden_share: of a user's items, hidden from the student and wanted of it.
        whole_share: of the users, from whom nothing is hidden in an epoch.
        seed: of all that is random in its training.
        left_out: whether a tenth of the users is left out of teacher and student, to be judged on.
    """

    method: str
    losses: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    student_loss_weight: float = 0.0
    embedding_dim: int = 20
    hidden: int = 128
    tied: bool = True
    history_length: int = 256
    epochs: int = 25
    learning_rate: float = 0.01
    initialise: str = "random"
    initialise_options: Mapping[str, float] = field(default_factory=dict)
    sampled: float = 0.0
    sampled_a_row: float | None = None
    hidden_share: tuple[float, float] = (0.0, 0.0)
    whole_share: float = 0.0
    seed: int = 0
    left_out: bool = False


def key_of(*parts: Any) -> str:
    """A short name that depends on all of some JSON."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def seeded(setting: Setting, seeds: Iterable[int]) -> list[Setting]:
    """The same with each seed."""
    return [replace(setting, seed=seed) for seed in seeds]


def summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Mean and standard deviation over seeds of everything that was measured."""
    numbers = [name for name, value in runs[0].items() if isinstance(value, float | int)]
    return {
        **{key: runs[0][key] for key in ("method", "setting") if key in runs[0]},
        "seeds": len(runs),
        **{
            name: {
                "mean": float(np.mean(values)),
                "deviation": float(np.std(values, ddof=1)) if len(runs) > 1 else None,
            }
            for name in numbers
            for values in [[run[name] for run in runs]]
        },
    }


def arguments(description: str, default_folder: str) -> argparse.Namespace:
    """--data-dir (or KDREC_DATA and the set's folder in it), --work, --seeds."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    base = os.environ.get("KDREC_DATA")
    parser.add_argument(
        "--data-dir", type=Path, default=Path(base, default_folder) if base else None,
        help=f"folder of the data set; by default {default_folder} in the folder that KDREC_DATA names",
    )  # fmt: skip
    parser.add_argument("--work", type=Path, default=Path("runs/benchmarks"), help="where a cut run goes on")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--only", help="train the settings of this method and stop, for two processes side by side")
    found = parser.parse_args()
    if found.data_dir is None:
        parser.error("--data-dir is missing, and KDREC_DATA names no folder")
    return found

"""The configuration that benchmarks of whole runs share, their command line, and their result files."""

import argparse
import importlib.metadata
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ml_1m import TEACHER
from speed import machine

from kdrec.config import Config
from kdrec.files import atomic_write
from kdrec.threads import cores

ML_1M = Config(
    data="lightgcn", teacher="ensemble", teacher_options=TEACHER, temperature=0.5, student_loss_weight=0.2, hidden=512,
    history_length=1024, epochs=42, learning_rate=0.007, cuts_per_user=None, jit_compile=True, sampled_histories=1.0,
    sparsity=0.0, targets=("android",),
)  # fmt: skip
QUICK: dict[str, Any] = {"teacher": "ease", "teacher_options": {}, "epochs": 1}  # of a trial of the script itself


@dataclass(frozen=True)
class Task:
    """A benchmark of whole runs on one data set.

    Args:
        of: the benchmark, first part of its result file's name.
        data: `demo` or `ml_1m`.
        quick: a trial, whose result goes to `work` alone.
        work: where a cut run goes on.
    """

    of: str
    data: str
    quick: bool
    work: Path

    def write(self, result: Mapping[str, Any], config: Config) -> Path:
        """Write what was found, with its configuration, the machine and the libraries' versions."""
        told = {**result, "data": self.data, "config": without_place(json.loads(config.to_json())), "machine": on()}
        place = (self.work if self.quick else Path(__file__).parent) / f"{self.of}_{self.data}.json"
        atomic_write(place, json.dumps(told, indent=1, sort_keys=True) + "\n")
        return place


def parser(description: str | None) -> argparse.ArgumentParser:
    """A command line with --data-dir, --work and --quick."""
    asked = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--data-dir", help="folder of MovieLens-1M; without it the demo's data")
    asked.add_argument("--work", type=Path, default=Path("runs/benchmarks"), help="where a cut run goes on")
    asked.add_argument("--quick", action="store_true", help="a trial of the script, written to --work alone")
    return asked


def task(of: str, given: argparse.Namespace) -> Task:
    """What a command line asks for; trials and both sets have folders of their own in --work."""
    data = "demo" if given.data_dir is None else "ml_1m"
    return Task(of, data, given.quick, given.work / f"{of}-quick" / data if given.quick else given.work / of / data)


def without_place(config: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration without the folder of its data, which is another one on every machine."""
    return {**config, "data_dir": None}


def on() -> dict[str, Any]:
    """The machine and the versions of libraries, the runtime of the files among them."""
    found = machine(int(os.environ.get("OMP_NUM_THREADS") or cores()))
    found["thread_settings"] = {name: os.environ.get(name) for name in found["thread_settings"]}  # as they are here
    found["versions"]["ai-edge-litert"] = importlib.metadata.version("ai-edge-litert")
    return found

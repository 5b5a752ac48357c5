"""Weights & Biases: a group of runs, one a training and one for what the run ended with."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tf_keras as keras

from kdrec import legacy_keras
from kdrec.loggers.base import Logger, flat, installed


class wandb(Logger):  # noqa: N801 - the name of its file is the option's value
    """Trainings through `wandb.integration.keras.WandbMetricsLogger`, in a group of the run's name.

    Account, project and mode are said as W&B has it: WANDB_API_KEY, WANDB_PROJECT (kdrec by default), WANDB_MODE.
    """

    def __init__(self, folder: Path, name: str):
        super().__init__(folder, name)
        legacy_keras.ensure()
        self._wandb = installed("wandb", "wandb")
        self._callback = installed("wandb.integration.keras", "wandb").WandbMetricsLogger

    def _run(self, name: str, kind: str, config: Mapping[str, Any] | None = None) -> Any:
        self.folder.mkdir(parents=True, exist_ok=True)
        project = os.environ.get("WANDB_PROJECT", "kdrec")
        return self._wandb.init(
            project=project, group=self.name, name=name, job_type=kind, config=config, dir=str(self.folder)
        )

    @contextmanager
    def training(self, stage: str) -> Iterator[keras.callbacks.Callback]:
        with self._run(stage, "training"):
            yield self._callback()

    def curve(self, stage: str, epochs: Sequence[Mapping[str, float]]) -> None:
        with self._run(stage, "training") as run:
            for epoch, logs in enumerate(epochs):
                run.log({**{f"epoch/{name}": value for name, value in logs.items()}, "epoch/epoch": epoch})

    def result(self, config: Mapping[str, Any], figures: Mapping[str, float]) -> None:
        with self._run("result", "result", flat(config)) as run:
            run.summary.update(figures)

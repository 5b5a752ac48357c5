"""MLflow: a run, and in it a run a training."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tf_keras as keras

from kdrec import legacy_keras
from kdrec.loggers.base import Logger, flat, installed


class mlflow(Logger):  # noqa: N801 - the name of its file is the option's value
    """Trainings through `mlflow.tensorflow.MlflowCallback`, each in a nested run; options and figures in the outer one.

    Where it goes, and into which experiment, is said as MLflow has it: MLFLOW_TRACKING_URI, MLFLOW_EXPERIMENT_NAME.
    MLflow's names have no '@': ndcg@10 is ndcg_at_10.
    """

    def __init__(self, folder: Path, name: str):
        super().__init__(folder, name)
        legacy_keras.ensure()
        self._mlflow = installed("mlflow", "mlflow")
        self._callback = installed("mlflow.tensorflow", "mlflow").MlflowCallback
        self._run = self._mlflow.start_run(run_name=name).info.run_id

    @contextmanager
    def training(self, stage: str) -> Iterator[keras.callbacks.Callback]:
        with self._mlflow.start_run(run_name=stage, nested=True, parent_run_id=self._run):
            yield _renaming(self._callback())

    def curve(self, stage: str, epochs: Sequence[Mapping[str, float]]) -> None:
        with self._mlflow.start_run(run_name=stage, nested=True, parent_run_id=self._run):
            for epoch, logs in enumerate(epochs):
                self._mlflow.log_metrics(named(logs), step=epoch)

    def result(self, config: Mapping[str, Any], figures: Mapping[str, float]) -> None:
        self._mlflow.log_params(flat(config))
        self._mlflow.log_metrics(named(figures))

    def close(self) -> None:
        super().close()
        self._mlflow.end_run()


def named(values: Mapping[str, float]) -> dict[str, float]:
    """Figures under names that MLflow takes.

    >>> named({"val_ndcg@10": 0.5})
    {'val_ndcg_at_10': 0.5}
    """
    return {name.replace("@", "_at_"): float(value) for name, value in values.items()}


def _renaming(callback: keras.callbacks.Callback) -> keras.callbacks.Callback:
    log = callback.on_epoch_end
    callback.on_epoch_end = lambda epoch, logs=None: log(epoch, named(logs or {}))
    return callback

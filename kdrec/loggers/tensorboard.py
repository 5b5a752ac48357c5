"""TensorBoard: a folder of event files a stage, and one for what the run ended with."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tensorflow as tf
import tf_keras as keras

from kdrec import legacy_keras
from kdrec.files import canonical_json, sha256_of
from kdrec.loggers.base import Logger, flat, installed


class tensorboard(Logger):  # noqa: N801 - the name of its file is the option's value
    """Scalars of every epoch in `<folder>/<stage>`, as `tf_keras.callbacks.TensorBoard` writes them.

    What the run ended with is in `<folder>/run-<key>`: the figures of every form, the configuration as text, and as
    hyperparameters, which the HPARAMS tab compares. `tensorboard --logdir <folder>` shows it all.
    """

    def __init__(self, folder: Path, name: str):
        super().__init__(folder, name)
        legacy_keras.ensure()
        self._hparams = installed("tensorboard.plugins.hparams.api", "tensorboard")

    @contextmanager
    def training(self, stage: str) -> Iterator[keras.callbacks.Callback]:
        yield keras.callbacks.TensorBoard(str(self.folder / stage), write_graph=False)

    def curve(self, stage: str, epochs: Sequence[Mapping[str, float]]) -> None:
        if (self.folder / stage).exists():  # an earlier run has logged it
            return
        for part, of_part in (("train", False), ("validation", True)):
            with tf.summary.create_file_writer(str(self.folder / stage / part)).as_default():
                for epoch, logs in enumerate(epochs):
                    for name, value in logs.items():
                        if name.startswith("val_") == of_part:
                            tf.summary.scalar(f"epoch_{name.removeprefix('val_')}", value, step=epoch)

    def result(self, config: Mapping[str, Any], figures: Mapping[str, float]) -> None:
        key = sha256_of(canonical_json(config).encode())[:12]
        with tf.summary.create_file_writer(str(self.folder / f"run-{key}")).as_default():
            self._hparams.hparams(flat(config), trial_id=f"{self.name} {key}")
            tf.summary.text("config", f"```\n{json.dumps(config, indent=2)}\n```", step=0)
            for name, value in figures.items():
                tf.summary.scalar(name, value, step=0)

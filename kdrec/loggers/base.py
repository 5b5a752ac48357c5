"""What follows a run from outside: every training epoch by epoch, and the figures that it ends with."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import tf_keras as keras

from kdrec import variants
from kdrec.errors import LogError

RESULT = ("bytes", "gzip_bytes", "keep", "ndcg", "recall", "latency_us", "latency_us_p50")  # what of a row is logged


class Logger(ABC):
    """Logs one run, or one trial of a search.

    Args:
        folder: for what is kept on disk, `runs/<data>/logs`.
        name: of the run.

    Raises:
        LogError: what it logs to is not installed.
    """

    def __init__(self, folder: Path, name: str):
        self.folder, self.name = folder, name
        self._told: set[str] = set()  # stages whose training a callback has followed
        self._open = ExitStack()

    @abstractmethod
    def training(self, stage: str) -> AbstractContextManager[keras.callbacks.Callback]:
        """The tool's own Keras callback, while it follows a training."""

    @abstractmethod
    def curve(self, stage: str, epochs: Sequence[Mapping[str, float]]) -> None:
        """Log the epochs of a training that nobody followed: a teacher's, or one that was found finished."""

    @abstractmethod
    def result(self, config: Mapping[str, Any], figures: Mapping[str, float]) -> None:
        """Log what the run ended with.

        Args:
            config: its options.
            figures: by `<row>/<figure>`, as `figures_of` gives them.
        """

    def close(self) -> None:
        """The run is over, or was given up."""
        self._open.close()

    def callback(self, stage: str, before: int = 0) -> keras.callbacks.Callback:
        """A callback that follows a training of a stage, whose phases before had so many epochs."""
        return Following(self, stage, before)

    def follow(self, stage: str) -> keras.callbacks.Callback:
        """Begin with a training; the one before, which may have ended by an error, is over."""
        self._told.add(stage)
        self._open.close()
        return self._open.enter_context(self.training(stage))

    def finished(self, stage: str, epochs: Sequence[Mapping[str, float]]) -> None:
        """A stage is over: what no callback followed is logged now."""
        self._open.close()
        if epochs and stage not in self._told:
            self.curve(stage, epochs)


class Following(keras.callbacks.Callback):
    """Hands the epochs of a Distiller's training to a tool's callback, with the values that its schedules had.

    Args:
        logger: whose callback it is.
        stage: that trains.
        before: epochs of earlier phases of the same training.
    """

    def __init__(self, logger: Logger, stage: str, before: int):
        super().__init__()
        self.logger, self.stage, self.before = logger, stage, before

    def on_train_begin(self, logs: Any = None) -> None:
        self.inner = self.logger.follow(self.stage)
        self.inner.set_params(self.params)
        self.inner.set_model(self.model)
        self.inner.on_train_begin(logs)

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        self.inner.on_epoch_end(self.before + epoch, {**(logs or {}), **self.model.scheduled()})

    def on_train_end(self, logs: Any = None) -> None:
        self.inner.on_train_end(logs)


@contextmanager
def logging_to(names: Iterable[str], folder: Path, name: str) -> Iterator[list[Logger]]:
    """Loggers of those names for a run, until it is over.

    Raises:
        UnknownNameError: no logger of a name.
        LogError: what it logs to is not installed.
    """
    with ExitStack() as begun:
        loggers: list[Logger] = []
        for each in dict.fromkeys(names):
            loggers.append(variants.get("kdrec.loggers", each)(folder, name))
            begun.callback(loggers[-1].close)
        yield loggers


def figures_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """The figures of a report's rows that are logged, by `<row>/<figure>`.

    >>> figures_of([{"name": "int8_android", "target": "android", "bytes": 7000, "ndcg@10": 0.5, "ndcg@10_low": 0.4}])
    {'int8_android/bytes': 7000, 'int8_android/ndcg@10': 0.5}
    """
    found = {}
    for row in rows:
        for key, value in row.items():
            base, at, k = key.partition("@")
            if base in RESULT and (not at or k.isdigit()) and value is not None:
                found[f"{row['name']}/{key}"] = value
    return found


def flat(config: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a configuration as tools take them: numbers and texts; others as their text.

    >>> flat({"epochs": 3, "tied": True, "losses": ("softened_kl", "rkd")})
    {'epochs': 3, 'tied': True, 'losses': "('softened_kl', 'rkd')"}
    """
    return {
        name: value if isinstance(value, bool | int | float | str) else str(value) for name, value in config.items()
    }


def installed(module: str, extra: str) -> Any:
    """A module of an optional extra.

    Raises:
        LogError: it cannot be imported.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise LogError(f"log {extra!r} needs {module} ({error}): pip install 'kdrec[{extra}]'") from error

"""The interpreter that judges a bundle's file: the one its manifest names as oracle."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from kdrec.bundle.golden import Answer, Inputs
from kdrec.bundle.manifest import Manifest
from kdrec.errors import RuntimeFileError
from kdrec.runtime.foreign import ForeignFile
from kdrec.runtime.host import Host
from kdrec.runtime.interpreter import LiteRtFile
from kdrec.runtime.micro_interpreter import MicroFile
from kdrec.runtime.scores import FileScores
from kdrec.runtime.unnamed import with_score


class Scorer(Protocol):
    """x -> scores; and answers for golden vectors."""

    length: int
    n_items: int

    def __call__(self, x: Mapping[str, np.ndarray]) -> np.ndarray: ...

    def answers(self, cases: Sequence[Inputs]) -> Sequence[Answer]: ...


def litert(manifest: Manifest, files: Mapping[str, bytes], num_threads: int = 1) -> FileScores:
    """The bundle's model in LiteRT; with a host part in the manifest, the host computes its share in numpy.

    Args:
        manifest: of the bundle; its `files` need not be filled in.
        files: content by file name.
        num_threads: that LiteRT may use.

    Raises:
        RuntimeFileError: the model cannot be run, or does not fit the manifest.
    """
    name = manifest.signatures["score"].file
    file = LiteRtFile(files[name], name, num_threads)
    if manifest.host is None:
        scores = FileScores(file, last_token=manifest.history.rare, last_of=_last_of(manifest))
    else:
        host = Host(manifest.host, files, file.ends("score").inputs)
        names = ["history", *manifest.context]
        scores = FileScores(
            file, host, names, manifest.history.length, manifest.history.rare, last_of=_last_of(manifest)
        )
    _check(scores, manifest, name)
    return scores


def judge(manifest: Manifest, files: Mapping[str, bytes], num_threads: int = 1) -> Scorer:
    """The bundle's model in the interpreter that the manifest names as oracle: what evaluation judges.

    Args:
        manifest: of the bundle; its `files` need not be filled in.
        files: content by file name.
        num_threads: that LiteRT may use; the micro interpreter has one.

    Raises:
        RuntimeFileError: the model cannot be run, or does not fit the manifest.
    """
    if manifest.oracle == "litert":
        return litert(manifest, files, num_threads)
    name = manifest.signatures["score"].file
    micro = MicroFile(files[name], name, last_token=manifest.history.rare, last_of=_last_of(manifest))
    _check(micro, manifest, name)
    return micro


def file_scorer(path: str | Path, num_threads: int = 1) -> FileScores:
    """A scorer from a single .tflite file that takes a history, in LiteRT, in a process of its own.

    A file of somebody else's, without a signature `score`, may go from integer tokens (1, length) to scores
    (1, n_items); what its signature, input and output are called does not matter.

    Raises:
        RuntimeFileError: the file cannot be read or run, crashes LiteRT, or is neither.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise RuntimeFileError(f"{path} cannot be read: {error.strerror}; give the path of a .tflite file") from error
    file = ForeignFile(content, str(path), num_threads)
    if "score" in file.signatures:
        return FileScores(file)
    file = ForeignFile(with_score(content, str(path)), str(path), num_threads)
    tokens = file.ends("score").inputs["history"]
    return FileScores(
        file, lambda x: {"history": x["history"].astype(tokens.dtype)}, ["history"], length=tokens.shape[-1]
    )


def _last_of(manifest: Manifest) -> dict[str, int]:
    """The largest token of each context feature; 0 is unknown."""
    return {name: len(values) for name, values in manifest.context.items()}


def _check(scores: Scorer, manifest: Manifest, name: str) -> None:
    for what, expected, received in (
        ("history length", manifest.history.length, scores.length),
        ("number of items", manifest.data.n_items, scores.n_items),
    ):
        if expected != received:
            raise RuntimeFileError(
                f"{name} must have the {what} that the manifest says, {expected}, received {received}; "
                f"export the bundle again"
            )

"""A micro file in the TensorFlow Lite Micro interpreter, in a process of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kdrec.bundle.golden import Answer, Inputs
from kdrec.errors import RuntimeFileError
from kdrec.runtime import micro_process
from kdrec.runtime.inputs import batch_of, checked
from kdrec.runtime.interpreter import Edge
from kdrec.tflite.views import Signature, Tensor, read


@dataclass(frozen=True, eq=False)
class MicroScores:
    """What the micro interpreter answered.

    Args:
        stored: (rows, n_items) as they leave the file, int8 for an int8 file.
        scores: (rows, n_items) float32.
        arena_bytes: RAM that the interpreter needs for tensors and its own records.
    """

    stored: np.ndarray
    scores: np.ndarray
    arena_bytes: int


class MicroFile:
    """A scorer, x -> (rows, n_items) float32, through a file of one graph with the signature `score`.

    Args:
        content: the file's bytes.
        name: of the file, for errors.
        timeout: seconds that one call may take.
        last_token: the largest that a history may hold; None is the last item's.
        last_of: the largest token of a context feature, by name.

    Raises:
        RuntimeFileError: the file is no .tflite file or has no signature `score` (history -> scores).
    """

    def __init__(
        self,
        content: bytes,
        name: str = "model.tflite",
        timeout: float = micro_process.TIMEOUT,
        last_token: int | None = None,
        last_of: Mapping[str, int] | None = None,
    ):
        self._content, self.name, self._timeout = content, name, timeout
        try:
            file = read(content)
        except ValueError as error:
            raise RuntimeFileError(f"{name} cannot be loaded: {error}") from error
        if len(file.subgraphs) != 1 or "score" not in file.signatures:
            raise RuntimeFileError(
                f"{name} must have one graph with the signature 'score', it has {len(file.subgraphs)} and "
                f"{', '.join(sorted(file.signatures)) or 'no signature'}; export it for the target micro"
            )
        signature = file.signatures["score"]
        if "history" not in signature.inputs or "scores" not in signature.outputs:
            raise RuntimeFileError(
                f"{name}: signature 'score' must take 'history' and return 'scores'; export it for the target micro"
            )
        self._names = _inputs_in_order(signature, file.subgraphs[0].inputs)
        self._edge = _edge(signature.outputs["scores"])
        self.length = signature.inputs["history"].shape[1]
        self.n_items = self._edge.shape[-1]
        self._last_token, self._last_of = last_token or self.n_items, last_of

    def __call__(self, x: Mapping[str, np.ndarray]) -> np.ndarray:
        """x: `history` (rows, any) tokens and (rows,) a context feature -> (rows, n_items) float32."""
        return self.run(x).scores

    def answers(self, cases: Sequence[Inputs]) -> list[Answer]:
        """What golden vectors hold."""
        said = self.run(batch_of(cases))
        return [Answer(scores, stored) for scores, stored in zip(said.scores, said.stored, strict=True)]

    def run(self, x: Mapping[str, np.ndarray]) -> MicroScores:
        """All rows in one process.

        Raises:
            RuntimeFileError: the `tflite-micro` wheel is not installed, or the interpreter refused the file or died.
        """
        n_rows, arrays = checked(x, self._names, self.length, self._last_token, self._last_of)
        if n_rows == 0:
            raise RuntimeFileError(f"{self.name}: x must have at least one row, received none; give a history")
        inputs = [arrays[name][:, np.newaxis] for name in self._names]  # each call has a batch of one
        stored, arena = micro_process.run(self._content, inputs, self.name, self._timeout)
        stored = stored[:, 0]
        return MicroScores(stored, self._edge.dequantize(stored), arena)


def _inputs_in_order(signature: Signature, order: tuple[int, ...]) -> list[str]:
    """Input names as the graph counts its inputs: the interpreter knows no names."""
    name_of = {tensor.index: name for name, tensor in signature.inputs.items()}
    return [name_of[index] for index in order]


def _edge(tensor: Tensor) -> Edge:
    return Edge(np.dtype(tensor.dtype), tensor.shape, tensor.scale or 0.0, tensor.zero_point or 0)

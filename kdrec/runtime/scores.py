"""Scores of the whole catalogue from a .tflite file, one row after the other, as a device computes them."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from kdrec.bundle.golden import Answer, Inputs
from kdrec.errors import RuntimeFileError
from kdrec.runtime.inputs import batch_of, checked
from kdrec.runtime.interpreter import Edge, SignatureFile

Tokens = Mapping[str, np.ndarray]


class FileScores:
    """A scorer, x -> (rows, n_items) float32, through a file's signature `score`; and its own top K, if it ranks.

    Args:
        file: with outputs `scores` (1, n_items), or `scores_0`, `scores_1` … that follow one another; a file with
            a signature `recommend` returns `items` and `scores`, (1, K), from it.
        prepare: makes the file's inputs from the tokens of one row; None hands the tokens over by name.
        names: inputs that `x` must have; None takes the file's.
        length: of a history; None takes the file's.
        last_token: the largest that a history may hold; None is the last item's.
        last_of: the largest token of a context feature, by name.

    Raises:
        RuntimeFileError: the file has no such signature, input or output.
    """

    def __init__(
        self,
        file: SignatureFile,
        prepare: Callable[[Tokens], dict[str, np.ndarray]] | None = None,
        names: list[str] | None = None,
        length: int | None = None,
        last_token: int | None = None,
        last_of: Mapping[str, int] | None = None,
    ):
        ends = file.ends("score")
        if length is None and "history" not in ends.inputs:
            raise RuntimeFileError(
                f"{file.name}: signature 'score' must take 'history', it takes {', '.join(ends.inputs)}; open the "
                f"bundle's folder, whose host part makes these inputs"
            )
        self._file, self._prepare = file, prepare
        self._names = list(ends.inputs) if names is None else names
        self._scores = score_outputs(ends.outputs, file.name)
        self.length = ends.inputs["history"].shape[1] if length is None else length
        self.n_items = sum(edge.shape[-1] for edge in self._scores.values())
        self._last_token, self._last_of = last_token or self.n_items, last_of
        self.k = _top_k(file)

    def __call__(self, x: Tokens) -> np.ndarray:
        """x: `history` (rows, any) tokens and (rows,) a context feature -> (rows, n_items) float32."""
        n_rows, rows = self._rows(x)
        scores = np.empty((n_rows, self.n_items), np.float32)
        for row, tokens in enumerate(rows):
            scores[row] = self._dequantize(self._run("score", tokens))
        return scores

    def recommended(self, x: Tokens) -> tuple[np.ndarray, np.ndarray]:
        """Positions (rows, K) int32 and their scores (rows, K) float32, in the file's own order; K = `k`.

        Raises:
            RuntimeFileError: the file does not rank; its host does.
        """
        edge = self._file.ends("recommend").outputs["scores"]
        n_rows, rows = self._rows(x)
        positions, scores = np.empty((n_rows, self.k), np.int32), np.empty((n_rows, self.k), np.float32)
        for row, tokens in enumerate(rows):
            outputs = self._run("recommend", tokens)
            positions[row] = outputs["items"]
            scores[row] = edge.dequantize(outputs["scores"])
        return positions, scores

    def answers(self, cases: Sequence[Inputs]) -> list[Answer]:
        """What golden vectors hold: the outputs as they leave the file."""
        return [self._answer(tokens) for case in cases for tokens in self._rows(batch_of([case]))[1]]

    def _answer(self, tokens: Tokens) -> Answer:
        outputs = self._run("score", tokens)
        stored = np.concatenate([outputs[name][0] for name in self._scores])
        recommended = None
        if self.k:
            top = self._run("recommend", tokens)
            recommended = (top["items"][0], top["scores"][0])
        return Answer(self._dequantize(outputs), stored, recommended)

    def _rows(self, x: Tokens) -> tuple[int, Iterator[Tokens]]:
        n_rows, arrays = checked(x, self._names, self.length, self._last_token, self._last_of)
        return n_rows, ({name: array[row : row + 1] for name, array in arrays.items()} for row in range(n_rows))

    def _run(self, signature: str, tokens: Tokens) -> dict[str, np.ndarray]:
        return self._file.run(signature, self._prepare(tokens) if self._prepare else tokens)

    def _dequantize(self, outputs: Mapping[str, np.ndarray]) -> np.ndarray:
        return np.concatenate([edge.dequantize(outputs[name][0]) for name, edge in self._scores.items()])


def _top_k(file: SignatureFile) -> int:
    """How many items `recommend` returns; 0 when the file does not rank."""
    if "recommend" not in file.signatures:
        return 0
    outputs = file.ends("recommend").outputs
    if not {"items", "scores"} <= set(outputs):
        raise RuntimeFileError(
            f"{file.name}: signature 'recommend' must return 'items' and 'scores', it returns "
            f"{', '.join(outputs)}; export it with kdrec"
        )
    return outputs["items"].shape[-1]


def score_outputs(outputs: Mapping[str, Edge], file: str) -> dict[str, Edge]:
    """The outputs that hold scores, in the order of the item positions.

    >>> edge = Edge(np.dtype("int8"), (1, 3), 0.1, 0)
    >>> list(score_outputs({"scores_10": edge, "scores_9": edge}, "model.tflite"))
    ['scores_9', 'scores_10']
    """
    if "scores" in outputs:
        return {"scores": outputs["scores"]}
    shards = [name for name in outputs if name.startswith("scores_") and name[len("scores_") :].isdecimal()]
    if not shards:
        raise RuntimeFileError(
            f"{file}: signature 'score' must return 'scores' or 'scores_0', 'scores_1' …, it returns "
            f"{', '.join(outputs) or 'nothing'}; export it with kdrec"
        )
    return {name: outputs[name] for name in sorted(shards, key=lambda name: int(name[len("scores_") :]))}

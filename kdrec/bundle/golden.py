"""Golden vectors: a few inputs with what the oracle's interpreter answered, so that any other port can be compared."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kdrec.bundle.fields import Field, parse
from kdrec.bundle.manifest import GOLDEN, ORACLES
from kdrec.files import canonical_json, sha256_of

TOP = 10


@dataclass(frozen=True)
class Answer:
    """What a file says to one input.

    Args:
        scores: (n_items,) float, dequantized.
        stored: (n_items,) as they leave the file, the bytes that are compared.
        recommended: positions (K,) and stored scores (K,) of the in-graph top K; None when the file has none.
    """

    scores: np.ndarray
    stored: np.ndarray
    recommended: tuple[np.ndarray, np.ndarray] | None = None


Inputs = Mapping[str, Sequence[int]]
Runner = Callable[[Sequence[Inputs]], Sequence[Answer]]


def make(oracle: str, cases: Sequence[Inputs], runner: Runner) -> bytes:
    """golden.json: what `runner` answers to each case.

    Args:
        oracle: the interpreter behind `runner`: `litert` or `tflite-micro`.
        cases: tokens by input name: `history` has as many as the file takes, a context feature one.
        runner: answers all cases, in order.

    >>> answer = Answer(np.array([0.5, 1.0]), np.array([1, 2], np.int8))
    >>> golden = make("litert", [{"history": [0, 1]}], lambda cases: [answer])
    >>> replay(golden, lambda cases: [answer])
    []
    """
    entries = [
        {"inputs": {name: [int(token) for token in tokens] for name, tokens in case.items()}, "outputs": _outputs(said)}
        for case, said in zip(cases, runner(cases), strict=True)
    ]
    return canonical_json({"oracle": oracle, "cases": entries}).encode()


def asked(golden: bytes) -> list[dict[str, list[int]]]:
    """The inputs of the cases of a golden.json: tokens by input name.

    Raises:
        BundleError: the file is not a golden.json.

    >>> asked(make("litert", [{"history": [0, 1]}], lambda cases: [Answer(np.ones(2), np.ones(2))]))
    [{'history': [0, 1]}]
    """
    return [_inputs(case) for case in _cases(golden)]


def replay(golden: bytes, runner: Runner) -> list[str]:
    """Ask the cases of a golden.json again.

    Args:
        golden: its bytes.
        runner: answers all cases; of the oracle itself for equal bytes.

    Returns:
        One sentence a case and signature that differ; empty when all are equal.

    Raises:
        BundleError: the file is not a golden.json.
    """
    cases = _cases(golden)
    inputs = [_inputs(case) for case in cases]
    differences = []
    for number, (case, said) in enumerate(zip(cases, runner(inputs), strict=True)):
        received = _outputs(said)
        for signature, expected in case.key("outputs").mapping().items():
            if expected.value != received.get(signature):
                differences.append(
                    f"case {number}, {signature}: expected {_short(expected.value)}, "
                    f"received {_short(received.get(signature))}"
                )
    return differences


def _cases(golden: bytes) -> list[Field]:
    root = parse(GOLDEN, golden)
    root.only(("oracle", "cases"))
    root.key("oracle").one_of(ORACLES)
    return root.key("cases").elements()


def _inputs(case: Field) -> dict[str, list[int]]:
    case.only(("inputs", "outputs"))
    return {
        name: [token.integer(0) for token in tokens.elements()] for name, tokens in case.key("inputs").mapping().items()
    }


def _outputs(said: Answer) -> dict[str, Any]:
    stored = np.ascontiguousarray(said.stored)
    top = np.argsort(-said.scores, kind="stable")[:TOP]
    outputs: dict[str, Any] = {"score": {"sha256": sha256_of(stored.tobytes()), "top": top.tolist()}}
    if said.recommended is not None:
        items, scores = said.recommended
        outputs["recommend"] = {"items": items.tolist(), "scores": scores.tolist()}
    return outputs


def _short(value: Any) -> str:
    text = canonical_json(value)
    return text if len(text) <= 120 else text[:117] + "..."

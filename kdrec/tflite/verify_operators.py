"""Two .tflite files compared operator by operator: where a rewritten one moved, not only that it did."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from kdrec.errors import ConversionError, RuntimeFileError
from kdrec.tflite.views import Operator, Subgraph, Tensor, read

Inputs = Mapping[str, np.ndarray]
# Operators that rewriting puts in or takes out; every other one of the old file has its counterpart in the new.
CONVERTS = ("DEQUANTIZE", "QUANTIZE")
DROPPED = (*CONVERTS, "RESHAPE", "STRIDED_SLICE")


def operator_differences(old: bytes, new: bytes, inputs: Mapping[str, Sequence[Inputs]]) -> dict[str, float]:
    """How far the result of each operator moved: the root mean square difference, in steps of the old file.

    A step is the scale of the old operator's output, or where that is float max|output| / 127. Left out are integers
    that count, and everything computed from the positions that TOPK_V2 chose: near ties may fall otherwise there, and
    then other values follow.

    Args:
        old, new: the bytes of two files with the same signatures, the second one rewritten from the first.
        inputs: by signature, the calls to compare: each a dict of arrays by input name.

    Returns:
        Steps, by "signature, operator 3 (GATHER)", the place being that in the old file's graph.

    Raises:
        ConversionError: an operator of one file has no counterpart in the other.
        RuntimeFileError: a file does not load or run.
    """
    files = read(old), read(new)
    runs = Results(old), Results(new)
    found = {}
    for signature, cases in inputs.items():
        places = [file.signatures[signature].subgraph for file in files]
        before, after = (file.subgraphs[place] for file, place in zip(files, places, strict=True))
        skipped = after_ranking(before)
        pairs = [
            (operator, before.tensors[operator.outputs[0]], after.tensors[other.outputs[0]])
            for operator, other in counterparts(before, after)
            if operator.outputs[0] not in skipped
        ]
        ours = runs[0].of(signature, places[0], cases, [tensor for _, tensor, _ in pairs])
        theirs = runs[1].of(signature, places[1], cases, [tensor for _, _, tensor in pairs])
        for (operator, tensor, _), was, now in zip(pairs, ours, theirs, strict=True):
            if np.issubdtype(was.dtype, np.floating):
                step = tensor.scale or max(float(np.abs(was).max()), 1e-30) / 127
                moved = float(np.sqrt(np.mean((was - now) ** 2))) / step
                found[f"{signature}, operator {operator.index} ({operator.name})"] = moved
    return found


def counterparts(old: Subgraph, new: Subgraph) -> Iterator[tuple[Operator, Operator]]:
    """The operators of two graphs that do the same, in order.

    Raises:
        ConversionError: an operator of one graph has no counterpart in the other.
    """
    waiting = iter(old.operators)
    for operator in (operator for operator in new.operators if operator.name not in CONVERTS):
        shape = new.tensors[operator.outputs[0]].shape
        for other in waiting:
            if other.name == operator.name and old.tensors[other.outputs[0]].shape == shape:
                yield other, operator
                break
            _check_dropped(other)
        else:
            raise ConversionError(
                f"operator {operator.index} ({operator.name}) of the rewritten file has no counterpart in the "
                "converter's; this is a fault of kdrec, please report it"
            )
    for other in waiting:
        _check_dropped(other)


def _check_dropped(operator: Operator) -> None:
    if operator.name not in DROPPED:
        raise ConversionError(
            f"operator {operator.index} ({operator.name}) of the converter's file has no counterpart in the rewritten "
            "one; this is a fault of kdrec, please report it"
        )


def after_ranking(graph: Subgraph) -> set[int]:
    """The tensors that are computed from positions that TOPK_V2 chose."""
    reached: set[int] = set()
    for operator in graph.operators:
        if reached & set(operator.inputs):
            reached |= set(operator.outputs)
        if operator.name == "TOPK_V2":
            reached.add(operator.outputs[1])
    return reached


class Results:
    """A file whose tensors can be read after it ran.

    Args:
        content: the bytes of a .tflite file.

    Raises:
        RuntimeFileError: the file does not load.
    """

    def __init__(self, content: bytes) -> None:
        try:
            self._interpreter = Interpreter(
                model_content=content,
                num_threads=1,
                # A delegate takes operators together and keeps what is between them.
                experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
                experimental_preserve_all_tensors=True,
            )
        except (RuntimeError, ValueError) as error:
            raise RuntimeFileError(f"the file does not load in LiteRT: {error}; export the model again") from error

    def of(self, signature: str, graph: int, cases: Sequence[Inputs], tensors: Sequence[Tensor]) -> list[np.ndarray]:
        """What tensors of the signature's graph hold after each call: (cases, …) each, real where they are quantized.

        Raises:
            RuntimeFileError: the file does not run.
        """
        held: list[list[np.ndarray]] = [[] for _ in tensors]
        try:
            runner = self._interpreter.get_signature_runner(signature)
            for case in cases:
                runner(**case)
                for values, tensor in zip(held, tensors, strict=True):
                    values.append(real_values(tensor, self._interpreter.get_tensor(tensor.index, graph)))
        except (RuntimeError, ValueError) as error:
            raise RuntimeFileError(f"the file does not run in LiteRT: {error}; export the model again") from error
        return [np.stack(values) for values in held]


def real_values(tensor: Tensor, stored: np.ndarray) -> np.ndarray:
    """scale · (stored − zero point) of a tensor with one scale; of every other one what is stored."""
    if tensor.scale is None or tensor.zero_point is None:
        return stored
    return np.float32(tensor.scale) * (stored.astype(np.float32) - np.float32(tensor.zero_point))

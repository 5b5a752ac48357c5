"""Two .tflite files compared by what they answer."""

from collections.abc import Mapping, Sequence

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from kdrec.errors import ConversionError, RuntimeFileError
from kdrec.tflite.verify_operators import Inputs, operator_differences, real_values
from kdrec.tflite.views import File, Signature, read


def differences(old: bytes, new: bytes, inputs: Mapping[str, Sequence[Inputs]]) -> dict[str, float]:
    """How far each real-valued output moved: the root mean square difference, in steps of the old file.

    A single score may move by several steps where rounding in the middle of the graph is magnified; the mean over
    many does not, unless the rewriting is wrong. A step is the scale of an int8 output (or of the tensor that a final
    DEQUANTIZE reads); where the old output was computed in float, it is max|output| / 127. Integer outputs that count,
    such as item positions, are left out.

    Args:
        old, new: the bytes of two files with the same signatures.
        inputs: by signature, the calls to compare: each a dict of arrays by input name.

    Returns:
        Steps, by "signature/output".

    Raises:
        RuntimeFileError: a file does not load or run.
    """
    file, other = read(old), read(new)
    found = {}
    for name, cases in inputs.items():
        before, after = _answers(old, file, name, cases), _answers(new, other, name, cases)
        for output, values in before.items():
            if np.issubdtype(values.dtype, np.floating):
                step = _step(file, file.signatures[name], output) or max(float(np.abs(values).max()), 1e-30) / 127
                found[f"{name}/{output}"] = float(np.sqrt(np.mean((values - after[output]) ** 2))) / step
    return found


def verify_equivalent(
    old: bytes, new: bytes, inputs: Mapping[str, Sequence[Inputs]], tolerance_steps: float = 4.0
) -> dict[str, float]:
    """Refuse a rewritten file whose answers, or the results of whose operators, moved by more than rounding.

    Args:
        old, new, inputs: as for `differences`.
        tolerance_steps: the root mean square difference allowed, in steps.

    Returns:
        The differences found in outputs.

    Raises:
        ConversionError: an output or an operator differs by more.
    """
    found = differences(old, new, inputs)
    moved = {f"output {output}": steps for output, steps in found.items()} | operator_differences(old, new, inputs)
    for what, steps in moved.items():
        if not steps <= tolerance_steps:
            raise ConversionError(
                f"{what} of the rewritten file must stay within {tolerance_steps:g} steps of the converter's "
                f"in the root mean square, but moved by {steps:.1f}; calibrate with more histories"
            )
    return found


def run(content: bytes, signature: str, cases: Sequence[Inputs]) -> dict[str, np.ndarray]:
    """Call a signature once a case.

    Args:
        content: the bytes of a .tflite file.
        signature: its name.
        cases: arrays by input name, in the signature's own shapes.

    Returns:
        By output name (cases, …): real values for quantized outputs, integers as they are.

    Raises:
        RuntimeFileError: the file does not load or run.
    """
    return _answers(content, read(content), signature, cases)


def _answers(content: bytes, file: File, signature: str, cases: Sequence[Inputs]) -> dict[str, np.ndarray]:
    ends = file.signatures
    if signature not in ends:
        raise RuntimeFileError(f"the file has no signature {signature!r}; it has {', '.join(ends)}")
    try:
        interpreter = Interpreter(model_content=content, num_threads=1)
        runner = interpreter.get_signature_runner(signature)
        answers = [runner(**case) for case in cases]
    except (RuntimeError, ValueError) as error:
        raise RuntimeFileError(f"the file does not run in LiteRT: {error}; export the model again") from error
    return {
        name: real_values(tensor, np.concatenate([answer[name] for answer in answers]))
        for name, tensor in ends[signature].outputs.items()
    }


def _step(file: File, signature: Signature, output: str) -> float | None:
    tensor = signature.outputs[output]
    graph = file.subgraphs[signature.subgraph]
    for operator in graph.operators:
        if tensor.index in operator.outputs and operator.name == "DEQUANTIZE":
            return graph.tensors[operator.inputs[0]].scale
    return tensor.scale

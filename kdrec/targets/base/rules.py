"""The rules of devices: a docstring says the message, the way out and the source; it is the manual, too."""

from collections.abc import Iterator

from kdrec.targets.base.subject import Finding, Subject, tensor_finding
from kdrec.targets.base.target import Target
from kdrec.tflite.views import Subgraph


def known_ops(subject: Subject, target: Target) -> Iterator[Finding]:
    """Every operator is one that the target's runtime has.

    Way out: export for this target; top-k and, where it has no GATHER, table lookup belong to the host.

    Source: the target's list of operators, measured or read as its page says.
    """
    for step in subject.steps:
        if step.name not in target.ops | target.custom_ops:
            yield step.finding(f"{target.title} has no {step.name}")


def verified_ops(subject: Subject, target: Target) -> Iterator[Finding]:
    """Every operator is one that the target's manual is known to list.

    Way out: try the target's own compiler, or replace the operator.

    Source: https://coral.ai/docs/edgetpu/models-intro, as far as it was read.
    """
    for step in subject.steps:
        if step.name in target.unverified_ops:
            yield step.finding(f"{step.name} on {target.title} is unverified")


def signatures_present(subject: Subject, target: Target) -> Iterator[Finding]:
    """The file has the target's signatures, by name.

    Way out: export for this target.

    Source: kdrec's runtimes and apps, which call a file by these names.
    """
    for name in target.signatures:
        if name not in subject.file.signatures:
            yield Finding("file", f"no {name!r}, only {', '.join(sorted(subject.file.signatures)) or 'none'}")


def one_subgraph(subject: Subject, target: Target) -> Iterator[Finding]:
    """The file has exactly one graph.

    Way out: export one signature only; the device's runtime would load the operators of every graph.

    Source: measured, TensorFlow Lite Micro resolves the operators of every graph; an Edge TPU compiler's log, "More
    than one subgraph is not supported".
    """
    if len(subject.file.subgraphs) != 1:
        yield Finding("file", f"{len(subject.file.subgraphs)} graphs")


def fixed_shapes(subject: Subject, target: Target) -> Iterator[Finding]:
    """Every tensor has a fixed shape.

    Way out: convert with batch 1 and a fixed history length.

    Source: https://coral.ai/docs/edgetpu/models-intro; Vela's report; TensorFlow Lite Micro plans its memory once.
    """
    for graph, tensor in subject.tensors():
        if (graph, tensor.index) in subject.dynamic:
            yield tensor_finding(graph, tensor, f"shape {list(tensor.shape)} is not fixed")


def no_integer_division(subject: Subject, target: Target) -> Iterator[Finding]:
    """No DIV on quantized values: x86 and ARM round it differently.

    Way out: multiply by a gathered table of reciprocals.

    Source: measured, LiteRT 2.3.0 on x86-64 and on emulated arm64; runtime 2.14 refuses the operator.
    """
    for step in subject.steps:
        if step.name == "DIV" and any(tensor.scales for tensor in step.tensors):
            yield step.finding("quantized DIV")


def no_float_islands(subject: Subject, target: Target) -> Iterator[Finding]:
    """Nothing in an int8 file is computed in float and quantized again, but for matrices that a recipe keeps so.

    Way out: leave out the layer that int8 cannot express (LayerNormalization, UnitNormalization).

    Source: measured, so the converter writes LayerNormalization and UnitNormalization.
    """
    if not subject.is_integer:
        return
    for step in subject.steps:
        for tensor in step.inputs:
            entry = tensor.index in step.subgraph.inputs
            comes_back = step.name == "QUANTIZE" and tensor.dtype == "float32" and not entry and not tensor.is_constant
            if comes_back and tensor.index not in _of_matrices(step.subgraph):
                yield step.finding(f"tensor {tensor.index} ({tensor.name or 'without name'}) comes back from float32")


def _of_matrices(graph: Subgraph) -> set[int]:
    """What was read from a float32 matrix or multiplied by it, and rows that only change their type on the way."""
    return {
        operator.outputs[0]
        for operator in graph.operators
        if operator.name in ("DEQUANTIZE", "FULLY_CONNECTED", "GATHER")
    }


def per_tensor_matrices(subject: Subject, target: Target) -> Iterator[Finding]:
    """Every FULLY_CONNECTED matrix, the item table too, has one scale.

    Way out: convert with per-channel quantization of dense layers switched off, as kdrec does.

    Source: measured, 12 bytes a row in the file and 8 bytes a row of RAM in TensorFlow Lite Micro; NNAPI rejects it.
    """
    for step in subject.steps:
        if step.name == "FULLY_CONNECTED" and step.inputs[1].is_per_channel:
            yield step.finding(f"{len(step.inputs[1].scales)} scales")


def no_mixed_matrices(subject: Subject, target: Target) -> Iterator[Finding]:
    """No FULLY_CONNECTED multiplies float32 values with int8 or int4 weights: the runtime has no mixed kernel.

    Way out: use recipe int8 or float32 for this target.

    Source: measured, the wheel tflite-micro 0.dev20261023182759.
    """
    for step in subject.steps:
        types = [tensor.dtype for tensor in step.inputs[:2]]
        if step.name == "FULLY_CONNECTED" and types[0] == "float32" and types[1] in ("int4", "int8"):
            yield step.finding(f"float32 values, {types[1]} weights")


def known_tables(subject: Subject, target: Target) -> Iterator[Finding]:
    """No GATHER reads a table of int16 or int4: the runtime has no such kernel.

    Way out: use recipe int8 for this target.

    Source: measured, the wheel tflite-micro 0.dev20261023182759.
    """
    for step in subject.steps:
        if step.name == "GATHER" and step.inputs[0].dtype in ("int4", "int16"):
            yield step.finding(f"{step.inputs[0].dtype} table")


def no_half_precision(subject: Subject, target: Target) -> Iterator[Finding]:
    """No tensor is float16: the runtime does not allocate it.

    Way out: use recipe int8 or float32 for this target.

    Source: measured, the wheel tflite-micro 0.dev20261023182759.
    """
    for graph, tensor in subject.tensors():
        if tensor.dtype == "float16":
            yield tensor_finding(graph, tensor, "type float16")

"""The rules of devices: a docstring's first line is the message and a row of the manual, then comes the way out."""

from collections.abc import Iterator

from kdrec.targets.base.subject import SMALL_INTEGERS, Finding, Subject, tensor_finding
from kdrec.targets.base.target import Target
from kdrec.tflite.views import Subgraph


def known_ops(subject: Subject, target: Target) -> Iterator[Finding]:
    """Every operator is one that the target's runtime has.

    Way out: export for this target; top-k and, where it has no GATHER, table lookup belong to the host.
    """
    for step in subject.steps:
        if step.name not in target.ops:
            yield step.finding(f"{target.title} has no {step.name}")


def verified_ops(subject: Subject, target: Target) -> Iterator[Finding]:
    """Every operator is one that the target's manual is known to list.

    Way out: try the target's own compiler, or replace the operator.
    """
    for step in subject.steps:
        if step.name in target.unverified_ops:
            yield step.finding(f"{step.name} on {target.title} is unverified")


def signatures_present(subject: Subject, target: Target) -> Iterator[Finding]:
    """The file has the target's signatures, by name.

    Way out: export for this target.
    """
    for name in target.signatures:
        if name not in subject.file.signatures:
            yield Finding("file", f"no {name!r}, only {', '.join(sorted(subject.file.signatures)) or 'none'}")


def one_subgraph(subject: Subject, target: Target) -> Iterator[Finding]:
    """The file has exactly one graph.

    Way out: export one signature only; the device's runtime would load the operators of every graph.
    """
    if len(subject.file.subgraphs) != 1:
        yield Finding("file", f"{len(subject.file.subgraphs)} graphs")


def fixed_shapes(subject: Subject, target: Target) -> Iterator[Finding]:
    """Every tensor has a fixed shape.

    Way out: convert with batch 1 and a fixed history length.
    """
    for graph, tensor in subject.tensors():
        if (graph, tensor.index) in subject.dynamic:
            yield tensor_finding(graph, tensor, f"shape {list(tensor.shape)} is not fixed")


def no_integer_division(subject: Subject, target: Target) -> Iterator[Finding]:
    """No DIV on quantized values: x86 and ARM round it differently.

    Way out: multiply by a gathered table of reciprocals.
    """
    for step in subject.steps:
        if step.name == "DIV" and any(tensor.scales for tensor in step.tensors):
            yield step.finding("quantized DIV")


def no_float_islands(subject: Subject, target: Target) -> Iterator[Finding]:
    """Nothing in an int8 file is computed in float and quantized again, but for matrices that a recipe keeps so.

    Way out: leave out the layer that int8 cannot express (LayerNormalization, UnitNormalization).
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
    """
    for step in subject.steps:
        if step.name == "FULLY_CONNECTED" and step.inputs[1].is_per_channel:
            yield step.finding(f"{len(step.inputs[1].scales)} scales")


def narrow_matrices(subject: Subject, target: Target) -> Iterator[Finding]:
    """A FULLY_CONNECTED has no more outputs than the target takes.

    Way out: export for this target, which scores the catalogue in shards `scores_0`, `scores_1` ….
    """
    for step in subject.steps:
        width = max((tensor.shape[-1] for tensor in step.outputs if tensor.shape), default=0)
        if step.name == "FULLY_CONNECTED" and target.max_fc_outputs is not None and width > target.max_fc_outputs:
            yield step.finding(f"{width} outputs, the limit is {target.max_fc_outputs}")


def no_mixed_matrices(subject: Subject, target: Target) -> Iterator[Finding]:
    """No FULLY_CONNECTED multiplies float32 values with int8 or int4 weights: the runtime has no mixed kernel.

    Way out: use recipe int8 or float32 for this target.
    """
    for step in subject.steps:
        types = [tensor.dtype for tensor in step.inputs[:2]]
        if step.name == "FULLY_CONNECTED" and types[0] == "float32" and types[1] in ("int4", "int8"):
            yield step.finding(f"float32 values, {types[1]} weights")


def known_tables(subject: Subject, target: Target) -> Iterator[Finding]:
    """No GATHER reads a table of int16 or int4: the runtime has no such kernel.

    Way out: use recipe int8 for this target.
    """
    for step in subject.steps:
        if step.name == "GATHER" and step.inputs[0].dtype in ("int4", "int16"):
            yield step.finding(f"{step.inputs[0].dtype} table")


def no_half_precision(subject: Subject, target: Target) -> Iterator[Finding]:
    """No tensor is float16: the runtime does not allocate it.

    Way out: use recipe int8 or float32 for this target.
    """
    for graph, tensor in subject.tensors():
        if tensor.dtype == "float16":
            yield tensor_finding(graph, tensor, "type float16")


def eight_bits_only(subject: Subject, target: Target) -> Iterator[Finding]:
    """Every tensor is int8 or uint8; biases and constants that hold sizes may be int32.

    Way out: use recipe int8, and give the device int8 inputs that the host has looked up.
    """
    for graph, tensor in subject.tensors():
        if tensor.dtype not in SMALL_INTEGERS and not (tensor.dtype == "int32" and tensor.is_constant):
            yield tensor_finding(graph, tensor, f"type {tensor.dtype}")


def three_inner_dimensions(subject: Subject, target: Target) -> Iterator[Finding]:
    """Only the three innermost dimensions of a computed tensor are larger than 1.

    Way out: batch 1; reshape before the operator that adds a dimension.
    """
    for graph, tensor in subject.tensors():
        if not tensor.is_constant and any(size > 1 for size in tensor.shape[:-3]):  # convolution kernels have four
            yield tensor_finding(graph, tensor, f"shape {list(tensor.shape)}")


def flat_matrix_outputs(subject: Subject, target: Target) -> Iterator[Finding]:
    """The output of a FULLY_CONNECTED has one dimension larger than 1.

    Way out: batch 1; use a 1×1 convolution for rows of a sequence.
    """
    for step in subject.steps:
        for tensor in step.outputs if step.name == "FULLY_CONNECTED" else []:
            if any(size > 1 for size in tensor.shape[:-1]):
                yield step.finding(f"output shape {list(tensor.shape)}")


def mean_over_places(subject: Subject, target: Target) -> Iterator[Finding]:
    """MEAN does not run over the batch, and over channels only when their number is a multiple of 4.

    Way out: choose embedding_dim as a multiple of 4, or use a depthwise convolution.
    """
    for step in subject.steps:
        if step.name != "MEAN" or not step.inputs[1].is_constant:
            continue
        sizes = step.inputs[0].shape
        axes = {int(axis) % len(sizes) for axis in step.inputs[1].values().reshape(-1)}
        if 0 in axes or (len(sizes) - 1 in axes and sizes[-1] % 4):
            yield step.finding(f"axes {sorted(axes)} of shape {list(sizes)}")


def plain_concatenation(subject: Subject, target: Target) -> Iterator[Finding]:
    """CONCATENATION has no fused activation.

    Way out: apply the activation before joining.
    """
    for step in subject.steps:
        if step.name == "CONCATENATION" and step.options is not None and step.options.fusedActivationFunction:
            yield step.finding("a fused activation")


def fits_on_chip(subject: Subject, target: Target) -> Iterator[Finding]:
    """All parameters fit into the chip's own memory; the rest would be fetched at every call.

    Way out: a smaller embedding_dim or catalogue.
    """
    total = sum(subject.file.buffer_bytes)
    if target.max_constant_bytes is not None and total > target.max_constant_bytes:
        yield Finding("file", f"{total:,} bytes of parameters, the chip keeps {target.max_constant_bytes:,}")

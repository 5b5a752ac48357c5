"""Rules of the compiler of the Edge TPU."""

from collections.abc import Iterator

from kdrec.targets.base.on_chip import placed
from kdrec.targets.base.subject import SMALL_INTEGERS, Finding, Subject, tensor_finding
from kdrec.targets.base.target import Target


def narrow_matrices(subject: Subject, target: Target) -> Iterator[Finding]:
    """A FULLY_CONNECTED has no more outputs than the target takes.

    Way out: export for this target, which scores the catalogue in shards `scores_0`, `scores_1` ….

    Source: the Edge TPU compiler's log, which refused 14,400 outputs and said "try 2560".
    """
    for step in subject.steps:
        width = max((tensor.shape[-1] for tensor in step.outputs if tensor.shape), default=0)
        if step.name == "FULLY_CONNECTED" and target.max_fc_outputs is not None and width > target.max_fc_outputs:
            yield step.finding(f"{width} outputs, the limit is {target.max_fc_outputs}")


def eight_bits_only(subject: Subject, target: Target) -> Iterator[Finding]:
    """Every tensor is int8 or uint8; biases and constants that hold sizes may be int32.

    Way out: use recipe int8, and give the device int8 inputs that the host has looked up.

    Source: https://coral.ai/docs/edgetpu/models-intro.
    """
    for graph, tensor in subject.tensors():
        if tensor.dtype not in SMALL_INTEGERS and not (tensor.dtype == "int32" and tensor.is_constant):
            yield tensor_finding(graph, tensor, f"type {tensor.dtype}")


def three_inner_dimensions(subject: Subject, target: Target) -> Iterator[Finding]:
    """Only the three innermost dimensions of a computed tensor are larger than 1.

    Way out: batch 1; reshape before the operator that adds a dimension.

    Source: https://coral.ai/docs/edgetpu/models-intro.
    """
    for graph, tensor in subject.tensors():
        if not tensor.is_constant and any(size > 1 for size in tensor.shape[:-3]):  # convolution kernels have four
            yield tensor_finding(graph, tensor, f"shape {list(tensor.shape)}")


def flat_matrix_outputs(subject: Subject, target: Target) -> Iterator[Finding]:
    """The output of a FULLY_CONNECTED has one dimension larger than 1.

    Way out: batch 1; use a 1×1 convolution for rows of a sequence.

    Source: https://coral.ai/docs/edgetpu/models-intro.
    """
    for step in subject.steps:
        for tensor in step.outputs if step.name == "FULLY_CONNECTED" else []:
            if any(size > 1 for size in tensor.shape[:-1]):
                yield step.finding(f"output shape {list(tensor.shape)}")


def mean_over_places(subject: Subject, target: Target) -> Iterator[Finding]:
    """MEAN does not run over the batch, and over channels only when their number is a multiple of 4.

    Way out: choose embedding_dim as a multiple of 4, or use a depthwise convolution.

    Source: https://coral.ai/docs/edgetpu/models-intro.
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

    Source: https://coral.ai/docs/edgetpu/models-intro.
    """
    for step in subject.steps:
        if step.name == "CONCATENATION" and step.options is not None and step.options.fusedActivationFunction:
            yield step.finding("a fused activation")


def fits_on_chip(subject: Subject, target: Target) -> Iterator[Finding]:
    """All parameters fit into the chip's own memory; the rest would be fetched at every call.

    Way out: a smaller embedding_dim or catalogue.

    Source: https://coral.ai/docs/edgetpu/models-intro, about 8 MB; its compiler's logs leave 6.7 to 7.7 MiB.
    """
    total = sum(each.bytes for each in placed(subject, None))
    if target.max_constant_bytes is not None and total > target.max_constant_bytes:
        yield Finding("file", f"{total:,} bytes of parameters, the chip keeps {target.max_constant_bytes:,}")

"""Rules of a microcontroller with an NPU beside its CPU."""

from collections.abc import Iterator

from kdrec.targets.base.subject import Finding, Subject, tensor_finding
from kdrec.targets.base.target import Target


def whole_bytes(subject: Subject, target: Target) -> Iterator[Finding]:
    """Every tensor holds integers of 8 bits or more: the NPU computes with no floats, and multiplies with no 4 bits.

    Way out: use recipe int8 for this target.

    Source: `vela --supported-ops-report` of ethos-u-vela 5.2.0.
    """
    for graph, tensor in subject.tensors():
        if "float" in tensor.dtype or tensor.dtype == "int4":
            yield tensor_finding(graph, tensor, f"type {tensor.dtype}")


def accelerated_operators(subject: Subject, target: Target) -> Iterator[Finding]:
    """Every operator is one that the NPU may take; others run on the CPU beside it.

    Way out: none is needed for the lookup of a few rows; keep other operators to those of the target's list.

    Source: `vela --supported-ops-report` of ethos-u-vela 5.2.0.
    """
    for step in subject.steps:
        if step.name not in target.accelerated_ops | target.custom_ops:
            yield step.finding(f"{step.name} runs on the CPU")


def narrow_values(subject: Subject, target: Target) -> Iterator[Finding]:
    """The NPU's operators compute with 8 or 16 bits, but for a few that take 32; others run on the CPU beside it.

    Way out: none is needed for the few numbers of a history; compute in int8 what is large.

    Source: `vela --supported-ops-report` of ethos-u-vela 5.2.0, "32-bit feature-maps are not supported".
    """
    for step in subject.steps:
        wide = any(tensor.dtype in ("int32", "uint32") and not tensor.is_constant for tensor in step.tensors)
        if wide and step.name in target.narrow_ops:
            yield step.finding(f"{step.name} of 32 bits runs on the CPU")

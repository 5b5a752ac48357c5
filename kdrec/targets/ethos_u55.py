"""Cortex-M with the NPU Ethos-U55: a file for TensorFlow Lite Micro, compiled by Vela."""

from dataclasses import replace
from functools import partial

from kdrec.targets.base import npu_rules, vela
from kdrec.targets.base.estimates import flash
from kdrec.targets.base.target import operators
from kdrec.targets.micro import micro

# The report of `vela --supported-ops-report` (ethos-u-vela 5.2.0) lists these; a test compares.
LISTED = operators(
    """
    ABS ADD ARG_MAX AVERAGE_POOL_2D BATCH_MATMUL CONCATENATION CONV_2D DEPTHWISE_CONV_2D ELU EXP EXPAND_DIMS
    FULLY_CONNECTED GELU HARD_SWISH LEAKY_RELU LOG LOGISTIC MAXIMUM MAX_POOL_2D MEAN MINIMUM MIRROR_PAD MUL NEG PACK
    PAD PADV2 PRELU QUANTIZE REDUCE_MAX REDUCE_MIN RELU RELU6 RELU_0_TO_1 RELU_N1_TO_1 RESHAPE RESIZE_BILINEAR
    RESIZE_NEAREST_NEIGHBOR REVERSE_V2 RSQRT SLICE SOFTMAX SPLIT SPLIT_V SQUARED_DIFFERENCE SQUEEZE STRIDED_SLICE
    SUB SUM TANH TILE TRANSPOSE TRANSPOSE_CONV UNIDIRECTIONAL_SEQUENCE_LSTM UNPACK
    """
)
# Of these it does not say "32-bit feature-maps are not supported".
WIDE = operators(
    """
    ADD ARG_MAX BATCH_MATMUL EXPAND_DIMS FULLY_CONNECTED MIRROR_PAD MUL NEG RESHAPE SQUEEZE SUB SUM TRANSPOSE
    """
)

ethos_u55 = replace(
    micro,
    name="ethos_u55",
    title="Ethos-U55",
    source="ethos-u-vela 5.2.0, run; and what TensorFlow Lite Micro runs on the CPU beside the NPU",
    proof="the file before Vela in the `tflite-micro` interpreter on x86-64, with golden vectors; Vela compiles it and "
    "says what is left to the CPU; SRAM and cycles are its estimates for 128 MACs a cycle",
    not_proven="running the compiled file: it needs the NPU or Arm's model of it, and is never run here",
    sources={
        **micro.sources,
        "accelerated_ops": "`vela --supported-ops-report` of ethos-u-vela 5.2.0",
        "narrow_ops": 'the same: "32-bit feature-maps are not supported"',
        "finish": "Vela for ethos-u55-128, with its default system and memory, which `vela.json` names",
    },
    custom_ops=frozenset({vela.ON_NPU}),
    accelerated_ops=LISTED,
    narrow_ops=LISTED - WIDE,
    recipes=("int8",),
    mixes=(),
    rules=(*micro.rules, npu_rules.whole_bytes),
    advice=(*micro.advice, npu_rules.accelerated_operators, npu_rules.narrow_values),
    estimates=(flash,),
    finish=partial(vela.compiled, accelerator="ethos-u55-128"),
    packages={vela.PACKAGE: "ethos"},
    cores=(),  # Vela says what it costs on the NPU
)

"""A CPU with the NPU Ethos-U85, which looks rows up by itself."""

from dataclasses import replace
from functools import partial

from kdrec.targets.base import npu_rules, vela
from kdrec.targets.base.target import operators
from kdrec.targets.ethos_u55 import ethos_u55

# The report of `vela --supported-ops-report` (ethos-u-vela 5.2.0) lists these; a test compares.
LISTED = operators(
    """
    ABS ADD ARG_MAX ASSIGN_VARIABLE AVERAGE_POOL_2D BATCH_MATMUL CAST CONCATENATION CONV_2D DEPTHWISE_CONV_2D DIV
    ELU EQUAL EXP EXPAND_DIMS FULLY_CONNECTED GATHER GELU GREATER GREATER_EQUAL HARD_SWISH LEAKY_RELU LESS
    LESS_EQUAL LOG LOGICAL_AND LOGICAL_NOT LOGICAL_OR LOGISTIC MAXIMUM MAX_POOL_2D MEAN MINIMUM MIRROR_PAD MUL NEG
    NOT_EQUAL PACK PAD PADV2 PRELU QUANTIZE READ_VARIABLE REDUCE_ALL REDUCE_ANY REDUCE_MAX REDUCE_MIN RELU RELU6
    RELU_0_TO_1 RELU_N1_TO_1 RESHAPE RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR REVERSE_V2 RSQRT SCATTER_ND SELECT
    SELECT_V2 SLICE SOFTMAX SPLIT SPLIT_V SQUARED_DIFFERENCE SQUEEZE STRIDED_SLICE SUB SUM TANH TILE TRANSPOSE
    TRANSPOSE_CONV UNIDIRECTIONAL_SEQUENCE_LSTM UNPACK
    """
)

ethos_u85 = replace(
    ethos_u55,
    name="ethos_u85",
    title="Ethos-U85",
    proof=ethos_u55.proof.replace("128 MACs", "256 MACs"),
    sources={
        **{name: source for name, source in ethos_u55.sources.items() if name != "narrow_ops"},
        "finish": "Vela for ethos-u85-256, with its default system and memory, which `vela.json` names",
    },
    accelerated_ops=LISTED,
    narrow_ops=frozenset(),
    advice=tuple(rule for rule in ethos_u55.advice if rule is not npu_rules.narrow_values),
    finish=partial(vela.compiled, accelerator="ethos-u85-256"),
)

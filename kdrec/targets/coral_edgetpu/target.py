"""The Coral Edge TPU: a dense stage on the device, table lookup and top-k on the host."""

from functools import partial

from kdrec.targets.base import edge_tpu_rules, rules
from kdrec.targets.base.estimates import flash, parameter_cache, streamed_parameters
from kdrec.targets.base.target import Target, operators
from kdrec.targets.coral_edgetpu.prepare import prepared

ON_CHIP = int(6.7 * 2**20)  # bytes

# The manual, https://coral.ai/docs/edgetpu/models-intro, lists these.
LISTED = operators(
    """
    ADD AVERAGE_POOL_2D CONCATENATION CONV_2D DEPTHWISE_CONV_2D EXPAND_DIMS FULLY_CONNECTED L2_NORMALIZATION LOGISTIC
    MAXIMUM MAX_POOL_2D MEAN MINIMUM MUL PACK PAD PRELU QUANTIZE REDUCE_MAX REDUCE_MIN RELU RELU6 RELU_N1_TO_1 RESHAPE
    RESIZE_BILINEAR UNIDIRECTIONAL_SEQUENCE_LSTM
    """
)
# Believed to be listed too, but not read there.
UNVERIFIED = operators(
    """
    RESIZE_NEAREST_NEIGHBOR RSQRT SLICE SOFTMAX SPACE_TO_DEPTH SPLIT SQUARED_DIFFERENCE SQUEEZE STRIDED_SLICE SUB SUM
    TANH TRANSPOSE TRANSPOSE_CONV
    """
)

coral_edgetpu = Target(
    name="coral_edgetpu",
    title="Coral Edge TPU",
    source="read in its manual and in compiler logs, not run: the compiler and a device decide",
    proof="the file in LiteRT's CPU kernels, host part in numpy; hosts in Python and C++ that give equal ids there "
    "and call a delegate where a double of its library is; its rules stand in for the compiler",
    not_proven="compiling, running and timing on an Edge TPU: neither `edgetpu_compiler` nor a board was at hand",
    sources={
        "one_subgraph": 'a compiler log: "More than one subgraph is not supported"',
        "lookup": "its manual lists no GATHER; the first operator that is not mapped, and all after it, run on the CPU",
        "max_fc_outputs": 'a compiler log that refused 14,400 outputs: "try 2560"',
        "max_constant_bytes": "compiler logs leave 6.7 to 7.7 MiB of the about 8 MB that its manual names: "
        "the least of these",
        "finish": "`compile.sh` holds its compiler's command; what stays on the chip is counted, in the file's order",
    },
    ops=LISTED | UNVERIFIED,
    unverified_ops=UNVERIFIED,
    signatures=("score",),
    recipes=("int8",),
    one_subgraph=True,
    lookup="host",
    max_fc_outputs=2560,
    max_constant_bytes=ON_CHIP,
    rules=(
        rules.known_ops,
        rules.signatures_present,
        rules.one_subgraph,
        rules.fixed_shapes,
        edge_tpu_rules.eight_bits_only,
        edge_tpu_rules.three_inner_dimensions,
        rules.no_integer_division,
        rules.no_float_islands,
        rules.per_tensor_matrices,
        edge_tpu_rules.narrow_matrices,
        edge_tpu_rules.flat_matrix_outputs,
        edge_tpu_rules.mean_over_places,
        edge_tpu_rules.plain_concatenation,
    ),
    advice=(rules.verified_ops, edge_tpu_rules.fits_on_chip),
    estimates=(flash, parameter_cache, streamed_parameters),
    finish=partial(prepared, on_chip=ON_CHIP),
)

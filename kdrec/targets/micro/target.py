"""Microcontrollers that run TensorFlow Lite Micro."""

from kdrec.targets.base import rules
from kdrec.targets.base.estimates import arena, flash
from kdrec.targets.base.target import Target, operators

# Each operator of the schema was given to the wheel tflite-micro 0.dev20261023182759 in a file of one operator; these
# were registered.
OPS = operators(
    """
    ABS ADD ADD_N ARG_MAX ARG_MIN ASSIGN_VARIABLE AVERAGE_POOL_2D BATCH_MATMUL BATCH_TO_SPACE_ND BROADCAST_ARGS
    BROADCAST_TO CALL_ONCE CAST CEIL CONCATENATION CONV_2D COS CUMSUM DEPTHWISE_CONV_2D DEPTH_TO_SPACE DEQUANTIZE DIV
    DYNAMIC_UPDATE_SLICE ELU EMBEDDING_LOOKUP EQUAL EXP EXPAND_DIMS FILL FLOOR FLOOR_DIV FLOOR_MOD FULLY_CONNECTED
    GATHER GATHER_ND GREATER GREATER_EQUAL HARD_SWISH IF L2_NORMALIZATION L2_POOL_2D LEAKY_RELU LESS LESS_EQUAL LOG
    LOGICAL_AND LOGICAL_NOT LOGICAL_OR LOGISTIC LOG_SOFTMAX MAXIMUM MAX_POOL_2D MEAN MINIMUM MIRROR_PAD MUL NEG
    NOT_EQUAL PACK PAD PADV2 PRELU QUANTIZE READ_VARIABLE REDUCE_ALL REDUCE_MAX REDUCE_MIN RELU RELU6 RESHAPE
    RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR REVERSE_V2 ROUND RSQRT SELECT_V2 SHAPE SIN SLICE SOFTMAX SPACE_TO_BATCH_ND
    SPACE_TO_DEPTH SPLIT SPLIT_V SQRT SQUARE SQUARED_DIFFERENCE SQUEEZE STRIDED_SLICE SUB SUM SVDF TANH TRANSPOSE
    TRANSPOSE_CONV UNIDIRECTIONAL_SEQUENCE_LSTM UNPACK VAR_HANDLE WHILE ZEROS_LIKE
    """
)

micro = Target(
    name="micro",
    title="TensorFlow Lite Micro",
    source="measured on the wheel tflite-micro 0.dev20261023182759",
    proof="the file in the `tflite-micro` interpreter on x86-64, with golden vectors, and the arena as it counts it; "
    "generated C on emulated Cortex-M, equal to the bit, with its flash, RAM and instructions",
    not_proven="a board: latency, energy; the runtime itself on an Arm core and the size of its code",
    sources={
        "one_subgraph": "measured: the runtime resolves the operators of every graph",
        "oracle": "measured: it rounds otherwise than LiteRT, 37 % of the scores differ by up to 5 steps",
    },
    ops=OPS,
    signatures=("score",),
    recipes=("int8", "float32"),  # the others break no_half_precision and no_mixed_matrices
    mixes=(
        *("int8+item_table=float32", "int8+linear=int4", "int8+linear=float32", "int8+hidden=int4"),
        *("int8+hidden=float32", "int8+residual=int4", "int8+residual=float32"),
    ),  # and no rows of four bits, which its GATHER does not read
    one_subgraph=True,  # the runtime resolves the operators of every graph
    oracle="tflite-micro",  # it rounds otherwise than LiteRT: 37 % of the scores differ by up to 5 steps
    rules=(
        rules.known_ops,
        rules.signatures_present,
        rules.one_subgraph,
        rules.fixed_shapes,
        rules.no_integer_division,
        rules.no_float_islands,
        rules.per_tensor_matrices,  # per-channel costs 8 bytes of RAM a row
        rules.no_mixed_matrices,
        rules.known_tables,
        rules.no_half_precision,
    ),
    estimates=(flash, arena),
    cores=("Cortex-M0", "Cortex-M3", "Cortex-M4"),
)

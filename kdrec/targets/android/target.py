"""Android and every other machine that runs LiteRT."""

from kdrec.targets.base import rules
from kdrec.targets.base.target import Target, operators

# Each operator of the schema was given to ai-edge-litert 2.3.0 in a file of one operator; these were registered.
# Custom operators, and so all "Flex" ones, need a larger library than the app's.
OPS = operators(
    """
    ABS ADD ADD_N ARG_MAX ARG_MIN ASSIGN_VARIABLE ATAN2 AVERAGE_POOL_2D BATCH_MATMUL BATCH_TO_SPACE_ND
    BIDIRECTIONAL_SEQUENCE_LSTM BIDIRECTIONAL_SEQUENCE_RNN BITCAST BITWISE_XOR BROADCAST_ARGS BROADCAST_TO BUCKETIZE
    CALL_ONCE CAST CEIL COMPLEX_ABS CONCATENATION CONV_2D CONV_3D CONV_3D_TRANSPOSE COS CUMSUM DENSIFY
    DEPTHWISE_CONV_2D DEPTH_TO_SPACE DEQUANTIZE DILATE DIV DYNAMIC_UPDATE_SLICE ELU EMBEDDING_LOOKUP
    EMBEDDING_LOOKUP_SPARSE EQUAL EXP EXPAND_DIMS FAKE_QUANT FILL FLOOR FLOOR_DIV FLOOR_MOD FULLY_CONNECTED GATHER
    GATHER_ND GELU GREATER GREATER_EQUAL HARD_SWISH HASHTABLE HASHTABLE_FIND HASHTABLE_IMPORT HASHTABLE_LOOKUP
    HASHTABLE_SIZE IF IMAG L2_NORMALIZATION L2_POOL_2D LEAKY_RELU LESS LESS_EQUAL LOCAL_RESPONSE_NORMALIZATION LOG
    LOGICAL_AND LOGICAL_NOT LOGICAL_OR LOGISTIC LOG_SOFTMAX LSH_PROJECTION LSTM MATRIX_DIAG MATRIX_SET_DIAG MAXIMUM
    MAX_POOL_2D MEAN MINIMUM MIRROR_PAD MUL MULTINOMIAL NEG NON_MAX_SUPPRESSION_V4 NON_MAX_SUPPRESSION_V5 NOT_EQUAL
    ONE_HOT PACK PAD PADV2 POW PRELU QUANTIZE RANDOM_STANDARD_NORMAL RANDOM_UNIFORM RANGE RANK READ_VARIABLE REAL
    REDUCE_ALL REDUCE_ANY REDUCE_MAX REDUCE_MIN REDUCE_PROD REDUCE_WINDOW RELU RELU6 RELU_0_TO_1 RELU_N1_TO_1 RESHAPE
    RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR REVERSE_SEQUENCE REVERSE_V2 RFFT2D RIGHT_SHIFT RNN ROUND RSQRT SCATTER_ND
    SEGMENT_SUM SELECT SELECT_V2 SHAPE SIGN SIN SKIP_GRAM SLICE SOFTMAX SPACE_TO_BATCH_ND SPACE_TO_DEPTH
    SPARSE_TO_DENSE SPLIT SPLIT_V SQRT SQUARE SQUARED_DIFFERENCE SQUEEZE STRIDED_SLICE SUB SUM SVDF TANH TILE TOPK_V2
    TRANSPOSE TRANSPOSE_CONV UNIDIRECTIONAL_SEQUENCE_LSTM UNIDIRECTIONAL_SEQUENCE_RNN UNIQUE UNPACK
    UNSORTED_SEGMENT_MAX UNSORTED_SEGMENT_MIN UNSORTED_SEGMENT_PROD UNSORTED_SEGMENT_SUM VAR_HANDLE WHERE WHILE
    ZEROS_LIKE
    """
)

android = Target(
    name="android",
    title="LiteRT",
    source="measured on ai-edge-litert 2.3.0",
    proof="the file in LiteRT on x86-64, with golden vectors; the exported Kotlin on a JVM over LiteRT's C library, "
    "and a C program; the sample app as a signed APK, by `scripts/apk`",
    not_proven="an app on a phone: builds by Gradle and R8, the Android library, GPU and NPU delegates, latency",
    sources={
        "topk": "kdrec's choice; the file of a smaller catalogue returns it whole",
        "min_runtime": "measured on x86-64, scripts/benchmarks/min_runtime.py; a bundle's manifest says it of its file",
    },
    min_runtime="TensorFlow Lite 2.14, with nearly the same lists; LiteRT 2.0.3, equal to the bit",
    ops=OPS,
    signatures=("recommend", "score", "embed"),
    topk=100,
    recipes=("float32", "float16", "dynamic_int8", "int8", "int16x8", "int4_table"),
    mixes=(
        *("int8+item_table=int4", "int8+item_table=float32", "int8+linear=int4", "int8+linear=float32"),
        *("int8+hidden=int4", "int8+hidden=float32", "int8+residual=int4", "int8+residual=float32"),
        *("float32+item_table=int4", "float32+item_table=int8", "float32+linear=int4", "float32+linear=int8"),
        *("float32+hidden=int4", "float32+hidden=int8", "float32+residual=int4", "float32+residual=int8"),
    ),
    rules=(
        rules.known_ops,
        rules.signatures_present,
        rules.fixed_shapes,
        rules.no_integer_division,  # the int8 kernels of x86 and ARM differ
        rules.no_float_islands,
        rules.per_tensor_matrices,  # per-channel costs 12 bytes a row in the file, and NNAPI rejects it
    ),
)

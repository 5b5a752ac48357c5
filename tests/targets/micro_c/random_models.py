"""Files of the target micro with random sizes, weights, scales and zero points, written operator by operator.

Their graph is the one that the converter makes of a student with the encoder `mean`; its second output is the query.
"""

from dataclasses import dataclass

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from kdrec.tflite.write import pack

OPERATORS, TYPES, OPTIONS = schema.BuiltinOperator, schema.TensorType, schema.BuiltinOptions


@dataclass(frozen=True, eq=False)
class Model:
    """A file, and what its caller must know.

    Args:
        content: the bytes.
        n_items: that it scores.
        known: items that a history may hold.
        length: of the history.
        context: number of rows of each context feature.
        scoring: (n_items, width) int8, the rows by which the query is multiplied.
        bias: (n_items,) int32.
        query_zero: zero point of the query.
    """

    content: bytes
    n_items: int
    known: int
    length: int
    context: tuple[int, ...]
    scoring: np.ndarray
    bias: np.ndarray
    query_zero: int


class Writer:
    """One graph in the making."""

    def __init__(self) -> None:
        self.model = schema.ModelT(version=3, buffers=[schema.BufferT()], operatorCodes=[], subgraphs=[])
        self.graph = schema.SubGraphT(tensors=[], operators=[], inputs=[], outputs=[])
        self.model.subgraphs.append(self.graph)

    def tensor(self, shape, dtype="INT8", scale=None, zero=0, data=None, buffer=None) -> int:
        if data is not None:
            self.model.buffers.append(schema.BufferT(data=np.ascontiguousarray(data).view(np.uint8).ravel()))
            buffer = len(self.model.buffers) - 1
        quantized = None
        if scale is not None:
            quantized = schema.QuantizationParametersT(
                scale=np.array([scale], np.float32), zeroPoint=np.array([zero], np.int64)
            )
        self.graph.tensors.append(
            schema.TensorT(
                shape=np.array(shape, np.int32), type=vars(TYPES)[dtype], quantization=quantized, buffer=buffer or 0
            )
        )
        return len(self.graph.tensors) - 1

    def integers(self, *values) -> int:
        data = np.array(values, np.int32)
        return self.tensor(data.shape, "INT32", data=data)

    def scale(self, tensor: int) -> float:
        return float(self.graph.tensors[tensor].quantization.scale[0])

    def zero(self, tensor: int) -> int:
        return int(self.graph.tensors[tensor].quantization.zeroPoint[0])

    def run(self, name: str, inputs: list[int], output: int, version: int = 1, kind: str = "", **options) -> int:
        self.model.operatorCodes.append(
            schema.OperatorCodeT(
                builtinCode=vars(OPERATORS)[name],
                deprecatedBuiltinCode=min(vars(OPERATORS)[name], 127),
                version=version,
            )
        )
        operator = schema.OperatorT(
            opcodeIndex=len(self.model.operatorCodes) - 1,
            inputs=np.array(inputs, np.int32),
            outputs=np.array([output], np.int32),
        )
        if kind:
            operator.builtinOptionsType = vars(OPTIONS)[kind]
            operator.builtinOptions = getattr(schema, f"{kind}T")(**options)
        self.graph.operators.append(operator)
        return output

    def finish(self, inputs: dict[str, int], outputs: dict[str, int]) -> bytes:
        self.graph.inputs = np.array(list(inputs.values()), np.int32)
        self.graph.outputs = np.array(list(outputs.values()), np.int32)
        ends = [
            [schema.TensorMapT(name=name, tensorIndex=place) for name, place in part.items()]
            for part in (inputs, outputs)
        ]
        self.model.signatureDefs = [
            schema.SignatureDefT(signatureKey="score", subgraphIndex=0, inputs=ends[0], outputs=ends[1])
        ]
        return pack(self.model)


@dataclass(frozen=True)
class Sizes:
    """Of a model.

    Args:
        items: that are scored.
        width: of a row.
        length: of the history.
        hidden: units, 0 for no such layer.
        context: values of each feature.
        tied: one table for reading and scoring.
        rare: whether histories read one row more than is scored.
        four_bits: how many of the kernels are of four bits, of 1.
    """

    items: int
    width: int
    length: int
    hidden: int
    context: tuple[int, ...] = ()
    tied: bool = True
    rare: bool = False
    four_bits: float = 0.0


def random_sizes(rng: np.random.Generator) -> Sizes:
    """Small ones, in every combination."""
    items, width, length = (int(rng.integers(1, most)) for most in (70, 25, 13))
    hidden = int(rng.integers(1, 21)) if rng.random() < 0.7 else 0
    context = tuple(int(rng.integers(2, 6)) for _ in range(rng.integers(0, 3)))
    tied, rare = (bool(rng.random() < share) for share in (0.6, 0.3))
    return Sizes(items, width, length, hidden, context, tied, rare, four_bits=0.3)


def random_model(rng: np.random.Generator, sizes: Sizes | None = None) -> Model:
    """Any student with the encoder `mean`; small if no sizes are given."""
    sizes = sizes or random_sizes(rng)
    w = Writer()
    n_items, width, length, hidden = sizes.items, sizes.width, sizes.length, sizes.hidden
    context, tied, rare, four = sizes.context, sizes.tied, int(sizes.rare), sizes.four_bits
    rows = n_items + 1 + rare
    history = w.tensor((1, length), "INT32")
    features = [w.tensor((1,), "INT32") for _ in context]

    weights = _weights(w, rng, history, length)
    table = _numbers(rng, (rows, width))
    zero = 0 if tied else int(rng.integers(-128, 128))
    table[0] = zero
    scale = _scale(rng)
    items = w.tensor(table.shape, scale=scale, zero=zero, data=table)
    read = w.tensor((1, length, width), scale=scale, zero=zero)
    w.run("GATHER", [items, history], read, kind="GatherOptions", axis=0)
    pooled = _product(w, rng, weights, read, (1, 1, width), length)
    w.run("BATCH_MATMUL", [weights, read], pooled, kind="BatchMatMulOptions")
    query = w.tensor((1, width), scale=w.scale(pooled), zero=w.zero(pooled))
    w.run("RESHAPE", [pooled, w.integers(1, width)], query)
    for feature, size in zip(features, context, strict=True):
        parameters = {"scale": w.scale(query) * 2 ** rng.uniform(-3, 3), "zero": int(rng.integers(-128, 128))}
        own = w.tensor((size, width), data=_numbers(rng, (size, width)), **parameters)
        row = w.run("GATHER", [own, feature], w.tensor((1, width), **parameters), kind="GatherOptions", axis=0)
        query = _sum(w, rng, query, row)

    made = _dense(w, rng, query, width, four, bias=True)
    if hidden:
        deep = _dense(w, rng, query, hidden, four, bias=True, activation=1)
        made = _sum(w, rng, made, _dense(w, rng, deep, width, four, bias=False))
    bias = rng.integers(-20000, 20000, rows if tied else n_items).astype(np.int32) * int(rng.random() < 0.2)
    if tied:
        scores = _multiplied(w, rng, made, items, bias)
        sliced = w.tensor((1, n_items), scale=w.scale(scores), zero=w.zero(scores))
        bounds = [w.integers(0, 1), w.integers(0, n_items + 1), w.integers(1, 1)]
        options = {"beginMask": 1, "endMask": 1} if rare else {"beginMask": 1, "endMask": 3}
        w.run("STRIDED_SLICE", [scores, *bounds], sliced, kind="StridedSliceOptions", **options)
        scoring, bias, scores = table[1 : n_items + 1], bias[1 : n_items + 1], sliced
    else:
        scoring = _numbers(rng, (n_items, width))
        other = w.tensor(scoring.shape, scale=_scale(rng), data=scoring)
        scores = _multiplied(w, rng, made, other, bias)
    inputs = {"history": history, **{f"feature_{number}": place for number, place in enumerate(features)}}
    query_zero = w.zero(made)
    content = w.finish(inputs, {"scores": scores, "query": made})
    return Model(content, n_items, rows - 1, length, context, scoring, bias, query_zero)


def _weights(w: Writer, rng: np.random.Generator, history: int, length: int) -> int:
    """(1, 1, length): presence times a weight a position times a scale for the number of items."""
    unit = {"scale": 1 / 255, "zero": -128}
    clipped = w.run(
        "MINIMUM", [history, w.tensor((), "INT32", data=np.array(1, np.int32))], w.tensor((1, length), "INT32")
    )
    flags = w.tensor((2,), data=np.array([-128, 127], np.int8), **unit)
    present = w.run("GATHER", [flags, clipped], w.tensor((1, length), **unit), kind="GatherOptions", axis=0)
    first = w.run(
        "ARG_MAX", [present, w.tensor((), "INT32", data=np.array(1, np.int32))], w.tensor((1,), "INT32"),
        kind="ArgMaxOptions", outputType=TYPES.INT32,
    )  # fmt: skip
    shares = w.tensor((length,), data=_numbers(rng, (length,)), **unit)
    share = w.run("GATHER", [shares, first], w.tensor((1,), **unit), kind="GatherOptions", axis=0)
    column = w.run("RESHAPE", [share, w.integers(1, 1)], w.tensor((1, 1), **unit))
    position = {"scale": _scale(rng), "zero": int(rng.integers(-128, 128))}
    positions = w.tensor((length,), data=_numbers(rng, (length,)), **position)
    made = []
    for _ in range(2):
        zero, spread = int(rng.integers(-128, 128)), 2 ** rng.uniform(-1.5, 1)
        made.append(w.tensor((1, length), scale=position["scale"] * spread, zero=zero))
    w.run("MUL", [present, positions], made[0], kind="MulOptions")
    w.run("MUL", [made[0], column], made[1], kind="MulOptions")
    flat = w.tensor((1, 1, length), scale=w.scale(made[1]), zero=w.zero(made[1]))
    return w.run("RESHAPE", [made[1], w.integers(1, 1, length)], flat)


def _numbers(rng: np.random.Generator, shape) -> np.ndarray:
    return rng.integers(-128, 128, shape).astype(np.int8)


def _scale(rng: np.random.Generator) -> float:
    return float(2 ** rng.uniform(-9, -2))


def _product(w: Writer, rng: np.random.Generator, left: int, right: int, shape, n: int) -> int:
    """The output of a matrix product over n terms, with a scale in which most of its values fit."""
    typical = w.scale(left) * w.scale(right) * 75 * 75 * np.sqrt(n)
    return w.tensor(shape, scale=typical / 50 * 2 ** rng.uniform(-2, 2), zero=int(rng.integers(-128, 128)))


def _sum(w: Writer, rng: np.random.Generator, left: int, right: int) -> int:
    largest = max(w.scale(left), w.scale(right))
    shape = tuple(w.graph.tensors[left].shape)
    made = w.tensor(shape, scale=largest * 2 ** rng.uniform(-1, 1.5), zero=int(rng.integers(-128, 128)))
    return w.run("ADD", [left, right], made, kind="AddOptions")


def _dense(
    w: Writer, rng: np.random.Generator, given: int, units: int, four_bits: float, bias: bool, activation: int = 0
) -> int:
    """A dense layer with a random kernel, of four bits at times."""
    width = int(w.graph.tensors[given].shape[-1])
    scale = _scale(rng)
    if width % 2 == 0 and rng.random() < four_bits:
        packed = rng.integers(0, 256, units * width // 2).astype(np.uint8)
        kernel = w.tensor((units, width), "INT4", scale=scale, data=packed)
    else:
        kernel = w.tensor((units, width), scale=scale, data=_numbers(rng, (units, width)))
    added = rng.integers(-30000, 30000, units).astype(np.int32) if bias else None
    return _multiplied(w, rng, given, kernel, added, activation)


def _multiplied(w: Writer, rng: np.random.Generator, given: int, kernel: int, bias, activation: int = 0) -> int:
    units, width = (int(size) for size in w.graph.tensors[kernel].shape)
    made = _product(w, rng, given, kernel, (1, units), width)
    added = -1
    if bias is not None and bias.any():
        added = w.tensor((units,), "INT32", scale=w.scale(given) * w.scale(kernel), data=bias)
    return w.run(
        "FULLY_CONNECTED", [given, kernel, added], made, version=4, kind="FullyConnectedOptions",
        fusedActivationFunction=activation,
    )  # fmt: skip

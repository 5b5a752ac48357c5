import numpy as np
from ai_edge_litert import schema_py_generated as schema

from kdrec.tflite.read import parse
from kdrec.tflite.verify import differences
from kdrec.tflite.views import integers
from kdrec.tflite.write import DATA_ALIGNMENT, pack


def test_a_file_read_and_written_answers_the_same_and_is_smaller(tied_mean):
    written = pack(parse(tied_mean.content))
    assert len(written) < len(tied_mean.content)
    moved = differences(tied_mean.content, written, dict.fromkeys(("score", "embed"), tied_mean.cases))
    assert moved == {"score/scores": 0.0, "embed/query": 0.0}


def test_writing_is_deterministic_and_stable(tied_mean):
    once = pack(parse(tied_mean.content))
    assert pack(parse(tied_mean.content)) == once
    assert pack(parse(once)) == once


def test_every_part_survives_sharing(tied_mean):
    before, after = parse(tied_mean.content), parse(pack(parse(tied_mean.content)))
    for old, new in zip(before.subgraphs, after.subgraphs, strict=True):
        assert [list(tensor.shape) for tensor in old.tensors] == [list(tensor.shape) for tensor in new.tensors]
        assert [tensor.name for tensor in old.tensors] == [tensor.name for tensor in new.tensors]
        for one, other in zip(old.operators, new.operators, strict=True):
            assert list(one.inputs) == list(other.inputs) and list(one.outputs) == list(other.outputs)
            assert one.opcodeIndex == other.opcodeIndex
            if one.builtinOptions is not None:
                assert vars(one.builtinOptions) == vars(other.builtinOptions)


def test_constants_begin_at_multiples_of_16_bytes(tied_mean):
    model = parse(tied_mean.content)
    content = pack(model)
    for buffer in model.buffers:
        data = b"" if buffer.data is None else np.asarray(buffer.data, np.uint8).tobytes()
        if len(data) > 32:
            assert content.index(data) % DATA_ALIGNMENT == 0


def test_any_tensors_survive_sharing():
    """Few different values, so that nearly every part has been written before, at every alignment."""
    rng = np.random.default_rng(0)
    for _ in range(50):
        tensors = [any_tensor(rng) for _ in range(40)]
        graphs = [
            schema.SubGraphT(tensors=tensors[:20], operators=[]),
            schema.SubGraphT(tensors=tensors[20:], operators=[]),
        ]
        after = parse(pack(schema.ModelT(version=3, subgraphs=graphs, buffers=[schema.BufferT()], operatorCodes=[])))
        written = [tensor for graph in after.subgraphs for tensor in graph.tensors]
        assert [described(tensor) for tensor in written] == [described(tensor) for tensor in tensors]


def any_tensor(rng: np.random.Generator) -> schema.TensorT:
    quantization = schema.QuantizationParametersT(
        scale=rng.integers(1, 3, rng.integers(1, 4)).astype(np.float32),
        zeroPoint=rng.integers(0, 2, rng.integers(1, 3)) if rng.integers(2) else None,
        quantizedDimension=int(rng.integers(2)),
    )
    return schema.TensorT(
        shape=rng.integers(1, 3, rng.integers(1, 4)).astype(np.int32),
        type=int(rng.integers(3)),
        name=[None, b"a", b"ab", b"abc", b"abcd\0"][rng.integers(5)],
        isVariable=bool(rng.integers(2)),
        quantization=quantization if rng.integers(2) else None,
    )


def described(tensor: schema.TensorT) -> tuple:
    quantized = tensor.quantization
    inner = quantized and (integers(quantized.scale), integers(quantized.zeroPoint), quantized.quantizedDimension)
    return integers(tensor.shape), tensor.type, tensor.name, bool(tensor.isVariable), inner

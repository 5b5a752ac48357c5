"""Small files whose vectors overlap: each names one table, or one row of numbers, thousands of times."""

import time

import flatbuffers
import pytest
from ai_edge_litert import schema_py_generated as schema

from kdrec.errors import RuntimeFileError
from kdrec.tflite.views import read


def vector(builder: flatbuffers.Builder, offsets: list[int]) -> int:
    builder.StartVector(4, len(offsets), 4)
    for offset in offsets:
        builder.PrependUOffsetTRelative(offset)
    return builder.EndVector()


def file_of(graphs: int, operators: int, inputs: int, constants: int = 1) -> bytes:
    """A file that names one graph, one operator, one row of inputs and 4,000 bytes of a constant so many times each."""
    builder = flatbuffers.Builder(1024)
    builder.StartVector(4, inputs, 4)
    for _ in range(inputs):
        builder.PrependInt32(0)
    row = builder.EndVector()
    schema.OperatorStart(builder)
    schema.OperatorAddInputs(builder, row)
    listed = vector(builder, [schema.OperatorEnd(builder)] * operators)
    schema.TensorStart(builder)
    tensors = vector(builder, [schema.TensorEnd(builder)])
    schema.SubGraphStart(builder)
    schema.SubGraphAddTensors(builder, tensors)
    schema.SubGraphAddOperators(builder, listed)
    subgraphs = vector(builder, [schema.SubGraphEnd(builder)] * graphs)
    schema.OperatorCodeStart(builder)
    codes = vector(builder, [schema.OperatorCodeEnd(builder)])
    data = builder.CreateByteVector(bytes(4000))
    named = []
    for _ in range(constants):
        schema.BufferStart(builder)
        schema.BufferAddData(builder, data)
        named.append(schema.BufferEnd(builder))
    buffers = vector(builder, named)
    schema.ModelStart(builder)
    schema.ModelAddSubgraphs(builder, subgraphs)
    schema.ModelAddOperatorCodes(builder, codes)
    schema.ModelAddBuffers(builder, buffers)
    builder.Finish(schema.ModelEnd(builder), b"TFL3")
    return bytes(builder.Output())


def test_named_once_it_is_a_file() -> None:
    assert len(read(file_of(1, 1, 1)).subgraphs) == 1


def test_a_constant_may_be_named_once_a_graph() -> None:
    """As the converter does in int16x8."""
    assert read(file_of(3, 1, 1, constants=3)).buffer_bytes == (4000,) * 3
    with pytest.raises(RuntimeFileError, match="its vectors overlap"):
        read(file_of(3, 1, 1, constants=4))


@pytest.mark.parametrize(
    ("graphs", "operators", "inputs", "fault"),
    [(1, 5000, 5000, "its vectors overlap"), (3000, 3000, 1, "its tables overlap")],
)
def test_named_thousands_of_times_it_is_refused_at_once(graphs: int, operators: int, inputs: int, fault: str) -> None:
    """25 million numbers from 40 KB, or nine million operators from 24 KB."""
    content = file_of(graphs, operators, inputs)
    assert len(content) < 50_000
    start = time.process_time()
    with pytest.raises(RuntimeFileError, match=f"no readable .tflite file: {fault}; export the model again"):
        read(content)
    assert time.process_time() - start < 2

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from kdrec.tflite.read import parse
from kdrec.tflite.sizes import sizes
from kdrec.tflite.strip import strip
from kdrec.tflite.tied_table import tie
from kdrec.tflite.write import pack

ROWS, WIDTH = 21, 8


def test_the_parts_add_up_and_a_shared_table_counts_once(tied_mean):
    before = sizes(tied_mean.content, n_items=20)
    assert before.tables == 2 * ROWS * WIDTH
    content = pack(strip(tie(parse(tied_mean.content), tied_mean.table)))
    after = sizes(content, n_items=20)
    assert after.tables == ROWS * WIDTH
    assert after.weights == WIDTH * WIDTH  # the encoder's matrix, shared by both graphs
    assert after.tables + after.weights + after.overhead == after.file == len(content)
    assert after.constants[0] == ((ROWS, WIDTH), "int8", ROWS * WIDTH)


def scored_in_parts(*rows: int) -> bytes:
    """(1, 8) -> FULLY_CONNECTED of 13 hidden units and one of 8 -> one FULLY_CONNECTED a part, all int8."""
    number = schema.BuiltinOperator.FULLY_CONNECTED
    tensors, buffers, operators = (
        [schema.TensorT(shape=[1, WIDTH], type=schema.TensorType.INT8)],
        [schema.BufferT()],
        [],
    )

    def dense(given: int, outputs: int) -> int:
        width = tensors[given].shape[1]
        buffers.append(schema.BufferT(data=np.arange(outputs * width, dtype=np.uint8) + len(buffers)))
        tensors.append(schema.TensorT(shape=[outputs, width], type=schema.TensorType.INT8, buffer=len(buffers) - 1))
        tensors.append(schema.TensorT(shape=[1, outputs], type=schema.TensorType.INT8))
        made = len(tensors) - 1
        operators.append(
            schema.OperatorT(
                inputs=[given, made - 1, -1], outputs=[made], builtinOptions=schema.FullyConnectedOptionsT(),
                builtinOptionsType=schema.BuiltinOptions.FullyConnectedOptions,
            )
        )  # fmt: skip
        return made

    query = dense(dense(0, 13), WIDTH)
    scores = [dense(query, part) for part in rows]
    graph = schema.SubGraphT(tensors=tensors, inputs=[0], outputs=scores, operators=operators)
    code = schema.OperatorCodeT(builtinCode=number, deprecatedBuiltinCode=number)
    return pack(schema.ModelT(version=3, operatorCodes=[code], subgraphs=[graph], buffers=buffers))


@pytest.mark.parametrize("rows", [(20,), (10, 10), (7, 7, 6)])
def test_an_item_matrix_scored_in_parts_is_a_table(rows):
    found = sizes(scored_in_parts(*rows), n_items=20)
    assert found.tables == 20 * WIDTH
    assert found.weights == 2 * 13 * WIDTH  # 13 + 7 = 20, but hidden units are no items
    assert found.parameters == found.tables + found.weights  # one byte a number


def test_matrices_that_are_not_all_items_are_no_table():
    found = sizes(scored_in_parts(10, 9), n_items=20)
    assert found.tables == 0 and found.weights == 2 * 13 * WIDTH + 19 * WIDTH


def test_parameters_count_a_shared_table_once(tied_mean):
    content = pack(strip(tie(parse(tied_mean.content), tied_mean.table)))
    assert sizes(content, n_items=20).parameters == ROWS * WIDTH + WIDTH * WIDTH

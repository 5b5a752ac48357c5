import numpy as np
import pytest

from kdrec.errors import ConversionError
from kdrec.tflite.graph import add_buffer, add_tensor, operators, quantization, redirect, values
from kdrec.tflite.read import parse
from kdrec.tflite.strip import strip
from kdrec.tflite.tied_table import holds, tie
from kdrec.tflite.verify import differences, run
from kdrec.tflite.views import read
from kdrec.tflite.write import pack

SIGNATURES = ("score", "embed")


def tied(converted) -> bytes:
    return pack(strip(tie(parse(converted.content), converted.table)))


def table_buffers(content: bytes, table: np.ndarray) -> set[int]:
    return {
        tensor.buffer
        for subgraph in read(content).subgraphs
        for tensor in subgraph.tensors
        if tensor.is_constant and tensor.shape == table.shape
    }


@pytest.mark.parametrize("name", ["tied_mean", "tied_dense", "tied_joined"])
def test_the_table_is_stored_once_and_answers_move_by_rounding_only(request, name):
    converted = request.getfixturevalue(name)
    content = tied(converted)
    assert len(table_buffers(converted.content, converted.table)) == 2  # as the converter leaves it
    assert len(table_buffers(content, converted.table)) == 1
    moved = differences(converted.content, content, dict.fromkeys(SIGNATURES, converted.cases))
    assert 0 < moved["score/scores"] < 2 and moved["embed/query"] < 2


def test_float16_tables_are_stored_once_without_rescaling(half_precision):
    content = tied(half_precision)
    assert len(table_buffers(content, half_precision.table)) == 1
    assert differences(half_precision.content, content, {"score": half_precision.cases}) == {"score/scores": 0.0}


def test_tying_twice_changes_nothing(tied_dense):
    once = tied(tied_dense)
    assert pack(strip(tie(parse(once), tied_dense.table))) == once


def test_a_bias_is_rewritten_for_the_scale_of_the_table(tied_dense):
    """scale of bias = scale of input · scale of weights, and scale · stored stays."""
    model = parse(tied_dense.content)
    before = {int(op.outputs[0]): real_bias(model, sub, op) for sub, op in operators(model, "FULLY_CONNECTED")}
    tie(model, tied_dense.table)
    changed = 0
    for subgraph, operator in operators(model, "FULLY_CONNECTED"):
        bias = real_bias(model, subgraph, operator)
        if bias is None:
            continue
        given, weights, place = (subgraph.tensors[index] for index in operator.inputs[:3])
        scale = given.quantization.scale * weights.quantization.scale
        assert place.quantization.scale == pytest.approx(scale)
        assert np.abs(bias - before[int(operator.outputs[0])]).max() <= scale[0]
        changed += 1
    assert changed == 2  # one in each graph


def real_bias(model, subgraph, operator):
    if len(operator.inputs) < 3 or operator.inputs[2] < 0:
        return None
    tensor = subgraph.tensors[operator.inputs[2]]
    return values(model, tensor) * float(tensor.quantization.scale[0])


def test_before_an_operator_with_a_scale_of_its_own_the_old_scale_is_restored(tied_joined):
    before = read(tied_joined.content).operator_counts().get("QUANTIZE", 0)
    content = tied(tied_joined)
    assert read(content).operator_counts()["QUANTIZE"] == before + 2  # one in each graph
    score = read(content).signatures["score"].subgraph
    graph = read(content).subgraphs[score]
    for operator in graph.operators:
        if operator.name == "CONCATENATION":
            scales = {graph.tensors[place].scale for place in (*operator.inputs, *operator.outputs)}
            assert len(scales) == 1


def test_rows_that_calibration_never_saw_are_no_longer_clipped(tied_mean):
    """The lookup's copy is given half the range, as if calibration had seen small values only."""
    model = parse(tied_mean.content)
    for subgraph, operator in list(operators(model, "GATHER")):
        tensor = subgraph.tensors[operator.inputs[0]]
        half = np.abs(tied_mean.table).max() / 2 / 127
        clipped = np.clip(np.round(tied_mean.table / half), -128, 127).astype(np.int8)
        narrow = add_tensor(subgraph, tensor.shape, tensor.type, quantization(half), add_buffer(model, clipped))
        redirect(subgraph, int(operator.inputs[0]), narrow, [operator])
        subgraph.tensors[operator.outputs[0]].quantization = quantization(half)
    whole = run(tied_mean.content, "score", tied_mean.cases)["scores"]
    worse = run(pack(model), "score", tied_mean.cases)["scores"]
    mended = run(pack(strip(tie(model, tied_mean.table))), "score", tied_mean.cases)["scores"]
    assert np.abs(mended - whole).max() < 0.2 * np.abs(worse - whole).max()


def test_scoring_copies_of_two_scales_become_one(tied_mean):
    """A second graph whose scoring table was stored at twice the step."""
    model = parse(tied_mean.content)
    scoring = [
        (subgraph, operator)
        for subgraph, operator in operators(model, "FULLY_CONNECTED")
        if holds(model, subgraph, int(operator.inputs[1]), tied_mean.table)
    ]
    subgraph, operator = scoring[0]
    model.subgraphs.append(parse(tied_mean.content).subgraphs[model.subgraphs.index(subgraph)])
    old = subgraph.tensors[operator.inputs[1]]
    step = float(old.quantization.scale[0]) * 2
    coarse = np.round(tied_mean.table / step).astype(np.int8)
    place = add_tensor(subgraph, old.shape, old.type, quantization(step), add_buffer(model, coarse))
    redirect(subgraph, int(operator.inputs[1]), place, [operator])
    tie(model, tied_mean.table)
    used = {
        (int(graph.tensors[step.inputs[1]].buffer), float(graph.tensors[step.inputs[1]].quantization.scale[0]))
        for graph, step in operators(model, "FULLY_CONNECTED")
        if holds(model, graph, int(step.inputs[1]), tied_mean.table)
    }
    assert len(used) == 1


def test_a_table_with_a_scale_per_row_is_refused(tied_mean):
    model = parse(tied_mean.content)
    scales = np.maximum(np.abs(tied_mean.table).max(axis=1), 1e-3) / 127
    rows = np.round(tied_mean.table / scales[:, np.newaxis]).astype(np.int8)
    for subgraph, operator in operators(model, "FULLY_CONNECTED"):
        tensor = subgraph.tensors[operator.inputs[1]]
        if tuple(tensor.shape) == tied_mean.table.shape:
            tensor.quantization, tensor.buffer = quantization(scales), add_buffer(model, rows)
    with pytest.raises(ConversionError, match="the item table has 21 scales, one a row, but a lookup reads one scale"):
        tie(model, tied_mean.table)


def test_another_table_of_the_same_shape_is_left_alone(tied_mean):
    model = parse(tied_mean.content)
    tie(model, -tied_mean.table)
    assert pack(model) == pack(parse(tied_mean.content))

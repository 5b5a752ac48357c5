import numpy as np
import pytest

from kdrec.errors import ConversionError, RuntimeFileError
from kdrec.tflite.graph import operators, values
from kdrec.tflite.read import parse
from kdrec.tflite.strip import strip
from kdrec.tflite.tied_table import tie
from kdrec.tflite.verify import differences, run, verify_equivalent
from kdrec.tflite.verify_operators import after_ranking, counterparts, operator_differences
from kdrec.tflite.views import Operator, Subgraph, Tensor, read
from kdrec.tflite.write import pack


def test_a_file_whose_answers_moved_is_refused(tied_mean):
    model = parse(tied_mean.content)
    for subgraph, operator in operators(model, "FULLY_CONNECTED"):
        tensor = subgraph.tensors[operator.inputs[1]]
        tensor.quantization.scale = tensor.quantization.scale * 2
    with pytest.raises(ConversionError, match=r"output score/scores .* within 4 steps .* but moved by \d+\.\d"):
        verify_equivalent(tied_mean.content, pack(model), {"score": tied_mean.cases})


def test_a_difference_is_the_root_mean_square_in_steps_of_the_tensor_before_the_last_dequantize(tied_mean):
    tied = pack(strip(tie(parse(tied_mean.content), tied_mean.table)))
    file = read(tied_mean.content)
    signature = file.signatures["score"]
    graph = file.subgraphs[signature.subgraph]
    last = graph.operators[-1]
    assert last.name == "DEQUANTIZE" and last.outputs == (signature.outputs["scores"].index,)
    before, after = (run(content, "score", tied_mean.cases)["scores"] for content in (tied_mean.content, tied))
    expected = np.sqrt(((before - after) ** 2).mean()) / graph.tensors[last.inputs[0]].scale
    found = differences(tied_mean.content, tied, {"score": tied_mean.cases})
    assert found == {"score/scores": pytest.approx(expected, rel=1e-5)}


def test_a_step_of_float_outputs_is_a_127th_of_the_largest(half_precision):
    model = parse(half_precision.content)
    for subgraph, operator in operators(model, "DEQUANTIZE"):
        tensor = subgraph.tensors[operator.inputs[0]]
        if tuple(tensor.shape) == (8, 8):  # the encoder's matrix, halved: so are the scores
            halved = (values(model, tensor) / 2).astype(np.float16)
            model.buffers[tensor.buffer].data = halved.view(np.uint8).ravel()
            break
    scores = run(half_precision.content, "score", half_precision.cases)["scores"]
    expected = np.sqrt(((scores / 2) ** 2).mean()) / (np.abs(scores).max() / 127)
    found = differences(half_precision.content, pack(model), {"score": half_precision.cases})
    assert found["score/scores"] == pytest.approx(expected, rel=1e-3)


def test_an_unknown_signature_is_named(tied_mean):
    with pytest.raises(RuntimeFileError, match="the file has no signature 'recommend'; it has "):
        run(tied_mean.content, "recommend", tied_mean.cases)


def test_a_call_that_does_not_fit_is_an_error(tied_mean):
    with pytest.raises(RuntimeFileError, match="the file does not run in LiteRT"):
        run(tied_mean.content, "score", [{"history": np.zeros((1, 4), np.float32)}])


def rewritten(found) -> bytes:
    return pack(strip(tie(parse(found.content), found.table)))


def test_every_operator_is_compared_with_its_counterpart(tied_mean):
    """GATHER, MEAN and the query's matrix move by the new scale's rounding; what only hands values on is taken out."""
    new = rewritten(tied_mean)
    moved = operator_differences(tied_mean.content, new, {"score": tied_mean.cases})
    names = [place.partition("(")[2] for place in moved]
    old = read(tied_mean.content)
    graph = old.subgraphs[old.signatures["score"].subgraph]
    assert names == [f"{operator.name})" for operator in graph.operators if operator.name != "DEQUANTIZE"]
    assert 0 < max(moved.values()) < 2


def test_an_operator_that_moved_is_named_where_the_outputs_did_not(tied_mean):
    """The query is twice as large, by the scales of its matrix and its own, the scoring weights half as large."""
    model = parse(tied_mean.content)
    graph = next(
        model.subgraphs[entry.subgraphIndex] for entry in model.signatureDefs if entry.signatureKey == b"score"
    )
    matrix, scoring = (operator for place, operator in operators(model, "FULLY_CONNECTED") if place is graph)
    for operator, factor in ((matrix, 2), (scoring, 0.5)):
        tensor = graph.tensors[operator.inputs[1]]
        tensor.quantization.scale = tensor.quantization.scale * factor
    query = graph.tensors[matrix.outputs[0]]
    query.quantization.scale = query.quantization.scale * 2
    new = pack(model)
    assert max(differences(tied_mean.content, new, {"score": tied_mean.cases}).values()) < 1
    with pytest.raises(ConversionError, match=r"^score, operator \d \(FULLY_CONNECTED\) of the rewritten .* moved by"):
        verify_equivalent(tied_mean.content, new, {"score": tied_mean.cases})


def graph_of(*steps: tuple[str, int]) -> Subgraph:
    """Operators one after the other, each with the width of its output."""
    shapes = [8, *(width for _, width in steps)]
    tensors = tuple(Tensor(i, "", "float32", (1, width), (), (), 0, None) for i, width in enumerate(shapes))
    made = tuple(Operator(i, name, 1, (i,), (i + 1,)) for i, (name, _) in enumerate(steps))
    return Subgraph(tensors, made, (0,), (len(steps),))


def test_counterparts_skip_what_rewriting_takes_out_and_puts_in():
    old = graph_of(("RESHAPE", 8), ("RESHAPE", 4), ("MUL", 4), ("DEQUANTIZE", 4))
    new = graph_of(("RESHAPE", 4), ("QUANTIZE", 4), ("MUL", 4))
    assert [(one.index, other.index) for one, other in counterparts(old, new)] == [(1, 0), (2, 2)]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ([("MUL", 8)], [], r"operator 0 \(MUL\) of the converter's file has no counterpart in the rewritten one"),
        ([("MUL", 8), ("ADD", 8)], [("ADD", 8)], r"operator 0 \(MUL\) of the converter's file"),
        ([("MUL", 8)], [("MUL", 8), ("ADD", 8)], r"operator 1 \(ADD\) of the rewritten file has no counterpart"),
        ([("RESHAPE", 8)], [("RESHAPE", 4)], r"operator 0 \(RESHAPE\) of the rewritten file"),
    ],
)
def test_an_operator_without_a_counterpart_is_a_fault(old, new, message):
    with pytest.raises(ConversionError, match=message):
        list(counterparts(graph_of(*old), graph_of(*new)))


def test_what_follows_chosen_positions_is_left_out():
    """TOPK_V2 makes tensors 1 (values) and 2 (positions); 3 reads positions, 4 reads 3, 5 reads values."""
    tensors = tuple(Tensor(i, "", "float32", (1,), (), (), 0, None) for i in range(6))
    made = (("TOPK_V2", (0,), (1, 2)), ("GATHER", (0, 2), (3,)), ("MUL", (3,), (4,)), ("NEG", (1,), (5,)))
    graph = Subgraph(tensors, tuple(Operator(i, n, 1, a, b) for i, (n, a, b) in enumerate(made)), (0,), (4, 5))
    assert after_ranking(graph) == {2, 3, 4}

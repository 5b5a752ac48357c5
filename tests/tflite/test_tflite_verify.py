import numpy as np
import pytest

from kdrec.errors import ConversionError, RuntimeFileError
from kdrec.tflite.graph import operators, values
from kdrec.tflite.read import parse
from kdrec.tflite.strip import strip
from kdrec.tflite.tied_table import tie
from kdrec.tflite.verify import differences, run, verify_equivalent
from kdrec.tflite.views import read
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

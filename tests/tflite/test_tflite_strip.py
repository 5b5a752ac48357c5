import numpy as np

from kdrec.tflite.graph import add_buffer, add_tensor
from kdrec.tflite.read import parse
from kdrec.tflite.strip import strip
from kdrec.tflite.verify import differences
from kdrec.tflite.views import read
from kdrec.tflite.write import pack

SIGNATURES = ("score", "embed")


def stripped(content: bytes) -> bytes:
    return pack(strip(parse(content)))


def test_a_stripped_file_answers_the_same(tied_mean):
    moved = differences(tied_mean.content, stripped(tied_mean.content), dict.fromkeys(SIGNATURES, tied_mean.cases))
    assert moved == {"score/scores": 0.0, "embed/query": 0.0}


def test_stripping_twice_changes_nothing(tied_mean):
    once = stripped(tied_mean.content)
    assert stripped(once) == once


def test_signatures_and_their_names_stay(tied_mean):
    file = read(stripped(tied_mean.content))
    assert set(file.signatures) == {"score", "embed"}
    assert file.signatures["score"].outputs["scores"].name == "scores"
    assert file.signatures["score"].inputs["history"].name == "history"


def test_the_runtime_version_stays_and_other_metadata_goes(tied_mean):
    before, after = read(tied_mean.content), read(stripped(tied_mean.content))
    assert after.metadata == {"min_runtime_version": before.metadata["min_runtime_version"]}
    assert len(before.metadata) > 1


def test_unused_tensors_and_buffers_go(tied_mean):
    model = parse(tied_mean.content)
    unused = add_buffer(model, np.arange(5000, dtype=np.int32))
    add_tensor(model.subgraphs[0], np.array([5000]), 2, buffer=unused)
    assert pack(strip(model)) == stripped(tied_mean.content)


def test_equal_constants_are_stored_once(tied_mean):
    model = parse(tied_mean.content)
    for subgraph in model.subgraphs:
        for tensor in subgraph.tensors:
            data = model.buffers[tensor.buffer].data
            if data is not None and len(data):
                tensor.buffer = add_buffer(model, np.asarray(data, np.uint8))  # one buffer a tensor
    assert pack(strip(model)) == stripped(tied_mean.content)


def test_steps_that_only_hand_on_are_dropped(tied_mean):
    from ai_edge_litert import schema_py_generated as schema

    model = parse(tied_mean.content)
    subgraph = model.subgraphs[0]
    first = subgraph.operators[1]
    given = int(first.inputs[0])
    copy = add_tensor(subgraph, subgraph.tensors[given].shape, subgraph.tensors[given].type,
                      subgraph.tensors[given].quantization)  # fmt: skip
    shape = add_tensor(
        subgraph, np.array([2]), schema.TensorType.INT32, None, add_buffer(model, np.array([1, 4], np.int32))
    )
    model.operatorCodes.append(schema.OperatorCodeT(deprecatedBuiltinCode=22, builtinCode=22, version=1))
    reshape = schema.OperatorT(opcodeIndex=len(model.operatorCodes) - 1, inputs=np.array([given, shape], np.int32),
                               outputs=np.array([copy], np.int32))  # fmt: skip
    first.inputs = np.array([copy, *first.inputs[1:]], np.int32)
    subgraph.operators.insert(1, reshape)
    assert pack(strip(model)) == stripped(tied_mean.content)

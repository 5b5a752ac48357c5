"""A .tflite file whose graph scores a history, but is not called so: it gets the signature `score`."""

from ai_edge_litert import schema_py_generated as schema

from kdrec.errors import RuntimeFileError
from kdrec.tflite.read import parse
from kdrec.tflite.views import integers
from kdrec.tflite.write import pack

TOKENS = (schema.TensorType.INT32, schema.TensorType.INT64)


def with_score(content: bytes, name: str) -> bytes:
    """The same file with a signature `score` from `history` to `scores`.

    Args:
        content: its first graph goes from one integer input (1, length) to one output (1, n_items).
        name: of the file, for errors.

    Raises:
        RuntimeFileError: the graph takes or returns something else.
    """
    model = parse(content)
    graph = model.subgraphs[0]
    inputs, outputs = ([graph.tensors[at] for at in integers(ends)] for ends in (graph.inputs, graph.outputs))
    shapes = [list(integers(tensor.shape)) for tensor in (*inputs, *outputs)]
    one_row = all(len(shape) == 2 and shape[0] == 1 for shape in shapes)
    if len(inputs) != 1 or len(outputs) != 1 or not one_row or inputs[0].type not in TOKENS:
        raise RuntimeFileError(
            f"{name} must have a signature 'score', or take one integer input (1, length) and return one output "
            f"(1, n_items); it takes {shapes[: len(inputs)]} and returns {shapes[len(inputs) :]}: export it with kdrec"
        )
    ends = [
        schema.TensorMapT(name=key.encode(), tensorIndex=int(at))
        for key, at in (("history", graph.inputs[0]), ("scores", graph.outputs[0]))
    ]
    score = schema.SignatureDefT(inputs=ends[:1], outputs=ends[1:], signatureKey=b"score", subgraphIndex=0)
    model.signatureDefs = [*(model.signatureDefs or []), score]
    return pack(model)

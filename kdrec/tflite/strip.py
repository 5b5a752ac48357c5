"""Drop from a model what no runtime reads."""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from kdrec.tflite.graph import name_of, operators, redirect
from kdrec.tflite.views import integers

KEPT_METADATA = (b"min_runtime_version",)


def strip(model: schema.ModelT) -> schema.ModelT:
    """Drop unused buffers, tensors, codes, names and metadata; store equal constants once.

    Tensors are numbered in the order of their use, so that equal graphs begin equal and `pack` stores them once.
    Signature names, the names of inputs and outputs, and `min_runtime_version` stay.

    Args:
        model: changed in place.

    Returns:
        The same model; it computes the same values.
    """
    for subgraph in model.subgraphs:
        _drop_identities(model, subgraph)
        _renumber(model, subgraph)
        _shorten(model, subgraph)
    _merge_codes(model)
    _merge_buffers(model)
    model.description = model.metadataBuffer = None
    return model


def _drop_identities(model: schema.ModelT, subgraph: schema.SubGraphT) -> None:
    """A STRIDED_SLICE of everything (from `x[:, tf.newaxis]`) or a RESHAPE to the same shape hands its input on."""
    for operator in list(subgraph.operators):
        if name_of(model, operator) not in ("STRIDED_SLICE", "RESHAPE"):
            continue
        given, made = int(operator.inputs[0]), int(operator.outputs[0])
        strides_back = name_of(model, operator) == "STRIDED_SLICE" and _reverses(model, subgraph, operator)
        same = integers(subgraph.tensors[given].shape) == integers(subgraph.tensors[made].shape)
        if same and not strides_back and made not in integers(subgraph.outputs):
            redirect(subgraph, made, given, subgraph.operators)
            subgraph.operators.remove(operator)


def _reverses(model: schema.ModelT, subgraph: schema.SubGraphT, operator: schema.OperatorT) -> bool:
    strides = model.buffers[subgraph.tensors[operator.inputs[3]].buffer].data
    return strides is None or bool((np.asarray(strides, np.uint8).view(np.int32) < 0).any())


def _renumber(model: schema.ModelT, subgraph: schema.SubGraphT) -> None:
    ends = [*integers(subgraph.inputs), *integers(subgraph.outputs)]
    uses = [index for operator in subgraph.operators for index in (*operator.inputs, *operator.outputs)]
    order = list(dict.fromkeys(int(index) for index in (*integers(subgraph.inputs), *uses, *ends) if index >= 0))
    place = {-1: -1, **{old: new for new, old in enumerate(order)}}
    subgraph.tensors = [subgraph.tensors[old] for old in order]
    subgraph.inputs, subgraph.outputs = _moved(subgraph.inputs, place), _moved(subgraph.outputs, place)
    for operator in subgraph.operators:
        operator.inputs, operator.outputs = _moved(operator.inputs, place), _moved(operator.outputs, place)
    for signature in model.signatureDefs or ():
        if model.subgraphs[signature.subgraphIndex] is subgraph:
            for end in (*signature.inputs, *signature.outputs):
                end.tensorIndex = place[end.tensorIndex]


def _moved(indices, place: dict[int, int]) -> np.ndarray:
    return np.array([place[index] for index in integers(indices)], np.int32)


def _shorten(model: schema.ModelT, subgraph: schema.SubGraphT) -> None:
    subgraph.name = None
    names = {
        end.tensorIndex: end.name
        for signature in model.signatureDefs or ()
        if model.subgraphs[signature.subgraphIndex] is subgraph
        for end in (*signature.inputs, *signature.outputs)
    }
    for index, tensor in enumerate(subgraph.tensors):
        tensor.name = names.get(index)
        if integers(tensor.shapeSignature) == integers(tensor.shape):
            tensor.shapeSignature = None
        quantized = tensor.quantization
        if quantized is not None:
            quantized.min = quantized.max = None
            if quantized.scale is None and quantized.details is None:
                tensor.quantization = None


def _merge_codes(model: schema.ModelT) -> None:
    used = dict.fromkeys(operator.opcodeIndex for _, operator in operators(model))
    place = {old: new for new, old in enumerate(used)}
    model.operatorCodes = [model.operatorCodes[old] for old in used]
    for _, operator in operators(model):
        operator.opcodeIndex = place[operator.opcodeIndex]


def _merge_buffers(model: schema.ModelT) -> None:
    """Buffer 0 is empty by convention and serves every computed tensor; metadata moves with its buffer."""
    places: dict[bytes, int] = {b"": 0}
    merged = [schema.BufferT()]

    def place(old: int) -> int:
        data = model.buffers[old].data
        content = b"" if data is None else np.asarray(data, np.uint8).tobytes()
        if content not in places:
            places[content] = len(merged)
            merged.append(schema.BufferT(data=data))
        return places[content]

    for subgraph in model.subgraphs:
        for tensor in subgraph.tensors:
            tensor.buffer = place(tensor.buffer)
    model.metadata = [entry for entry in model.metadata or () if entry.name in KEPT_METADATA]
    for entry in model.metadata:
        entry.buffer = place(entry.buffer)
    model.buffers = merged

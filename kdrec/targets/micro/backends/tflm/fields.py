"""What the templates for TensorFlow Lite Micro leave open."""

import json
from collections.abc import Iterable

from kdrec.bundle.read import Bundle
from kdrec.tflite.views import File

ALIGNMENT = 16  # bytes, of model and arena, as the runtime wants them
A_LINE = 20  # numbers of the array
POPULAR = 10  # items that the header names for somebody without a history
TYPES = {"int8": "int8_t", "float32": "float"}
# `MicroMutableOpResolver` has a method an operator; these are not spelled by the rule of `method`.
SPELLED = {
    "BATCH_MATMUL": "AddBatchMatMul",
    "CUMSUM": "AddCumSum",
    "PADV2": "AddPadV2",
    "UNIDIRECTIONAL_SEQUENCE_LSTM": "AddUnidirectionalSequenceLSTM",
}


def fields(content: bytes, file: File, bundle: Bundle | None, arena: int) -> dict[str, str]:
    """What the templates leave open.

    Args:
        content: of the file.
        file: the same, read.
        bundle: that it is from, if it is.
        arena: bytes that the interpreter needed.
    """
    signature, order = file.signatures["score"], file.subgraphs[0].inputs
    place = {name: order.index(tensor.index) for name, tensor in signature.inputs.items()}
    context = [name for name in signature.inputs if name != "history"]
    n_items = signature.outputs["scores"].shape[-1]
    known = bundle.manifest.history.rare if bundle and bundle.manifest.history.rare else n_items
    operators = sorted(file.operator_counts())
    values = bundle.manifest.context if bundle else {}
    popular = bundle.items.popular[:POPULAR] if bundle else ()
    names = {name: f"context_{number}" for number, name in enumerate(context)}
    return {
        "n_items": str(n_items),
        "known": str(known),
        "length": str(signature.inputs["history"].shape[-1]),
        "score": TYPES[signature.outputs["scores"].dtype],
        "arena": str(-(-arena // ALIGNMENT) * ALIGNMENT),
        "alignment": str(ALIGNMENT),
        "bytes": str(len(content)),
        "array": array(content),
        "n_operators": str(len(operators)),
        "operators": " ||\n      ".join(f"resolver.{method(name)}() != kTfLiteOk" for name in operators),
        "history_input": str(place["history"]),
        "context_parameters": "".join(f" int32_t {names[name]}," for name in context),
        "context_manual": "".join(f"\n//   {names[name]}  {_said(name, values[name])}" for name in context),
        "context_set": "".join(
            f"\n  int32_t* const given_{number} = interpreter->typed_input_tensor<int32_t>({place[name]});"
            f"\n  if (given_{number} == nullptr) {{\n    return 0;\n  }}"
            f"\n  *given_{number} = Clamped({names[name]}, {len(values[name]) + 1});"
            for number, name in enumerate(context)
        ),
        "context_example": "".join(f" /* {names[name]}: unknown */ 0," for name in context),
        "popular": ", ".join(map(str, popular)) or "0",
        "n_popular": str(len(popular)),
    }


def method(operator: str) -> str:
    """What `MicroMutableOpResolver` calls the method that adds an operator.

    >>> method("STRIDED_SLICE"), method("CONV_2D"), method("BATCH_MATMUL"), method("L2_NORMALIZATION")
    ('AddStridedSlice', 'AddConv2D', 'AddBatchMatMul', 'AddL2Normalization')
    """
    words = (word if word[0].isdigit() else word.capitalize() for word in operator.split("_"))
    return SPELLED.get(operator) or "Add" + "".join(words)


def array(content: bytes) -> str:
    """Bytes as the lines of an array.

    >>> array(b"TFL3")
    '    84,70,76,51,'
    """
    starts = range(0, len(content), A_LINE)
    return "\n".join("    " + ",".join(map(str, content[at : at + A_LINE])) + "," for at in starts)


def _said(name: str, values: Iterable[int | str]) -> str:
    """A context feature and its values, on one line of a comment: a backslash at its end would go on in the next."""
    named = ", ".join(f"{number} {json.dumps(value)}" for number, value in enumerate(values, start=1))
    return f"{json.dumps(name)}: {named}; any other number is unknown"

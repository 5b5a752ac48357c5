"""A folder for firmware with TensorFlow Lite Micro: the model as an array, its operators, its arena, and a list."""

from importlib.resources import files
from string import Template

from kdrec.bundle.read import Bundle
from kdrec.errors import TargetError
from kdrec.runtime.micro_process import arena_bytes
from kdrec.targets.base.check import require
from kdrec.targets.micro.backends.tflm.fields import fields
from kdrec.targets.micro.target import micro
from kdrec.tflite.views import Signature, read

TEMPLATES = (
    *("model.h", "model.cc", "op_resolver.h", "op_resolver.cc", "ranking.h", "ranking.cc"),
    *("recommender.h", "recommender.cc", "main.cc", "README.md"),
)
SCORES = ("int8", "float32")


def tflm(content: bytes, bundle: Bundle | None = None) -> dict[str, bytes]:
    """Sources in C++ around the file as it is, for firmware that has TensorFlow Lite Micro.

    Args:
        content: of a .tflite file that keeps the rules of the target micro.
        bundle: that it is from; needed for a file that takes context, whose number of values it knows.

    Returns:
        Content by file name.

    Raises:
        TargetError: the file breaks a rule of the target, or takes or gives something else than a recommender's.
        RuntimeFileError: the bytes are no .tflite file, or the `tflite-micro` wheel, which measures the arena, is not
            installed or refused it.
    """
    require(content, micro)
    file = read(content)
    signature = file.signatures["score"]
    _check(signature, bundle)
    filled = fields(content, file, bundle, arena_bytes(content))
    home = files("kdrec.targets.micro.backends.tflm")
    return {name: Template(home.joinpath(name).read_text("utf-8")).substitute(filled).encode() for name in TEMPLATES}


def _check(signature: Signature, bundle: Bundle | None) -> None:
    history, scores = signature.inputs.get("history"), signature.outputs.get("scores")
    if history is None or history.dtype != "int32" or scores is None or scores.dtype not in SCORES:
        raise TargetError(
            f"signature 'score' must take int32 'history' and return 'scores' in {' or '.join(SCORES)} for TensorFlow "
            f"Lite Micro; export the file for the target micro"
        )
    for name, tensor in signature.inputs.items():
        if name == "history":
            continue
        if tensor.dtype != "int32" or tensor.shape not in ((1,), ()):
            raise TargetError(
                f"context {name!r} must be one int32 for TensorFlow Lite Micro, not {tensor.dtype} "
                f"{list(tensor.shape)}; export the file for the target micro"
            )
        if bundle is None:
            raise TargetError(
                f"the file takes the context {name!r}, and does not say how many values it has; give the folder of "
                f"its bundle"
            )

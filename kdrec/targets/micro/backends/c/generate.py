"""C99 for a file of the target micro: kernels, tables and steps, with no runtime and no memory of the heap."""

from importlib.resources import files
from string import Template

from kdrec.bundle.read import Bundle
from kdrec.errors import KdrecError, RuntimeFileError, TargetError
from kdrec.targets.base.subject import subject
from kdrec.targets.micro.backends.c.call import WAY_OUT
from kdrec.targets.micro.backends.c.fields import fields
from kdrec.targets.micro.backends.c.lower import lower
from kdrec.tflite.views import Signature

TEMPLATES = ("recommender.h", "recommender.c", "main.c", "README.md")


def c(content: bytes, bundle: Bundle | None = None) -> dict[str, bytes]:
    """A recommender in C99: gather, pooling, dense layers, item scores and top-k, of exactly this file.

    Logits are those of TensorFlow Lite Micro to the bit. Lists are ranked by the int32 sums before they are rounded to
    int8, so that they hardly ever tie.

    Args:
        content: of a .tflite file with one graph and the signature `score`, in int8.
        bundle: that it is from; its popular items and the values of its context go into the header.

    Returns:
        Content by file name: `recommender.h`, `recommender.c`, an example `main.c`, and `README.md`.

    Raises:
        TargetError: the file has an operator, a type or an input that the generator does not know.
        RuntimeFileError: the bytes are no .tflite file.
    """
    looked_at = subject(content)
    signature = looked_at.file.signatures.get("score")
    if len(looked_at.file.subgraphs) != 1 or signature is None:
        raise TargetError(
            f"the file must have one graph with the signature 'score', it has {len(looked_at.file.subgraphs)} and "
            f"{', '.join(sorted(looked_at.file.signatures)) or 'no signature'}; export it for the target micro"
        )
    _check(signature)
    try:
        program = lower(looked_at, signature)
    except KdrecError:
        raise
    except (ValueError, IndexError, KeyError, TypeError, ZeroDivisionError, OverflowError) as error:
        raise RuntimeFileError(
            f"the file has an operator that the C generator cannot read ({error!r}); export the model again"
        ) from error
    for name in signature.inputs:
        if name not in program.limits:
            raise TargetError(f"the graph must look up rows for its input {name!r}, and does not; {WAY_OUT}")
    filled = fields(program, signature, bundle)
    home = files("kdrec.targets.micro.backends.c")
    return {name: Template(home.joinpath(name).read_text("utf-8")).substitute(filled).encode() for name in TEMPLATES}


def _check(signature: Signature) -> None:
    history, scores = signature.inputs.get("history"), signature.outputs.get("scores")
    if history is None or scores is None or scores.dtype != "int8":
        raise TargetError(
            "signature 'score' must take 'history' and return int8 'scores' for the C generator; export the file for "
            "the target micro with recipe int8"
        )
    for name, tensor in signature.inputs.items():
        if name != "history" and tensor.shape not in ((1,), ()):
            raise TargetError(
                f"context {name!r} must be one number for the C generator, not {list(tensor.shape)}; {WAY_OUT}"
            )

"""From the converter's bytes to the file that ships: one table, wide scores, nothing superfluous."""

from collections.abc import Mapping, Sequence

import numpy as np

from kdrec.bundle.signatures import SignatureSpec, TensorSpec
from kdrec.compress.rounding import scale_of
from kdrec.export.jobs import MODEL_FILE, ExportJob
from kdrec.export.student_parts import StudentParts
from kdrec.tflite.read import parse
from kdrec.tflite.stored_as import store
from kdrec.tflite.strip import strip
from kdrec.tflite.tied_table import tie
from kdrec.tflite.verify import verify_equivalent
from kdrec.tflite.views import Tensor, read
from kdrec.tflite.wide_scores import make_room, widen
from kdrec.tflite.write import pack

Cases = Mapping[str, Sequence[Mapping[str, np.ndarray]]]


def finish(content: bytes, parts: StudentParts, job: ExportJob, cases: Cases) -> tuple[bytes, dict[str, float]]:
    """Rewrite a converted file.

    Args:
        content: what the converter gave.
        parts: the student it was made from.
        job: whose options say whether outputs are float32.
        cases: by signature, the calls on which old and new file are compared.

    Returns:
        The new bytes, and the steps by which each output moved.

    Raises:
        ConversionError: the new file answers differently.
    """
    model = parse(content)
    if parts.is_tied and job.recipe.activations != "int16":
        for matrix in parts.matrices:
            tie(model, matrix)
    if job.recipe.activations == "int8" and not job.one_subgraph:
        widen(model, *parts.matrices)
    if job.recipe.activations == "int16":
        make_room(model, parts.scoring)
    for group, kind in job.recipe.rewritten:
        for matrix in parts.of(group):
            store(model, matrix, kind, scale_of(matrix, kind))
    written = pack(strip(model))
    return written, verify_equivalent(content, written, cases)


def specs_of(content: bytes) -> dict[str, SignatureSpec]:
    """The signatures of a file as a manifest holds them."""
    return {
        name: SignatureSpec(
            MODEL_FILE,
            {end: _spec(tensor) for end, tensor in signature.inputs.items()},
            {end: _spec(tensor) for end, tensor in signature.outputs.items()},
        )
        for name, signature in read(content).signatures.items()
    }


def _spec(tensor: Tensor) -> TensorSpec:
    return TensorSpec(tensor.dtype, tensor.shape, tensor.scale, tensor.zero_point)

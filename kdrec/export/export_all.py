"""From a student to the files of every target, with one child process for all conversions."""

from collections.abc import Sequence

import numpy as np
import tf_keras as keras

from kdrec.export.calibration import Calibration, calls, check, covering
from kdrec.export.convert import TIMEOUT, Conversion, convert
from kdrec.export.finish import finish, specs_of
from kdrec.export.host import host_part
from kdrec.export.jobs import MODEL_FILE, Exported, ExportJob
from kdrec.export.signatures import Signatures, build
from kdrec.export.student_parts import StudentParts, on_grid, take_apart
from kdrec.tflite.views import read

COMPARED = 16  # calls on which the rewritten file is compared with the converter's


def export_all(
    student: keras.Model, jobs: Sequence[ExportJob], calibration: Calibration, timeout: float | None = TIMEOUT
) -> list[Exported]:
    """Write the file of each job.

    Equal students, jobs and calibrations give equal bytes.

    Args:
        student: a functional tf_keras model, see `kdrec.models.students`.
        jobs: what to write.
        calibration: by input name, (rows, …) int32 drawn from training histories; a few hundred rows are enough.
        timeout: seconds that the converter may take; None lets it take its time.

    Returns:
        Files, signatures and host part of each job, in order.

    Raises:
        ConversionError: the student, the calibration or an option does not fit, or the converter refused or died.
    """
    whole = take_apart(student)
    check(whole, calibration)
    kinds = {recipe: on_grid(whole, recipe) for recipe in dict.fromkeys(job.recipe for job in jobs)}
    parts = [kinds[job.recipe] for job in jobs]
    built = [build(each, job, covering(each, calibration)) for each, job in zip(parts, jobs, strict=True)]
    contents = convert(
        [
            Conversion(job.name, signatures, job.recipe, integer_ends=job.one_subgraph)
            for job, signatures in zip(jobs, built, strict=True)
        ],
        timeout,
    )
    return [
        _finished(each, job, signatures, content)
        for each, job, signatures, content in zip(parts, jobs, built, contents, strict=True)
    ]


def export(student: keras.Model, job: ExportJob, calibration: Calibration, timeout: float | None = TIMEOUT) -> Exported:
    """Write the file of one job; `export_all` says what each argument is."""
    return export_all(student, [job], calibration, timeout)[0]


def _finished(parts: StudentParts, job: ExportJob, signatures: Signatures, content: bytes) -> Exported:
    host, files = host_part(parts) if job.lookup == "host" else (None, {})
    cases = _stored(content, calls({name: values[:COMPARED] for name, values in signatures.calibration.items()}))
    model, moved = finish(content, parts, job, dict.fromkeys(job.signatures, cases))
    return Exported(job, {MODEL_FILE: model, **files}, specs_of(model), host, moved)


def _stored(content: bytes, cases: list[dict[str, np.ndarray]]) -> list[dict[str, np.ndarray]]:
    """The calls in the types that the file's inputs have."""
    tensors = {
        name: tensor for signature in read(content).signatures.values() for name, tensor in signature.inputs.items()
    }
    return [{name: _quantized(tensors[name], values) for name, values in case.items()} for case in cases]


def _quantized(tensor, values: np.ndarray) -> np.ndarray:
    if tensor.scale is None:
        return values
    return np.clip(np.round(values / tensor.scale) + tensor.zero_point, -128, 127).astype(np.int8)

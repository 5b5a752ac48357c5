"""TensorFlow Lite's converter in a process of its own: what kills it does not kill the caller."""

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf

from kdrec import converter
from kdrec.compress.recipes.base import Recipe
from kdrec.errors import ConversionError
from kdrec.export import faults
from kdrec.export.signatures import Signatures

TIMEOUT = 3600.0  # seconds; a million items take about one minute


@dataclass(frozen=True, eq=False)
class Conversion:
    """One file to convert.

    Args:
        name: used in messages.
        signatures: the module, its functions and the inputs of its calibration calls.
        recipe: the precision.
        integer_ends: in an int8 file, inputs and outputs are int8 too, rather than float32.
    """

    name: str
    signatures: Signatures
    recipe: Recipe
    integer_ends: bool = False


def convert(conversions: Sequence[Conversion], timeout: float | None = TIMEOUT) -> list[bytes]:
    """Convert several modules in one child process (importing TensorFlow is most of its time).

    If the child dies, the conversion it was at is the one that killed it; the remaining ones go to a new child.

    Args:
        conversions: what to convert.
        timeout: seconds that a child may take; None lets it take its time.

    Returns:
        The bytes of a .tflite file each, in order.

    Raises:
        ConversionError: the converter refused a module, died, or took too long. The message names each conversion that
            failed, and the way out; the others were still tried.
    """
    failures: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="kdrec-convert-") as temporary:
        folders = [_write(Path(temporary) / str(number), entry) for number, entry in enumerate(conversions)]
        waiting = list(range(len(conversions)))
        while waiting:
            death = _run_child(Path(temporary), [folders[number] for number in waiting], timeout)
            tried = {number: status for number in waiting if (status := _status(folders[number])) != "waiting"}
            if not tried:
                failures |= {conversions[number].name: f"the converter did not begin: {death}" for number in waiting}
                break
            for number, status in tried.items():
                if status == "started":
                    failures[conversions[number].name] = death
                elif status != "done":
                    failures[conversions[number].name] = faults.refused(status)
            waiting = [number for number in waiting if number not in tried]
        if failures:
            raise ConversionError("\n".join(f"converting {name!r} failed: {why}" for name, why in failures.items()))
        return [(folder / "model.tflite").read_bytes() for folder in folders]


def _write(folder: Path, entry: Conversion) -> Path:
    folder.mkdir()
    tf.saved_model.save(
        entry.signatures.module, str(folder / "saved_model"), signatures=dict(entry.signatures.functions)
    )
    np.savez(folder / "calibration.npz", allow_pickle=False, **_float_or_int(entry.signatures.calibration))
    job = {
        "signatures": list(entry.signatures.functions),
        "weights": entry.recipe.weights,
        "activations": entry.recipe.activations,
        "integer_ends": entry.integer_ends,
    }
    (folder / "job.json").write_text(json.dumps(job))
    (folder / "status").write_text("waiting")
    return folder


def _float_or_int(inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    kinds = {"f": np.float32, "i": np.int32, "u": np.int32}
    return {name: values.astype(kinds[values.dtype.kind]) for name, values in inputs.items()}


def _status(folder: Path) -> str:
    return (folder / "status").read_text() or "started"  # empty: it died while it wrote


def _run_child(place: Path, folders: Sequence[Path], timeout: float | None) -> str:
    """How the child died, or nothing."""
    jobs_file = place / "jobs.json"
    jobs_file.write_text(json.dumps([str(folder) for folder in folders]))
    code, said = converter.run(jobs_file, timeout)
    if code is None:
        return faults.with_last_words(
            f"the converter's process took longer than timeout={timeout:g} seconds; give it more", said
        )
    return "" if code == 0 else faults.died(code, said)

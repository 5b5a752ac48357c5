"""The process of `kdrec.converter`: converts the folders named in a file, one after the other."""

import gc
import json
import os
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import tensorflow as tf

from kdrec.tflite.merge import merge
from kdrec.tflite.read import parse
from kdrec.tflite.write import pack

OPERATORS = {
    "int8": [tf.lite.OpsSet.TFLITE_BUILTINS_INT8],
    # ARG_MAX and TOPK_V2 know no int16, and stay in float32.
    "int16": [
        tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8,
        tf.lite.OpsSet.TFLITE_BUILTINS,
    ],
}


def main(jobs_file: str) -> None:
    """Convert each folder; `status` in it tells what happened: waiting, started, done, or what was wrong."""
    for folder in map(Path, json.loads(Path(jobs_file).read_text())):
        status = folder / "status"
        status.write_text("started")
        try:
            content = _convert(folder, json.loads((folder / "job.json").read_text()))
        except Exception as error:  # whatever the converter raises is an answer about this folder, not about the others
            status.write_text(f"{type(error).__name__}: {error}")
            continue
        (folder / "model.tflite").write_bytes(content)
        status.write_text("done")


def _convert(folder: Path, job: dict[str, Any]) -> bytes:
    if job["activations"] == "int16" and len(job["signatures"]) > 1:
        # Of several signatures at once the converter measures no ranges of int16 constants: their scales are garbage.
        alone = [_convert(folder, {**job, "signatures": [name]}) for name in job["signatures"]]
        return pack(merge([parse(content) for content in alone]))
    names = job["signatures"]
    converter = tf.lite.TFLiteConverter.from_saved_model(str(folder / "saved_model"), signature_keys=names)
    converter._experimental_disable_per_channel_quantization_for_dense_layers = True
    if job["weights"] != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if job["weights"] == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if job["activations"] != "float32":
        converter.representative_dataset = lambda: _calls(folder, names)
        converter.target_spec.supported_ops = OPERATORS[job["activations"]]
        if job["integer_ends"]:
            converter.inference_input_type = converter.inference_output_type = tf.as_dtype(job["activations"])
    return converter.convert()


def _calls(folder: Path, names: list[str]) -> Iterator[tuple[str, dict[str, np.ndarray]]]:
    with np.load(folder / "calibration.npz", allow_pickle=False) as archive:
        inputs = dict(archive)
    for row in range(len(next(iter(inputs.values())))):
        for name in names:
            yield name, {key: values[row : row + 1] for key, values in inputs.items()}


def serve() -> None:
    """For each line, [jobs file, file for complaints], let a fork do the jobs; write [exit status, peak memory]."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library prints is no answer
    gc.freeze()  # a fork need not look through what was imported, each time that the converter collects
    for line in sys.stdin:
        jobs_file, complaints = json.loads(line)
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            _forked(jobs_file, complaints)
        _, status, used = os.wait4(child, 0)
        print(json.dumps([os.waitstatus_to_exitcode(status), 1024 * used.ru_maxrss]), file=answers, flush=True)


def _forked(jobs_file: str, complaints: str) -> NoReturn:
    """Do the jobs and end this process, whatever happens."""
    code = 1
    try:
        said = os.open(complaints, os.O_WRONLY)
        os.dup2(said, 1)
        os.dup2(said, 2)
        main(jobs_file)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main(sys.argv[1]) if sys.argv[1:] else serve()

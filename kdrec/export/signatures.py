"""TensorFlow functions of batch 1 with named inputs and outputs, one a signature of the file."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
import tf_keras as keras

from kdrec.errors import ConversionError
from kdrec.export.calibration import Calibration
from kdrec.export.jobs import ExportJob
from kdrec.export.student_parts import StudentParts
from kdrec.export.topk import top_items


@dataclass(frozen=True, eq=False)
class Signatures:
    """What a converter needs: a module, its functions by signature name, and the inputs of its calibration calls."""

    module: tf.Module
    functions: Mapping[str, Callable]
    calibration: Calibration


def build(parts: StudentParts, job: ExportJob, calibration: Calibration) -> Signatures:
    """The signatures that a job asks for.

    Args:
        parts: the student.
        job: which signatures, and who looks up the history.
        calibration: (rows, …) by input name of the student.

    Returns:
        Functions of fixed shapes and batch 1, and the calibration as they take it.

    Raises:
        ConversionError: the host is to look up the history, but the student marks no `device_input`.
    """
    if job.lookup == "host":
        return _device_stage(parts, job, calibration)
    specs = {name: tf.TensorSpec((1, *shape), tf.int32, name=name) for name, shape in parts.inputs.items()}
    n_items = len(parts.item_rows)

    def recommend(**inputs):
        items, scores = top_items(parts.query(inputs)[1], min(job.topk or 0, n_items))
        return {"items": items, "scores": scores}

    def score(**inputs):
        return {"scores": parts.query(inputs)[1]}

    def embed(**inputs):
        return {"query": parts.query(inputs)[0]}

    known = {"recommend": recommend, "score": score, "embed": embed}
    return _trace(parts.query, {name: known[name] for name in job.signatures}, specs, calibration)


def _device_stage(parts: StudentParts, job: ExportJob, calibration: Calibration) -> Signatures:
    """score: device inputs -> scores, over a table without padding row, in parts no wider than the device takes."""
    if not parts.boundaries:
        raise ConversionError(
            "student must mark with layers named device_input… where the host hands over to the accelerator, "
            f"but its layers are {', '.join(parts.layer_names())}; add such a layer to its encoder"
        )
    stage = keras.Model(list(parts.boundaries.values()), parts.student.get_layer("query").output)
    rows = parts.item_rows
    shards = np.array_split(rows, -(-len(rows) // (job.max_fc_outputs or len(rows))))
    names = ["scores"] if len(shards) == 1 else [f"scores_{number}" for number in range(len(shards))]

    def score(**inputs):
        query = stage([inputs[name] for name in parts.boundaries])
        return {name: tf.matmul(query, shard, transpose_b=True) for name, shard in zip(names, shards, strict=True)}

    specs = {
        name: tf.TensorSpec((1, *tensor.shape[1:]), tf.float32, name=name) for name, tensor in parts.boundaries.items()
    }
    return _trace(stage, {"score": score}, specs, device_inputs(parts, calibration))


def device_inputs(parts: StudentParts, calibration: Calibration) -> dict[str, np.ndarray]:
    """(rows, …) float32 by boundary: what the host gives to the device for these histories."""
    host = keras.Model(parts.student.inputs, list(parts.boundaries.values()))
    answers = host.predict({name: calibration[name] for name in parts.inputs}, batch_size=256, verbose=0)
    values = answers if len(parts.boundaries) > 1 else [answers]
    return dict(zip(parts.boundaries, values, strict=True))


def _trace(model: keras.Model, functions: Mapping[str, Callable], specs, calibration: Calibration) -> Signatures:
    module = tf.Module()
    module.held = model.weights  # a SavedModel keeps only the variables that its module knows
    traced = {name: tf.function(function).get_concrete_function(**specs) for name, function in functions.items()}
    return Signatures(module, traced, {name: calibration[name] for name in specs})

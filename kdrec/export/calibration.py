"""Example inputs by which the converter measures ranges."""

from collections.abc import Mapping

import numpy as np

from kdrec.errors import ConversionError
from kdrec.export.jobs import Calls
from kdrec.export.student_parts import StudentParts

Calibration = Mapping[str, np.ndarray]


def check(parts: StudentParts, calibration: Calibration) -> None:
    """Refuse calibration inputs that the student could not read.

    Raises:
        ConversionError: an input is missing, of another shape, or holds tokens that the table has not.
    """
    rows = {name: len(values) for name, values in calibration.items()}
    for name, shape in parts.inputs.items():
        if name not in calibration:
            raise ConversionError(
                f"calibration must hold every input of the student, but {name!r} is missing from {', '.join(rows)}; "
                "add it"
            )
        if calibration[name].shape[1:] != shape or rows[name] == 0 or rows[name] != rows["history"]:
            raise ConversionError(
                f"calibration[{name!r}] must have shape (rows, {', '.join(map(str, shape))}) with as many rows as "
                f"'history', not {calibration[name].shape}; draw it from training histories of the student's length"
            )
    history = calibration["history"]
    if history.min() < 0 or history.max() >= len(parts.table):
        raise ConversionError(
            f"calibration['history'] must hold tokens 0 to {len(parts.table) - 1}, "
            f"not {history.min()} to {history.max()}; token 0 is padding, an item's token its position + 1"
        )


def covering(parts: StudentParts, calibration: Calibration) -> Calibration:
    """The same calls and one more, so that the rows of every table with the largest and smallest values are read.

    The converter gives a lookup the range of the values it has seen; without this, items that calibration never saw
    would be clipped.

    Args:
        parts: the student.
        calibration: (rows, …) by input name.

    Returns:
        (rows + 2, …) by input name: two calls from the middle, with their oldest items replaced by the extreme ones.
    """
    covered = {}
    middle = len(calibration["history"]) // 2
    for name in parts.inputs:
        values = np.asarray(calibration[name], np.int32)
        table = parts.table if name == "history" else context_table(parts, name)
        extremes = [int(table.max(axis=1).argmax()), int(table.min(axis=1).argmin())]
        more = np.repeat(values[middle : middle + 1], 2, axis=0)
        more.reshape(2, -1)[:, 0] = extremes
        covered[name] = np.concatenate([values, more])
    return covered


def context_table(parts: StudentParts, feature: str) -> np.ndarray:
    """(values + 1, embedding_dim): the embedding table of a context feature; row 0 stands for unknown."""
    return np.asarray(parts.student.get_layer(f"context_{feature}").get_weights()[0], np.float32)


def calls(inputs: Mapping[str, np.ndarray]) -> Calls:
    """One call a row, each with a first axis of 1: what a file of batch 1 takes."""
    rows = len(next(iter(inputs.values())))
    return [{name: values[row : row + 1] for name, values in inputs.items()} for row in range(rows)]

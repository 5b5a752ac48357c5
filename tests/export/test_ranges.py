"""Ranges of activations: what each method keeps, and files that more histories, or strange ones, make no worse."""

import numpy as np
import pytest
from small_students import LENGTH, student, tokens

from kdrec.compress import recipes
from kdrec.config import Config
from kdrec.errors import ConversionError
from kdrec.export import ExportJob
from kdrec.export.calibration import calls, covering
from kdrec.export.convert import Conversion, convert
from kdrec.export.finish import finish
from kdrec.export.ranges import METHODS, check_method, minmax, mse, percentile, within
from kdrec.export.signatures import build
from kdrec.export.student_parts import take_apart
from kdrec.tflite.verify import run

JOB = ExportJob("ranges", recipes.get("int8"), ("score",), None)


def relative_error(values, low, high):
    """Mean over rows of ‖v − v̂‖² / ‖v‖², v̂ on 256 values from low to high."""
    step = (high - low) / 255
    rounded = step * np.round(np.clip(values, low, high) / step)
    return np.mean(((values - rounded) ** 2).sum(axis=1) / (values**2).sum(axis=1))


def test_percentile_leaves_out_a_hundredth_of_the_rows_on_either_side():
    values = np.random.default_rng(0).permutation(np.arange(-300.0, 0.0))[:, np.newaxis] * [1.0, -2.0]
    assert percentile(values) == (-298.0, 596.0)  # beyond them lie -300 and -299, and twice 300 and 299
    assert percentile(values[:50]) == minmax(values[:50])


@pytest.mark.parametrize("outlier", [1.0, 30.0, 3000.0])
def test_no_shrunk_range_has_a_smaller_error_than_that_of_mse(outlier):
    values = np.random.default_rng(0).normal(size=(400, 8))
    values[0] *= outlier
    low, high = mse(values)
    whole = minmax(values)
    assert low / whole[0] == pytest.approx(high / whole[1])
    for share in np.linspace(0.05, 1, 300):
        assert relative_error(values, low, high) <= 1.1 * relative_error(values, share * whole[0], share * whole[1])
    assert (high < whole[1] / 10) == (outlier == 3000.0)  # a row is given up when the others pay more for it


def histories(rng, rows):
    return tokens(rng, rows, {})["history"]


def repeated(parts, rows):
    """Histories of one item over and over, the largest ones: nothing that a user has done."""
    largest = np.argsort(-np.abs(parts.table).max(axis=1))[:rows]
    return np.repeat(largest[:, np.newaxis], LENGTH, axis=1).astype(np.int32)


def test_rows_beyond_the_range_of_a_layer_are_not_shown():
    model = student()
    usual, strange = histories(np.random.default_rng(0), 990), repeated(take_apart(model), 5)
    mixed = {"history": np.concatenate([strange, usual])}
    assert within(model, mixed, "minmax") is mixed
    shown = within(model, mixed, "percentile")["history"]
    assert 0.8 * len(mixed["history"]) < len(shown) < len(mixed["history"])
    assert not any((row == row[0]).all() for row in shown)  # histories of one item are the strange ones


@pytest.mark.slow
def test_more_calibration_never_makes_a_file_worse():
    """Root mean square errors of scores on other histories; what is shown is nested, at last with strange histories."""
    model = student()
    parts = take_apart(model)
    rng = np.random.default_rng(1)
    usual, strange = histories(rng, 1024), repeated(parts, 8)
    shown = {"64": usual[:64], "1024": usual, "strange": np.concatenate([usual, strange])}
    kinds = [(method, name) for method in METHODS for name in shown]
    built = [
        build(parts, JOB, covering(parts, within(model, {"history": shown[name]}, method))) for method, name in kinds
    ]
    contents = convert([Conversion(f"{kind}", made, JOB.recipe) for kind, made in zip(kinds, built, strict=True)])
    inputs = {"history": histories(rng, 300)}
    expected = model.predict(inputs, verbose=0)
    errors = {}
    for kind, content in zip(kinds, contents, strict=True):
        written, _ = finish(content, parts, JOB, {"score": calls({"history": usual[:8]})})
        errors[kind] = np.sqrt(np.mean((run(written, "score", calls(inputs))["scores"] - expected) ** 2))
    for method in METHODS:
        assert errors[method, "1024"] < 1.1 * errors[method, "64"]
    assert Config().calibration == "mse"
    for method in ("percentile", "mse"):
        assert errors[method, "strange"] < 1.1 * errors[method, "1024"]
    assert errors["minmax", "strange"] > 1.1 * errors["minmax", "1024"]  # which is what the others are for


def test_an_unknown_method_lists_those_there():
    with pytest.raises(ConversionError, match="calibration must be one of minmax, percentile, mse, not 'entropy'"):
        check_method("entropy")

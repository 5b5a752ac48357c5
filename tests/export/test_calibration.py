import numpy as np
import pytest
from small_students import LENGTH, student, tokens

from kdrec.errors import ConversionError
from kdrec.export.calibration import calls, check, covering
from kdrec.export.student_parts import take_apart


@pytest.fixture(scope="module")
def parts():
    return take_apart(student(context={"hour": 4}))


@pytest.fixture
def calibration():
    return tokens(np.random.default_rng(0), 10, {"hour": 4})


def test_covering_adds_the_rows_with_the_largest_and_smallest_values(parts, calibration):
    covered = covering(parts, calibration)
    assert covered["history"].shape == (12, LENGTH) and covered["hour"].shape == (12,)
    np.testing.assert_array_equal(covered["history"][:10], calibration["history"])
    added = parts.table[covered["history"][10:]]
    assert (added.max(), added.min()) == (parts.table.max(), parts.table.min())
    hours = parts.student.get_layer("context_hour").get_weights()[0]
    added = hours[covered["hour"][10:]]
    assert (added.max(), added.min()) == (hours.max(), hours.min())


def test_a_call_is_one_row(calibration):
    rows = calls(calibration)
    assert len(rows) == 10 and rows[3]["history"].shape == (1, LENGTH) and rows[3]["hour"].shape == (1,)
    np.testing.assert_array_equal(rows[3]["history"][0], calibration["history"][3])


def test_a_missing_input_is_named(parts, calibration):
    with pytest.raises(ConversionError, match="every input of the student, but 'hour' is missing from history; add it"):
        check(parts, {"history": calibration["history"]})


def test_another_length_is_refused(parts, calibration):
    wrong = {**calibration, "history": calibration["history"][:, 1:]}
    with pytest.raises(ConversionError, match=r"calibration\['history'\] must have shape \(rows, 6\).*not \(10, 5\)"):
        check(parts, wrong)


def test_no_rows_are_refused(parts, calibration):
    with pytest.raises(ConversionError, match=r"must have shape \(rows, 6\).*not \(0, 6\)"):
        check(parts, {name: values[:0] for name, values in calibration.items()})


def test_unknown_tokens_are_refused(parts, calibration):
    with pytest.raises(ConversionError, match="must hold tokens 0 to 40, not 0 to 41; token 0 is padding"):
        check(parts, {**calibration, "history": np.tile(np.array([[0, 0, 0, 1, 2, 41]], np.int32), (10, 1))})

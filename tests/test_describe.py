"""What the report says of data and split: of the whole log, and of the histories as they are."""

import pytest

from kdrec import describe
from kdrec.data.interactions import Interactions
from kdrec.data.splits import Split, given, leave_last_out

LOG = Interactions([0] * 4 + [1] * 3, [0, 1, 2, 3, 0, 1, 2], ["ann", "bob"], [10, 11, 12, 13], times=range(100, 107))


def test_summary_is_of_all_parts():
    split = leave_last_out(LOG)
    said = describe.data("log", split, [])
    assert len(split.train) == 3 and said["pairs"] == 7 == len(LOG)
    assert said["summary"] == LOG.summary()


@pytest.mark.parametrize(
    ("ordered", "method", "note"),
    [
        (True, "leave_last_out", "are ordered by time; on test they hold the training and validation items."),
        (True, "given", "are ordered by time; on test they hold the training items only."),
        (False, "leave_last_out", "are sets; on test they hold the training and validation items."),
        (False, "given", "are sets; on test they hold the training items only."),
    ],
)
def test_note_is_of_order_and_of_what_a_history_holds(ordered, method, note):
    parts = leave_last_out(LOG)
    assert describe.split(Split(parts.train, parts.valid, parts.test, ordered, method))["note"] == f"Histories {note}"


def test_without_validation_pairs_histories_hold_train_only():
    assert describe.split(leave_last_out(LOG, n_valid=0))["note"].endswith("hold the training items only.")
    parts = leave_last_out(LOG, n_valid=0)
    assert describe.split(given(parts.train, None, parts.test))["note"].startswith("Histories are sets")

"""Training rows and batches, against what can be counted by hand."""

import numpy as np
import pandas as pd
import pytest

from kdrec.data.interactions import Interactions
from kdrec.distill.batches import TrainingBatches, training_rows
from kdrec.errors import TrainingError

SIZES = {"ann": 5, "bob": 3, "cyd": 1}


@pytest.fixture
def log():
    """Each user takes items 0, 1, 2 … of a catalogue of their own, in that order."""
    rows = [(user, f"{user}{i}", i, "even" if i % 2 == 0 else "odd") for user, n in SIZES.items() for i in range(n)]
    frame = pd.DataFrame(rows, columns=["u", "i", "t", "parity"])
    return Interactions.from_frame(frame, "u", "i", time_column="t", context_columns=["parity"])


def test_ordered_rows_are_the_last_cuts_with_the_whole_history(log):
    users, cuts = training_rows(log, ordered=True, cuts_per_user=2)
    assert users.tolist() == [0, 0, 1, 1, 2]
    assert cuts.tolist() == [4, 5, 2, 3, 1]
    assert len(training_rows(log, ordered=True)[0]) == sum(SIZES.values())


def test_set_rows_are_whole_histories(log):
    users, cuts = training_rows(log, ordered=False)
    assert users.tolist() == [0, 1, 2] and cuts.tolist() == [5, 3, 1]


def test_ordered_batch_holds_out_the_next_item_with_its_context(log):
    batches = TrainingBatches(log, *training_rows(log, True), history_length=2, ordered=True)
    rows = np.array([2, 4])  # ann after three of her items, and after all five
    x, labels = batches.batch(rows, np.random.default_rng(0))
    first = log.items[log.indptr[0] : log.indptr[1]] + 1
    assert x["history"].tolist() == [first[1:3].tolist(), first[3:5].tolist()]
    assert labels[0, 0] == first[3] and labels[1, 0] == 0
    assert sorted(-labels[0][labels[0] < 0]) == sorted(first[:3])
    odd = log.context["parity"].vocabulary.tolist().index("odd")
    assert x["parity"].tolist() == [odd + 1, 0]


def test_set_batch_hides_a_share_and_reads_the_rest(log):
    batches = TrainingBatches(log, *training_rows(log, False), history_length=4, ordered=False, hidden_share=(0.4, 0.4))
    x, labels = batches.batch(np.arange(3), np.random.default_rng(1))
    for row, size in enumerate(SIZES.values()):
        everything = set((log.items[log.indptr[row] : log.indptr[row + 1]] + 1).tolist())
        hidden, seen = set(labels[row][labels[row] > 0]), set(-labels[row][labels[row] < 0])
        assert len(hidden) == min(round(0.4 * size), size - 1)
        assert hidden | seen == everything and not hidden & seen
        read = x["history"][row]
        assert set(read[read > 0]) <= seen
        assert np.all(np.diff((read > 0).astype(int)) >= 0)  # right-aligned


def test_epochs_depend_on_seed_and_epoch_alone(log):
    batches = TrainingBatches(log, *training_rows(log, True), history_length=2, ordered=True, batch_size=4, seed=3)
    steps = batches.steps_per_epoch
    assert steps == 3
    whole = [labels.tolist() for _, labels in batches(0).take(3 * steps).as_numpy_iterator()]
    resumed = [labels.tolist() for _, labels in batches(2).take(steps).as_numpy_iterator()]
    assert resumed == whole[2 * steps :]
    assert whole[:steps] != whole[steps : 2 * steps]


def test_no_rows_are_refused(log):
    nobody = log.select(np.zeros(len(log), bool))
    with pytest.raises(TrainingError, match="training rows must not be empty"):
        TrainingBatches(nobody, *training_rows(nobody, True), history_length=2, ordered=True)

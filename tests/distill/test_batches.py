"""Training rows and batches, against what can be counted by hand."""

import numpy as np
import pandas as pd
import pytest

from kdrec.data.interactions import Interactions
from kdrec.data.splits import leave_last_out
from kdrec.distill.batches import TrainingBatches, training_rows, validation_batches
from kdrec.distill.teacher_cache import TeacherCache
from kdrec.errors import DataError, TrainingError

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


def test_validation_holds_out_the_item_before_the_test(log):
    split = leave_last_out(log)  # cyd's one pair is too few to hold any out
    ((x, labels),) = validation_batches(split, history_length=2).as_numpy_iterator()
    assert x["user"].tolist() == split.users("valid").tolist() == [0, 1]
    taken = [log.items[log.indptr[user] : log.indptr[user + 1]] + 1 for user in (0, 1)]
    assert x["history"].tolist() == [taken[0][1:3].tolist(), [0, taken[1][0]]]
    assert labels[:, 0].tolist() == [taken[0][3], taken[1][1]]
    assert [sorted(-row[row < 0]) for row in labels] == [sorted(taken[0][:3]), [taken[1][0]]]
    odd, even = (log.context["parity"].vocabulary.tolist().index(name) + 1 for name in ("odd", "even"))
    assert x["parity"].tolist() == [odd, odd] and odd != even


def test_validation_watches_a_draw_of_many_users(log):
    split = leave_last_out(log)
    draws = {int(next(iter(validation_batches(split, 2, most_users=1, seed=seed)))[0]["user"][0]) for seed in range(9)}
    assert draws == {0, 1}


def test_nothing_to_watch_is_refused(log):
    split = leave_last_out(log, n_valid=0)
    with pytest.raises(TrainingError, match="split must hold validation pairs to be watched, and holds none"):
        validation_batches(split, history_length=2)


def test_cache_of_other_rows_is_refused(log, tmp_path):
    users, cuts = training_rows(log, True)
    answers = TeacherCache.write(tmp_path / "cache", lambda x: np.ones((len(x["user"]), log.n_items)), log, users, cuts)
    batches = TrainingBatches(log, users, cuts, history_length=2, ordered=True, cache=answers)
    assert "teacher_scores" in batches.batch(np.arange(2), np.random.default_rng(0))[0]
    with pytest.raises(DataError, match=r"teacher cache .* answers other rows than those to train on"):
        TrainingBatches(log, *training_rows(log, True, 2), history_length=2, ordered=True, cache=answers)


def test_weights_of_pairs_weigh_the_rows_that_hold_them_out():
    log = Interactions([0, 0, 0, 1, 1], [0, 1, 2, 1, 0], [10, 11], [20, 21, 22], times=[1, 2, 3, 1, 2],
                       weights=[5.0, 2.0, 3.0, 7.0, 9.0])  # fmt: skip
    users, cuts = training_rows(log, True)
    ordered = TrainingBatches(log, users, cuts, history_length=2, ordered=True, batch_size=8)
    assert ordered.row_weights(np.arange(5)).tolist() == [2.0, 3.0, 1.0, 9.0, 1.0]  # whole histories hold none out
    _, _, weights = next(ordered(0).as_numpy_iterator())
    assert weights.tolist() == [2.0, 3.0, 1.0, 9.0, 1.0]
    sets = TrainingBatches(log, *training_rows(log, False), history_length=2, ordered=False)
    assert sets.row_weights(np.arange(2)).tolist() == pytest.approx([10 / 3, 8.0])


def test_repeated_pairs_are_refused():
    log = Interactions([0, 0, 0], [0, 1, 0], [10], [20, 21], times=[1, 2, 3])
    with pytest.raises(TrainingError, match=r"hold each \(user, item\) once.*filters\.prepare"):
        TrainingBatches(log, *training_rows(log, True), history_length=2, ordered=True)

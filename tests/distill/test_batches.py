"""Training rows and batches, against what can be counted by hand."""

import numpy as np
import pandas as pd
import pytest

from kdrec.data.interactions import Interactions
from kdrec.data.sampled import sampled_histories, with_sampled
from kdrec.data.splits import leave_last_out
from kdrec.distill import batches as module
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


def whole(log, user):
    return sorted(log.items[log.indptr[user] : log.indptr[user + 1]] + 1)


def test_nothing_hidden_reads_whole_sets(log):
    batches = TrainingBatches(log, *training_rows(log, False), history_length=6, ordered=False, hidden_share=(0, 0))
    x, labels = batches.batch(np.arange(3), np.random.default_rng(0))
    for user in range(3):
        assert sorted(x["history"][user][x["history"][user] > 0]) == whole(log, user)
        assert sorted(-labels[user][labels[user] != 0]) == whole(log, user)


def test_of_a_long_set_each_item_is_read_alike():
    log = Interactions(np.zeros(8, int), np.arange(8), [10], np.arange(8))
    batches = TrainingBatches(log, *training_rows(log, False), history_length=2, ordered=False, hidden_share=(0.5, 0.5))
    rng, read, hidden = np.random.default_rng(0), np.zeros(9), np.zeros(9)
    for _ in range(2_000):
        x, labels = batches.batch(np.array([0]), rng)
        read[x["history"][0]] += 1
        hidden[labels[labels > 0]] += 1
        assert sorted(np.abs(labels[0])) == list(range(1, 9))
    assert read[1:] / 2_000 == pytest.approx(np.full(8, 2 / 8), abs=0.04)
    assert hidden[1:] / 2_000 == pytest.approx(np.full(8, 4 / 8), abs=0.04)


@pytest.mark.parametrize("ordered", [True, False])
def test_sampled_users_are_read_whole_and_hold_nothing_out(log, ordered):
    both = with_sampled(log, sampled_histories(log, 6, ordered=True))
    unlabelled = np.arange(both.n_users) >= log.n_users
    users, cuts = training_rows(both, ordered, 2, unlabelled)
    real = len(training_rows(log, ordered, 2)[0])
    assert users[:real].tolist() == training_rows(log, ordered, 2)[0].tolist()
    assert users[real:].tolist() == [3, 4, 5, 6, 7, 8]  # a row each
    batches = TrainingBatches(both, users, cuts, 9, ordered, hidden_share=(0.5, 0.5), unlabelled=unlabelled)
    x, labels = batches.batch(np.arange(len(users)), np.random.default_rng(0))
    assert (labels[:real] > 0).any() and not (labels[real:] > 0).any()
    for row in range(real, len(users)):
        assert sorted(x["history"][row][x["history"][row] > 0]) == whole(both, users[row])
        assert x["parity"][row] == 0


def test_an_unlabelled_user_holds_nothing_out_at_any_cut(log):
    unlabelled = np.array([True, False, False])
    batches = TrainingBatches(log, *training_rows(log, True), history_length=2, ordered=True, unlabelled=unlabelled)
    x, labels = batches.batch(np.arange(8), np.random.default_rng(0))
    assert (labels[:, 0] > 0).tolist() == [False] * 5 + [True, True, False]
    assert x["parity"][:5].tolist() == [0] * 5
    assert (-labels[1][labels[1] < 0]).tolist() == (log.items[:2] + 1).tolist()


def test_masks_cover_the_longest_history_up_to_a_limit(log, monkeypatch):
    rows = training_rows(log, False)
    assert TrainingBatches(log, *rows, 2, False).batch(np.arange(3), np.random.default_rng(0))[1].shape == (3, 5)
    ordered = TrainingBatches(log, *training_rows(log, True), 2, True)
    assert ordered.batch(np.arange(2), np.random.default_rng(0))[1].shape == (2, 1 + 5)
    monkeypatch.setattr(module, "MASKED_HISTORY", 4)
    for seed in range(5):
        x, labels = TrainingBatches(log, *rows, 5, False).batch(np.arange(3), np.random.default_rng(seed))
        assert labels.shape == (3, 4) and set(np.abs(labels[0])) < set(whole(log, 0))
        assert set(x["history"][0]) <= set(-labels[0]) | {0}
    x, labels = TrainingBatches(log, *training_rows(log, True), 5, True).batch(np.array([4]), np.random.default_rng(0))
    assert (-labels[0, 1:]).tolist() == (log.items[1:5] + 1).tolist()  # the last four of five
    assert x["history"][0].tolist() == (log.items[:5] + 1).tolist()


def test_several_caches_are_told_apart(log, tmp_path):
    users, cuts = training_rows(log, True)
    caches = [
        TeacherCache.write(
            tmp_path / str(n), lambda x, n=n: np.full((len(x["user"]), log.n_items), n), log, users, cuts
        )
        for n in (1, 2)
    ]
    batches = TrainingBatches(log, users, cuts, history_length=2, ordered=True, cache=caches)
    x, _ = batches.batch(np.arange(2), np.random.default_rng(0))
    assert (x["teacher_scores"] == 1).all() and (x["teacher2_scores"] == 2).all()
    other = TeacherCache.write(
        tmp_path / "other", lambda x: np.ones((len(x["user"]), log.n_items)), log, users[1:], cuts[1:]
    )
    with pytest.raises(DataError, match="answers other rows than those to train on"):
        TrainingBatches(log, users, cuts, history_length=2, ordered=True, cache=[caches[0], other])


def test_shares_and_marks_that_mean_nothing_are_refused(log):
    rows = training_rows(log, False)
    with pytest.raises(TrainingError, match=r"hidden_share must be two ascending shares in \[0, 1\], not \(0.5, 0.1\)"):
        TrainingBatches(log, *rows, 2, False, hidden_share=(0.5, 0.1))
    with pytest.raises(TrainingError, match=r"unlabelled must be one bool a user, \(3,\), not \(2,\)"):
        TrainingBatches(log, *rows, 2, False, unlabelled=np.zeros(2, bool))

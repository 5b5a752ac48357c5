"""Which rows an epoch holds, and which of them are read whole."""

import numpy as np
import pytest

from kdrec.data.interactions import Interactions
from kdrec.distill.batches import TrainingBatches, training_rows
from kdrec.errors import TrainingError

USERS, ITEMS = 40, 8


def batches(**options):
    users, items = np.divmod(np.arange(USERS * ITEMS), ITEMS)
    log = Interactions(users, items, np.arange(USERS), np.arange(ITEMS))
    rows = training_rows(log, False)
    return TrainingBatches(log, *rows, history_length=ITEMS, ordered=False, batch_size=16, **options)


def users_of(made, epoch):
    data = made(epoch).take(made.steps_per_epoch)
    return np.concatenate([x["user"] for x, _ in data.as_numpy_iterator()])


def test_unlabelled_rows_are_drawn_anew_each_epoch_and_the_others_are_all_there():
    made = batches(unlabelled=np.arange(USERS) >= 10, unlabelled_a_row=1.5)
    assert made.steps_per_epoch == 2  # 10 + 15 rows in batches of 16
    first, second = users_of(made, 0), users_of(made, 1)
    for users in (first, second):
        assert len(users) == 25 == len(np.unique(users))
        assert set(range(10)) <= set(users.tolist())
    assert set(first.tolist()) != set(second.tolist())
    assert np.array_equal(second, users_of(made, 1))  # a resumed training repeats itself


def test_without_a_share_all_unlabelled_rows_are_read():
    made = batches(unlabelled=np.arange(USERS) >= 10)
    assert sorted(users_of(made, 0).tolist()) == list(range(USERS))


def test_whole_share_leaves_that_share_of_rows_unhidden():
    rng = np.random.default_rng(0)
    rows = np.tile(np.arange(USERS), 50)
    _, labels = batches(hidden_share=(0.5, 0.5), whole_share=0.3).batch(rows, rng)
    hidden = (labels > 0).sum(axis=1)
    assert set(hidden.tolist()) == {0, 4}
    assert np.mean(hidden == 0) == pytest.approx(0.3, abs=0.05)


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_whole_share_is_a_share(share):
    with pytest.raises(TrainingError, match=rf"whole_share must lie in \[0, 1\], not {share}"):
        batches(whole_share=share)

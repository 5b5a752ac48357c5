"""Users who are left out of training, and validation items that are no candidates on test."""

import numpy as np
import pytest

from kdrec.data.histories import inputs
from kdrec.data.interactions import Interactions
from kdrec.data.left_out import leave_users_out
from kdrec.data.splits import given, leave_last_out, random_per_user
from kdrec.errors import DataError
from kdrec.evaluation.ranking import evaluate

USERS, ITEMS = 12, 10


def log(**fields):
    users, items = np.divmod(np.arange(USERS * ITEMS), ITEMS)
    return Interactions(users, items, np.arange(USERS), np.arange(ITEMS), **fields)


def test_left_users_are_not_trained_on_but_judged_by_the_same_histories():
    split = random_per_user(log(), valid=0.1, test=0.2, seed=1)
    without, left = leave_users_out(split, 0.25, seed=3)
    assert len(left) == 3
    assert not np.isin(without.train.users, left).any()
    assert len(without.train) == len(split.train) * 9 // 12
    before, after = inputs(split, "test", left), inputs(without, "test", left)
    assert np.array_equal(before["history"], after["history"])
    assert before["user"].tolist() == left.tolist() and after["user"].tolist() == [-1, -1, -1]
    kept = np.setdiff1d(np.arange(USERS), left)
    assert inputs(without, "test", kept)["user"].tolist() == kept.tolist()


def test_left_users_depend_on_the_seed_alone():
    split = random_per_user(log(), seed=1)
    assert np.array_equal(leave_users_out(split, 0.25, seed=3)[1], leave_users_out(split, 0.25, seed=3)[1])
    assert not np.array_equal(leave_users_out(split, 0.25, seed=3)[1], leave_users_out(split, 0.25, seed=4)[1])


def test_fingerprint_tells_a_split_with_users_left_out_from_one_that_never_had_them():
    split = random_per_user(log(), seed=1)
    without, left = leave_users_out(split, 0.25)
    never = given(without.train, without.valid, without.test)
    assert without.fingerprint() not in (split.fingerprint(), never.fingerprint())


@pytest.mark.parametrize("share", [0.0, 0.01, 1.0])
def test_share_must_leave_somebody_on_both_sides(share):
    with pytest.raises(DataError, match=f"share must leave out at least one of 12 users and not all, not {share}"):
        leave_users_out(random_per_user(log()), share)


def test_split_by_time_has_other_histories_on_test_and_is_refused():
    split = leave_last_out(log(times=np.arange(USERS * ITEMS)))
    with pytest.raises(DataError, match="judged on its training items, and leave_last_out is not"):
        leave_users_out(split)


def test_split_without_some_users_is_not_saved(tmp_path):
    without, _ = leave_users_out(random_per_user(log()))
    with pytest.raises(DataError, match="saved before leave_users_out"):
        without.save(tmp_path / "split")


def test_masked_validation_items_are_no_candidates_on_test():
    """One user took 0, validates on 1, is tested on 2; scores fall from item 1 to item 2 to the rest."""
    parts = [Interactions([0], [item], ["ann"], np.arange(5)) for item in (0, 1, 2)]
    scorer = lambda x: np.tile([0.0, 9.0, 8.0, 1.0, 1.0], (len(x["user"]), 1))  # noqa: E731
    assert evaluate(scorer, given(*parts), "test", ks=(1,)).metrics["recall@1"] == 0.0
    masked = given(*parts, valid_masked=True)
    assert evaluate(scorer, masked, "test", ks=(1,)).metrics["recall@1"] == 1.0
    assert evaluate(scorer, masked, "valid", ks=(1,)).metrics["recall@1"] == 1.0
    assert inputs(masked, "test", [0])["history"].tolist() == [[1]]  # still train alone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdrec.data.features import Categorical
from kdrec.data.histories import history_length, inputs, pad_histories
from kdrec.data.interactions import Interactions
from kdrec.data.splits import leave_last_out, random_per_user
from kdrec.errors import DataError

COUNTS = [4, 0, 3, 7]


def log() -> Interactions:
    """4 users with 4, 0, 3 and 7 pairs over 9 items."""
    rng = np.random.default_rng(0)
    items = np.concatenate([rng.permutation(9)[:count] for count in COUNTS])
    return Interactions(np.repeat(np.arange(4), COUNTS), items, np.arange(4), np.arange(9))


def slow(log, users, cuts, length):
    """A history at a time."""
    rows = []
    for user, cut in zip(users, cuts, strict=True):
        tokens = [item + 1 for item in log.items[log.users == user].tolist()][:cut][-length:]
        rows.append([0] * (length - len(tokens)) + tokens)
    return rows


@given(
    st.lists(st.tuples(st.integers(0, 3), st.floats(0, 1)), min_size=1, max_size=3),
    st.integers(1, 9),
)
def test_padding_is_that_of_a_loop(rows, length):
    users = [user for user, _ in rows]
    cuts = [round(share * COUNTS[user]) for user, share in rows]
    found = pad_histories(log(), users, cuts, length)
    assert (found.dtype, found.shape) == (np.int32, (len(rows), length))
    assert found.tolist() == slow(log(), users, cuts, length)


def test_defaults_are_whole_histories_of_the_longest_row():
    users = [2, 1, 0]
    assert pad_histories(log(), users).tolist() == slow(log(), users, [3, 0, 4], 4)
    assert pad_histories(log(), [1]).tolist() == [[0]]
    assert pad_histories(log(), np.array([], dtype=int), length=3).shape == (0, 3)


def test_an_empty_log_gives_padding():
    empty = log().select(np.zeros(14, dtype=bool))
    assert pad_histories(empty, [0, 3, 1], length=4).tolist() == [[0] * 4] * 3


@pytest.mark.parametrize("draw", [{"rng": np.random.default_rng(1)}, {"seed": 1}])
def test_a_sample_is_a_subset_right_aligned_in_order(draw):
    users, cuts, length = [3, 0, 2, 3], [7, 4, 3, 5], 4
    found = pad_histories(log(), users, cuts, length, **draw)
    whole = slow(log(), users, cuts, 7)
    assert found[1].tolist() == whole[1][-4:] and found[2].tolist() == [0, *whole[2][-3:]]  # short ones are not sampled
    for row in (0, 3):
        tokens = [token for token in whole[row] if token]
        places = [tokens.index(token) for token in found[row].tolist()]
        assert places == sorted(set(places)) and len(places) == 4


def test_every_item_is_sampled_equally_often():
    rows = 7000
    found = pad_histories(log(), np.full(rows, 3), None, 3, rng=np.random.default_rng(0))
    counts = np.bincount(found.ravel(), minlength=10)
    counts = counts[counts > 0]
    assert len(counts) == 7
    assert (np.abs(counts - rows * 3 / 7) < 5 * np.sqrt(rows * 3 / 7 * 4 / 7)).all()


def test_a_seeded_sample_does_not_depend_on_the_other_rows():
    together = pad_histories(log(), [3, 0], None, 3, seed=5)
    assert together[0].tolist() == pad_histories(log(), [3], None, 3, seed=5)[0].tolist()
    samples = {tuple(pad_histories(log(), [3], None, 3, seed=seed)[0].tolist()) for seed in range(30)}
    assert len(samples) > 10


def test_a_generator_samples_anew():
    rng = np.random.default_rng(0)
    samples = {tuple(pad_histories(log(), [3], None, 3, rng=rng)[0].tolist()) for _ in range(30)}
    assert len(samples) > 10


@pytest.mark.parametrize("wrong", [4, -1])
def test_unknown_user_is_refused(wrong):
    with pytest.raises(DataError, match=f"users must be positions 0 to 3, not {wrong}; they are not ids"):
        pad_histories(log(), [0, wrong, 2])


@pytest.mark.parametrize("wrong", [5, -1])
def test_impossible_cut_is_refused(wrong):
    with pytest.raises(DataError, match=f"cuts must lie between 0 .*; row 1 has cut {wrong} of 4"):
        pad_histories(log(), [3, 0, 2], [0, wrong, 0])


def test_history_length_covers_the_percentile():
    # users with pairs have 3, 4 and 7: a third, two thirds and all of them are covered
    assert [history_length(log(), percentile) for percentile in (33, 34, 66, 67, 100)] == [3, 4, 4, 7, 7]
    with pytest.raises(DataError, match="interactions must hold pairs to have a history length"):
        history_length(log().select(np.zeros(14, dtype=bool)))


def timed() -> Interactions:
    source = log()
    daypart = Categorical(np.arange(14) % 4 - 1, ["a", "b", "c"])
    return Interactions(
        source.users, source.items, source.user_ids, source.item_ids, np.arange(14), context={"daypart": daypart}
    )


def test_inputs_hold_what_came_before_and_the_context_of_the_held_out_event():
    split = leave_last_out(timed())
    users = np.array([3, 1, 0])
    x = inputs(split, "test", users, length=4)
    assert x["user"].tolist() == [3, 1, 0] and x["user"].dtype == np.int32
    assert x["history"].tolist() == slow(log(), users, [6, 0, 3], 4)
    # the last pairs of users 3 and 0 are pairs 13 and 3 of the log; user 1 has none
    assert x["daypart"].tolist() == [13 % 4, 0, 3 % 4] and x["daypart"].dtype == np.int32
    assert inputs(split, "valid", users, length=4)["history"].tolist() == slow(log(), users, [5, 0, 2], 4)


def test_inputs_of_a_set_are_equal_however_they_are_batched():
    split = random_per_user(timed())
    whole = inputs(split, "test", np.arange(4), length=3)["history"]
    assert [inputs(split, "test", np.array([user]), length=3)["history"][0].tolist() for user in range(4)] == (
        whole.tolist()
    )

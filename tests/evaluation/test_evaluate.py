import numpy as np
import pytest

from kdrec.data.interactions import Interactions
from kdrec.data.splits import Split
from kdrec.errors import DataError, UnknownNameError
from kdrec.evaluation import evaluate
from kdrec.evaluation.baselines import popularity, random

N_ITEMS = 6
TRAIN = [[0, 1, 2], [3], [0, 4], [5, 0]]
VALID = [[3], [2], [], [1]]
TEST = [[4], [], [3], [2]]


def log(lists):
    users = np.repeat(np.arange(len(lists)), [len(row) for row in lists])
    items = np.array([item for row in lists for item in row])
    return Interactions(users, items, np.arange(len(lists)), np.arange(N_ITEMS))


@pytest.fixture
def split():
    return Split(log(TRAIN), log(VALID), log(TEST), ordered=True, method="leave_last_out", options={})


class Recorder:
    """A scorer that prefers later positions and remembers what it was shown."""

    def __init__(self):
        self.seen = []

    def __call__(self, x):
        self.seen.append(x)
        return np.tile(np.arange(N_ITEMS), (len(x["user"]), 1))


def test_ranks_the_items_outside_the_history_for_users_with_a_held_out_item(split):
    result = evaluate(Recorder(), split, ks=(1, 2))
    # Unseen at test, best first: user 0 has 5 4, user 2 has 5 3 2 1, user 3 has 4 3 2.
    assert result.users.tolist() == [0, 2, 3]
    assert result.left_out == 1
    assert result.per_user["recall@2"].tolist() == [1.0, 1.0, 0.0]
    assert result.per_user["auc"].tolist() == [0 / 1, 2 / 3, 0 / 2]
    assert result.metrics["coverage@1"] == 2 / N_ITEMS


def test_validation_judges_against_the_training_history_only(split):
    result = evaluate(Recorder(), split, part="valid", ks=(2,))
    # Unseen at validation, best first: user 0 has 5 4 3, user 1 has 5 4 2 1 0, user 3 has 4 3 2 1.
    assert result.users.tolist() == [0, 1, 3]
    assert result.per_user["auc"].tolist() == [0 / 2, 2 / 4, 0 / 3]


def test_the_scorer_is_shown_the_longest_history_whole_in_every_batch(split):
    scorer = Recorder()
    evaluate(scorer, split, ks=(1,), batch_size=2)
    assert [x["user"].tolist() for x in scorer.seen] == [[0, 2], [3]]
    assert [x["history"].tolist() for x in scorer.seen] == [[[1, 2, 3, 4], [0, 0, 1, 5]], [[0, 6, 1, 2]]]


def test_history_length_is_passed_on(split):
    scorer = Recorder()
    evaluate(scorer, split, ks=(1,), history_length=2)
    assert scorer.seen[0]["history"].tolist() == [[3, 4], [1, 5], [1, 2]]


def test_some_users_only(split):
    result = evaluate(Recorder(), split, ks=(1,), users=np.array([3, 1]))
    assert (result.users.tolist(), result.left_out) == ([3], 1)


def test_popularity_counts_training_pairs_a_user(split):
    result = evaluate(popularity(split.train), split, ks=(1,))
    # Only item 0 has more than one pair, and everyone judged has seen it.
    assert result.metrics["popularity@1"] == pytest.approx(1 / 4)
    assert result.tied_share["tied@1"] == 1.0


def test_progress_counts_judged_users(split):
    calls = []
    evaluate(random(N_ITEMS), split, ks=(1,), batch_size=2, progress=lambda done, total: calls.append((done, total)))
    assert calls == [(2, 3), (3, 3)]


def test_unknown_part_says_which_exist(split):
    with pytest.raises(UnknownNameError, match="part to be judged has no 'train'; it has valid, test"):
        evaluate(Recorder(), split, part="train")


def test_a_k_above_the_catalogue_is_refused(split):
    with pytest.raises(DataError, match="k must be from 1 to the catalogue's 6 items, received 10"):
        evaluate(Recorder(), split)


@pytest.mark.parametrize("shape", [(3, N_ITEMS + 1), (3, N_ITEMS - 1), (2, N_ITEMS)])
def test_a_model_whose_scores_do_not_match_the_catalogue_is_refused(split, shape):
    with pytest.raises(DataError, match=rf"catalogue: expected shape \(3, 6\), received \({shape[0]}, {shape[1]}\)"):
        evaluate(lambda x: np.zeros(shape), split, ks=(1,))


def test_nan_names_the_user(split):
    with pytest.raises(DataError, match="the row of user 2 holds NaN at item 0"):
        evaluate(lambda x: np.where(x["user"][:, None] == 2, np.nan, np.zeros((3, N_ITEMS))), split, ks=(1,))


@pytest.mark.parametrize(("users", "said"), [([0, 4], "0 to 3, received 4"), ([-1], "0 to 3, received -1")])
def test_users_outside_the_data_are_refused(split, users, said):
    with pytest.raises(DataError, match=f"users must be positions from {said}"):
        evaluate(Recorder(), split, ks=(1,), users=np.array(users))


def test_repeated_users_are_refused(split):
    with pytest.raises(DataError, match="users must not repeat, received 3 of which 2 differ"):
        evaluate(Recorder(), split, ks=(1,), users=np.array([0, 3, 0]))


def test_users_with_nothing_held_out_are_refused(split):
    with pytest.raises(DataError, match="users must include one with a held-out item: none of 1 has any in 'test'"):
        evaluate(Recorder(), split, ks=(1,), users=np.array([1]))

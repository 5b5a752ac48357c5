"""Teacher and student together: the mixture by hand, and the share that is best on validation."""

import numpy as np
import pytest

from kdrec.data.interactions import Interactions
from kdrec.data.splits import Split, leave_last_out
from kdrec.errors import DataError
from kdrec.evaluation.fusion import choose_alpha, fuse, standardised
from kdrec.evaluation.ranking import evaluate

USERS, ITEMS = 12, 9


@pytest.fixture(scope="module")
def split() -> Split:
    """User u takes items u, u + 1, … 5 of them, around the circle of items."""
    users, place = np.divmod(np.arange(USERS * 5), 5)
    return leave_last_out(Interactions(users, (users + place) % ITEMS, range(USERS), range(ITEMS), times=place))


def knows(split: Split, part: str, users: np.ndarray):
    """A scorer that ranks the held-out item of some users first, and all items alike for the others."""
    scores = np.zeros((USERS, ITEMS))
    held_out = split.part(part)
    for user in users:
        scores[user, held_out.items[held_out.indptr[user]]] = 1.0
    return lambda x: scores[x["user"]]


def test_rows_are_standardised_each_for_itself():
    scores = np.random.default_rng(0).normal(3.0, 5.0, (4, 3))
    expected = [[(score - np.mean(row)) / np.std(row) for score in row] for row in scores]
    np.testing.assert_allclose(standardised(scores), expected)


def test_integers_and_equal_scores_are_standardised():
    assert standardised(np.array([[2, 2, 2], [0, 0, 3]])).round(6).tolist() == [
        [0.0, 0.0, 0.0],
        [-0.707107, -0.707107, 1.414214],
    ]


def test_ends_are_teacher_and_student_alone(split):
    tables = np.random.default_rng(1).normal(size=(2, USERS, ITEMS))
    student, teacher = (lambda x: tables[0][x["user"]]), (lambda x: tables[1][x["user"]])
    for alpha, alone in ((0.0, student), (1.0, teacher)):
        assert (
            evaluate(fuse(teacher, student, alpha), split, ks=(3,)).metrics == evaluate(alone, split, ks=(3,)).metrics
        )


def test_scales_of_the_two_do_not_matter():
    one, other = np.array([[1.0, 0.0, 4.0]]), np.array([[5.0, 9.0, 1.0]])
    mixed = fuse(lambda x: one, lambda x: other, 0.3)({})
    np.testing.assert_allclose(fuse(lambda x: 1000 * one + 7, lambda x: 0.01 * other, 0.3)({}), mixed)


def test_what_the_teacher_knows_is_chosen(split):
    everybody, nobody = knows(split, "valid", np.arange(USERS)), knows(split, "valid", np.zeros(0, int))
    assert choose_alpha(nobody, everybody, split, k=1)[0] == 0.0
    alpha, reached = choose_alpha(everybody, nobody, split, k=1)
    assert alpha == 0.1 and reached[0.1] == 1.0  # the least that is enough
    assert reached[0.0] == pytest.approx(1 / 6)  # chance: 3 of 9 items are seen


def test_each_knows_what_the_other_does_not(split):
    first, second = (knows(split, "valid", users) for users in (np.arange(6), np.arange(6, USERS)))
    alpha, reached = choose_alpha(first, second, split, k=1, grid=(1.0, 0.5, 0.0))
    assert alpha == 0.5 and reached[0.5] == 1.0
    assert [reached[0.0], reached[1.0]] == pytest.approx([(1 + 1 / 6) / 2] * 2)


def test_users_of_a_large_log_are_drawn(split, monkeypatch):
    from kdrec.evaluation import fusion

    monkeypatch.setattr(fusion, "USERS", 4)
    asked = []
    teacher = knows(split, "valid", np.arange(USERS))
    choose_alpha(lambda x: asked.append(x["user"]) or teacher(x), teacher, split, k=1, grid=(0.5,), seed=3)
    assert [len(users) for users in asked] == [4]


@pytest.mark.parametrize("alpha", [-0.1, 1.5])
def test_a_share_lies_between_0_and_1(alpha):
    with pytest.raises(DataError, match=rf"alpha must lie in \[0, 1\], not {alpha}"):
        fuse(lambda x: x, lambda x: x, alpha)


def test_validation_users_and_a_grid_are_needed(split):
    without = leave_last_out(split.train, n_valid=0)
    same = knows(split, "valid", np.arange(USERS))
    with pytest.raises(DataError, match="alpha is chosen among 11 values by 0 users with a validation item"):
        choose_alpha(same, same, without)
    with pytest.raises(DataError, match="among 0 values by 12 users"):
        choose_alpha(same, same, split, grid=())

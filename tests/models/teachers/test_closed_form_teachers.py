import numpy as np
import pytest
import threadpoolctl

from kdrec.data.interactions import Interactions
from kdrec.errors import DataError
from kdrec.models.teachers import ease as ease_module
from kdrec.models.teachers.als import als
from kdrec.models.teachers.base import history_matrix
from kdrec.models.teachers.ease import ease


def random_log(users=30, items=9, seed=0):
    taken = np.random.default_rng(seed).random((users, items)) < 0.4
    who, what = np.nonzero(taken)
    return Interactions(who, what, np.arange(users), np.arange(items)), taken.astype(np.float64)


def slow_history_matrix(history, n_items, recency):
    table = np.zeros((len(history), n_items))
    for row, tokens in enumerate(history):
        for age, token in enumerate(reversed(tokens)):
            if token:
                table[row, token - 1] = max(table[row, token - 1], 1.0 if recency is None else 2.0 ** (-age / recency))
    return table


@pytest.mark.parametrize("recency", [None, 2.0])
def test_history_matrix_against_a_slow_oracle(recency):
    history = np.random.default_rng(0).integers(0, 6, (20, 7))  # items occur twice, and some rows have padding between
    got = history_matrix(history, 5, recency)
    np.testing.assert_allclose(got.toarray(), slow_history_matrix(history, 5, recency), rtol=1e-6)


def test_ease_is_the_minimum_of_its_loss():
    """Each column of B solves the ridge regression of an item on all other ones."""
    log, taken = random_log()
    got = ease(log, l2=3.0).weights
    expected = np.zeros((9, 9))
    for item in range(9):
        others = [other for other in range(9) if other != item]
        x = taken[:, others]
        expected[others, item] = np.linalg.solve(x.T @ x + 3.0 * np.eye(8), x.T @ taken[:, item])
    np.testing.assert_allclose(got, expected, atol=1e-6)


def test_ease_scores_a_history_by_the_sum_of_its_rows_weighed_by_recency():
    log, _ = random_log()
    weights = ease(log).weights
    history = {"history": np.array([[0, 3, 7, 1]])}
    np.testing.assert_allclose(ease(log)(history)[0], weights[2] + weights[6] + weights[0], rtol=1e-5)
    recent = ease(log, ordered=True, recency=1.0)(history)[0]
    np.testing.assert_allclose(recent, weights[2] / 4 + weights[6] / 2 + weights[0], rtol=1e-5)
    assert ease(log, ordered=False, recency=1.0).recency is None


def test_ease_gives_items_that_nobody_took_no_score():
    log = Interactions([0, 0, 1], [0, 1, 0], [1, 2], [10, 11, 12])
    assert ease(log)({"history": np.array([[1, 3]])})[0, 2] == 0


def test_ease_refuses_what_does_not_fit_in_memory(monkeypatch):
    monkeypatch.setattr(ease_module, "MAX_ITEMS", 8)
    with pytest.raises(DataError, match=r"at most 8 items, not 9; filter rare items, or use als or two_tower"):
        ease(random_log()[0])


def test_als_folds_in_as_implicit_does():
    from implicit.cpu.als import AlternatingLeastSquares
    from scipy import sparse

    log, taken = random_log()
    teacher = als(log, factors=4, regularization=2.0, alpha=3.0)
    histories = np.array([[0, 0, 3, 7, 1], [1, 2, 3, 4, 5]])
    with threadpoolctl.threadpool_limits(1, "blas"):
        model = AlternatingLeastSquares(factors=4, regularization=2.0)
        model.item_factors = teacher.item_embedding
        confidence = sparse.csr_matrix(history_matrix(histories, 9) * np.float32(4.0))
        expected = model.recalculate_user(np.arange(2), confidence)
    np.testing.assert_allclose(teacher.user_embedding({"history": histories}), expected, rtol=1e-3, atol=1e-5)


def test_als_recency_lets_the_last_item_speak_loudest():
    users = np.repeat(np.arange(20), 3)
    items = np.concatenate([[0, 1, 2], [3, 4, 5]] * 10)
    log = Interactions(users, items, np.arange(20), np.arange(6), times=np.tile([1, 2, 3], 20))
    x = {"history": np.array([[1, 2, 4]])}  # two items of one group, then one of the other
    options = {"factors": 4, "regularization": 0.1}
    early, late = (als(log, recency=recency, **options)(x)[0] for recency in (None, 0.25))
    assert early[2] > early[4] and late[2] < late[4]


def test_als_seed_changes_the_factors():
    log, _ = random_log()
    assert not np.array_equal(als(log, factors=4).item_embedding, als(log, factors=4, seed=1).item_embedding)


def test_als_scores_many_rows_in_blocks_as_one_by_one():
    log, _ = random_log()
    teacher = als(log, factors=4)
    history = np.random.default_rng(1).integers(0, 10, (300, 5))
    one_by_one = np.concatenate([teacher({"history": row[None]}) for row in history])
    np.testing.assert_allclose(teacher({"history": history}), one_by_one, atol=1e-5)

import numpy as np
import pytest

from kdrec.data.interactions import Interactions
from kdrec.errors import DataError
from kdrec.models.teachers.graph_filter import graph_filter

USERS, ITEMS = 30, 9


def random_log(seed=0):
    taken = np.random.default_rng(seed).random((USERS, ITEMS)) < 0.4
    who, what = np.nonzero(taken)
    return Interactions(who, what, np.arange(USERS), np.arange(ITEMS)), taken.astype(np.float64)


def blurred(taken):
    """P = R̃ᵀR̃, entry by entry: Σ over users of 1 / (items of the user · √(users of i · users of j))."""
    p = np.zeros((ITEMS, ITEMS))
    for i in range(ITEMS):
        for j in range(ITEMS):
            for row in taken[taken.any(axis=1)]:
                p[i, j] += row[i] * row[j] / (row.sum() * np.sqrt(taken[:, i].sum() * taken[:, j].sum()))
    return p


def filtered(p, components, beta, sharpening):
    """f(P) from all its eigenvectors, (λ + β) e^(−tλ) for the largest; for the rest λ e^(−t · smallest of these)."""
    values, vectors = np.linalg.eigh(p)
    values, vectors = values[::-1], vectors[:, ::-1]
    answers = values * np.exp(-sharpening * values[components - 1])
    answers[:components] = (values[:components] + beta) * np.exp(-sharpening * values[:components])
    return vectors @ np.diag(answers) @ vectors.T


HISTORY = np.array([[0, 3, 7, 1], [0, 0, 0, 9]])
SEEN = np.zeros((2, ITEMS))
SEEN[0, [2, 6, 0]] = SEEN[1, 8] = 1.0


@pytest.mark.parametrize("components", [3, 8])
@pytest.mark.parametrize(("beta", "sharpening", "popularity"), [(0.3, 0.0, 0.0), (0.0, 2.0, 0.0), (0.1, 1.5, 0.4)])
def test_scores_are_the_filter_of_the_history(components, beta, sharpening, popularity):
    log, taken = random_log()
    teacher = graph_filter(log, components=components, beta=beta, sharpening=sharpening, popularity=popularity)
    expected = SEEN @ filtered(blurred(taken), components, beta, sharpening) * taken.sum(axis=0) ** popularity
    np.testing.assert_allclose(teacher({"history": HISTORY}), expected, rtol=1e-4, atol=1e-6)


def test_without_components_a_history_is_blurred_alone():
    log, taken = random_log()
    got = graph_filter(log, components=0, popularity=0.5)({"history": HISTORY})
    np.testing.assert_allclose(got, SEEN @ blurred(taken) * np.sqrt(taken.sum(axis=0)), rtol=1e-5)


def test_so_many_components_as_the_data_have_are_enough():
    log, _ = random_log()
    many, all_but_one = (graph_filter(log, components=components) for components in (500, ITEMS - 1))
    assert np.array_equal(many.vectors, all_but_one.vectors) and many.vectors.shape == (ITEMS, ITEMS - 1)


def test_recency_lets_the_last_item_speak_loudest():
    log, taken = random_log()
    got = graph_filter(log, ordered=True, recency=1.0, components=0, popularity=0.0)({"history": HISTORY[:1]})[0]
    p = blurred(taken)
    np.testing.assert_allclose(got, p[2] / 4 + p[6] / 2 + p[0], rtol=1e-5)
    assert graph_filter(log, ordered=False, recency=1.0).recency is None


def test_item_embedding_is_the_root_of_the_filter():
    log, taken = random_log()
    rows = graph_filter(log, components=3, beta=0.2, sharpening=1.0, popularity=0.3).item_embedding
    values, vectors = np.linalg.eigh(blurred(taken))
    top, answers = vectors[:, -3:], (values[-3:] + 0.2) * np.exp(-values[-3:])
    scale = np.diag(taken.sum(axis=0) ** 0.3)
    assert rows.shape == (ITEMS, 3)
    np.testing.assert_allclose(rows @ rows.T, scale @ top @ np.diag(answers) @ top.T @ scale, rtol=1e-4, atol=1e-6)


def test_items_that_nobody_took_have_no_score():
    log = Interactions([0, 0, 1], [0, 1, 0], [1, 2], [10, 11, 12])
    assert graph_filter(log)({"history": np.array([[1, 3]])})[0, 2] == 0


def test_one_item_alone_is_answered():
    log = Interactions([0, 1], [0, 0], [1, 2], [10])
    np.testing.assert_allclose(graph_filter(log, popularity=0.0)({"history": np.array([[1]])}), [[1.0]])


@pytest.mark.parametrize("option", ["components", "beta", "sharpening"])
def test_options_must_not_be_negative(option):
    with pytest.raises(DataError, match=f"{option} must be at least 0, not -1; leave it out for the default"):
        graph_filter(random_log()[0], **{option: -1})


def test_recency_must_be_positive():
    with pytest.raises(DataError, match="recency must be above 0, not -1; leave it out for the default"):
        graph_filter(random_log()[0], recency=-1)

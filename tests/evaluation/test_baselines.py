from types import SimpleNamespace

import numpy as np

from kdrec.evaluation.baselines import popularity, random


def log_with_counts(counts):
    return SimpleNamespace(item_counts=lambda: np.array(counts))


def test_popularity_scores_an_item_by_its_pairs_for_every_user():
    scores = popularity(log_with_counts([3, 0, 5]))({"user": np.array([4, 8]), "history": np.zeros((2, 6))})
    assert scores.tolist() == [[3.0, 0.0, 5.0]] * 2


def test_random_gives_a_user_the_same_scores_in_any_batch():
    scorer = random(50, seed=3)
    together = scorer({"user": np.array([7, 2, 9])})
    assert (scorer({"user": np.array([9, 7])}) == together[[2, 0]]).all()
    assert (random(50, seed=3)({"user": np.array([2])}) == together[1]).all()


def test_random_differs_between_users_and_seeds():
    scores = random(50, seed=3)({"user": np.array([7, 2])})
    assert (scores[0] != scores[1]).any()
    assert (random(50, seed=4)({"user": np.array([7])}) != scores[0]).any()


def test_random_is_uniform():
    users, items = 400, 25
    scores = random(items, seed=0)({"user": np.arange(users)})
    # Four standard errors of the mean of users × items draws with variance 1 / 12.
    assert abs(scores.mean() - 0.5) < 4 * np.sqrt(1 / 12 / (users * items))

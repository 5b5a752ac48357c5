"""The scale of a teacher's scores, and top lists read as scores."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import logsumexp

from kdrec.data.interactions import Interactions
from kdrec.data.splits import leave_last_out
from kdrec.distill.calibrate import SCALES, calibrated_scale
from kdrec.distill.top_list import dense_scores
from kdrec.errors import DataError

ITEMS, USERS = 7, 4_00


@pytest.fixture(scope="module")
def split():
    """Each user takes three items; the validation item is 0 for three users of four, else 1, and neither is seen."""
    last = np.arange(USERS) % 4 == 0
    items = np.stack([np.full(USERS, 2), last, np.full(USERS, 3)], axis=1).ravel()
    users = np.repeat(np.arange(USERS), 3)
    log = Interactions(users, items, np.arange(USERS), np.arange(ITEMS), times=np.tile([1, 2, 3], USERS))
    return leave_last_out(log)


@pytest.mark.parametrize("size", [0.01, 1.0, 100.0])
def test_scale_makes_scores_log_odds(split, size):
    # Of six unseen items, two are likely, 3 : 1; the teacher says so in scores of any size.
    scores = np.array([np.log(3.0), 0, -50, -50, -50, -50, -50]) * size
    scale = calibrated_scale(lambda x: np.tile(scores, (len(x["user"]), 1)), split)
    assert scale * size == pytest.approx(1.0, rel=0.08)  # scales are tried in steps of a twentieth of a decade, 12 %


@pytest.mark.parametrize("size", [1e-6, 0.003, 1.3, 70.0, 1e6])
def test_scale_is_the_best_of_all_that_could_be_tried(split, size):
    """Beside the slow way: every scale is tried."""
    rng = np.random.default_rng(0)
    scores = size * (rng.normal(size=(USERS, ITEMS)) + np.eye(ITEMS)[split.valid.items])  # it knows something
    losses = []
    for scale in SCALES:
        unseen = scale * np.delete(scores, 2, axis=1)  # item 2 is each user's history, and 0 or 1 is wanted
        wanted = scale * np.take_along_axis(scores, split.valid.items[:, None], axis=1)[:, 0]
        losses.append(logsumexp(unseen, axis=1).sum() - wanted.sum())
    assert calibrated_scale(lambda x: scores[x["user"]], split) == SCALES[np.argmin(losses)]


def test_teacher_that_says_nothing_is_refused(split):
    with pytest.raises(DataError, match="teacher must tell items apart, but scores all items alike"):
        calibrated_scale(lambda x: np.ones((len(x["user"]), ITEMS)), split)


def test_top_list_keeps_order_and_gives_others_the_last_score():
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(3, ITEMS)).astype(np.float32)
    top = np.argsort(-scores, axis=1)[:, :4]
    dense = dense_scores(tf.constant(top), tf.constant(np.take_along_axis(scores, top, 1)), ITEMS).numpy()
    fourth = np.take_along_axis(scores, top[:, 3:], 1)
    assert np.allclose(dense, np.maximum(scores, fourth), atol=1e-6)

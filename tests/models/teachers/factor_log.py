"""A small log, and what the tests of the factor models share."""

import numpy as np
import pytest

from kdrec.data.interactions import Interactions
from kdrec.models.teachers.lightgcn import lightgcn
from kdrec.models.teachers.mf_bpr import mf_bpr

N_USERS, N_ITEMS, WIDTH = 12, 9, 4
SMALL = {"embedding_dim": WIDTH, "batch_size": 16, "learning_rate": 0.05}
BOTH = pytest.mark.parametrize("build", [mf_bpr, lightgcn])


def log(times=True, weights=False, seed=0):
    """The last user and the last item have no pair; one pair of the others occurs twice."""
    rng = np.random.default_rng(seed)
    users, items = np.nonzero(rng.random((N_USERS - 1, N_ITEMS - 1)) < 0.6)
    users, items = np.append(users, users[3]), np.append(items, items[3])
    return Interactions(
        users, items, np.arange(N_USERS), np.arange(N_ITEMS),
        times=rng.permutation(len(users)) if times else None,
        weights=rng.uniform(0.5, 2.0, len(users)) if weights else None,
    )  # fmt: skip


def taken_by(train):
    return [set(train.items[train.users == user].tolist()) for user in range(train.n_users)]


def random_tables(seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(rows, WIDTH)).astype(np.float32) for rows in (N_USERS, N_ITEMS)]

"""A teacher that runs while the student trains and its stored answers lead to equal losses and equal students."""

import numpy as np
import pytest
import tf_keras as keras

from kdrec.distill.distiller import Distiller
from kdrec.losses.de import De
from kdrec.losses.feature_matching import FeatureMatching
from kdrec.losses.rank_softmax import RankSoftmax
from kdrec.losses.rce_kd import RceKd
from kdrec.losses.softened_kl import SoftenedKl
from kdrec.losses.softmax import Softmax
from kdrec.losses.top_kl import TopKl
from kdrec.models.students.history import history

ROWS, ITEMS, LENGTH, WIDTH = 12, 17, 5, 3
RNG = np.random.default_rng(0)
TOKENS = np.stack([RNG.permutation(ITEMS)[: LENGTH + 1] + 1 for _ in range(ROWS)]).astype(np.int32)
X = {"history": TOKENS[:, :LENGTH]}
LABELS = np.concatenate([TOKENS[:, LENGTH:], -TOKENS[:, :LENGTH]], axis=1)
SEEN = np.zeros((ROWS, ITEMS), bool)
np.put_along_axis(SEEN, X["history"] - 1, True, axis=1)


class Teacher:
    """A row's embedding is the mean of its items' ones; its scores are their products with all items'."""

    provides = frozenset({"user_embedding", "item_embedding"})
    item_embedding = RNG.normal(size=(ITEMS, WIDTH)).astype(np.float32)

    def user_embedding(self, x):
        return self.item_embedding[x["history"] - 1].mean(axis=1)

    def __call__(self, x):
        return self.user_embedding(x) @ self.item_embedding.T


TEACHER = Teacher()
SCORES = TEACHER(X)
TOP_ITEMS = np.argsort(np.where(SEEN, np.inf, -SCORES), axis=1)[:, :6].astype(np.int32)
EMBEDDING = {"teacher_user_embedding": TEACHER.user_embedding(X)}
LISTS = {"teacher_top_items": TOP_ITEMS, "teacher_top_scores": np.take_along_axis(SCORES, TOP_ITEMS, axis=1)}
TABLE = {"item_embedding": TEACHER.item_embedding}

CASES = {
    "scores": ([SoftenedKl(temperature="linear:4:1")], {"teacher_scores": SCORES}, {}),
    "a list of the scores": ([RankSoftmax(top=6), TopKl(top=4, negatives=5)], {"teacher_scores": SCORES}, {}),
    "a stored list": ([RankSoftmax(top=6), TopKl(top=4, negatives=5)], LISTS, {}),
    "the product of the embeddings": ([RceKd(top=5)], EMBEDDING, TABLE),
    "embeddings": ([FeatureMatching(), De(experts=2, items=4)], EMBEDDING, TABLE),
}


def trained(teacher, x, tables, losses, weighting):
    """Logs of each epoch and the student's weights in the end."""
    keras.utils.set_random_seed(0)  # projections and experts begin alike
    student = history(ITEMS, embedding_dim=4, history_length=LENGTH, hidden=5, seed=1)
    losses = [type(loss).from_config(loss.get_config()) for loss in losses]
    distiller = Distiller(
        teacher, student, losses, student_loss_weight="linear:0.6:0.2", tables=tables, total_steps=4,
        weighting=weighting,
    )  # fmt: skip
    distiller.compile(keras.optimizers.SGD(0.1), loss=Softmax())
    logs = distiller.fit(x, LABELS, epochs=2, batch_size=6, shuffle=False, verbose=0).history
    return logs, np.concatenate([weight.ravel() for weight in student.get_weights()])


@pytest.mark.slow
@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("case", CASES)
def test_live_and_stored_answers_train_alike(case):
    losses, stored, tables = CASES[case]
    weighting = "teacher_confidence" if case == "scores" else "uncertainty"
    live, moved = trained(TEACHER, X, {}, losses, weighting)
    cached, also_moved = trained(None, {**X, **stored}, tables, losses, weighting)
    for name in ("total_loss", "student_loss", "distillation_loss"):
        assert cached[name] == pytest.approx(live[name], rel=1e-5)
    assert live["distillation_loss"][0] > 0 and live["total_loss"][-1] != live["total_loss"][0]
    assert np.allclose(moved, also_moved, rtol=0, atol=1e-6)
    start = history(ITEMS, embedding_dim=4, history_length=LENGTH, hidden=5, seed=1).get_weights()
    assert np.abs(moved - np.concatenate([weight.ravel() for weight in start])).max() > 1e-3

"""A step that XLA compiles learns what the plain one does."""

import numpy as np
import pytest

from kdrec.data.sets.demo import demo
from kdrec.data.splits import leave_last_out
from kdrec.distill.asking import ask_teacher
from kdrec.distill.train import train
from kdrec.losses.hetcomp import Hetcomp
from kdrec.losses.rank_softmax import RankSoftmax
from kdrec.losses.softened_kl import SoftenedKl
from kdrec.models.students.history import history
from kdrec.models.teachers.als import als


@pytest.mark.slow
def test_a_compiled_step_learns_what_the_plain_one_does(tmp_path):
    split = leave_last_out(demo(users=60, items=50, seed=1))
    losses = [SoftenedKl(), RankSoftmax(top=10), Hetcomp(top=5)]  # none that draws: XLA draws otherwise
    teacher = als(split.train, factors=4, snapshots=2)
    cache = ask_teacher(tmp_path / "answers", teacher, split, losses, cuts_per_user=3)

    assert len(cache) % 3 == 0  # XLA compiles once a shape

    def logs(jit_compile):
        student = history(split.train.n_items, embedding_dim=8, history_length=6)
        return train(
            student, split, cache=cache, losses=losses, cuts_per_user=3, batch_size=len(cache) // 3, epochs=2,
            learning_rate=0.1, student_loss_weight=0.3, jit_compile=jit_compile, validate=False,
        )  # fmt: skip

    for plain, compiled in zip(logs(False), logs(True), strict=True):
        assert set(plain) == {"total_loss", "student_loss", "distillation_loss"}  # nothing was validated
        assert np.allclose([*plain.values()], [*compiled.values()], rtol=1e-3)

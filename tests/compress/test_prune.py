"""Pruning keeps what it promises: zeros, the student it came from, the padding row, the teacher's voice."""

import numpy as np
import pytest
import tf_keras as keras

from kdrec.compress.prune import prunable, pruning_step, strip, zero_share
from kdrec.distill.distiller import Distiller
from kdrec.errors import TrainingError
from kdrec.losses.softened_kl import SoftenedKl
from kdrec.losses.softmax import Softmax
from kdrec.models.students.history import history

ITEMS, LENGTH = 40, 6


@pytest.mark.slow
@pytest.mark.parametrize("encoder", ["mean", "conv"])
@pytest.mark.parametrize("tied", [True, False])
def test_pruned_under_distillation(encoder, tied):
    rng = np.random.default_rng(0)
    x = {"history": rng.integers(1, ITEMS + 1, (64, LENGTH)).astype(np.int32)}
    next_item = 5 * np.eye(ITEMS, dtype=np.float16)[x["history"][:, -1] % ITEMS]  # the teacher's one idea
    x |= {"teacher_scores": next_item, "place": np.zeros(64, np.int32)}
    student = history(
        ITEMS, embedding_dim=8, history_length=LENGTH, hidden=16, encoder=encoder, tied=tied, context={"place": 3}
    )
    before = [weight.copy() for weight in student.get_weights()]
    pruned = prunable(student, 0.5, begin_step=0, end_step=16, frequency=1)
    inputs = {name: x[name] for name in ("history", "place")}
    assert np.allclose(pruned.predict(inputs, verbose=0), student.predict(inputs, verbose=0), atol=1e-6)
    distiller = Distiller(None, pruned, SoftenedKl(), student_loss_weight=0)
    distiller.compile(keras.optimizers.Adam(0.03), loss=Softmax())
    logs = distiller.fit(
        x, rng.integers(1, ITEMS + 1, (64, 1)), batch_size=16, epochs=12, callbacks=[pruning_step()], verbose=0
    ).history
    assert logs["distillation_loss"][-1] < logs["distillation_loss"][0]
    stripped = strip(pruned)
    assert 0.49 <= zero_share(stripped) <= 0.55
    assert zero_share(student) < 0.1
    assert all(np.array_equal(a, b) for a, b in zip(before, student.get_weights(), strict=True))
    assert np.all(stripped.get_layer("item_table").get_weights()[0][0] == 0)
    assert [layer.name for layer in stripped.layers] == [layer.name for layer in student.layers]
    assert np.allclose(stripped.predict(inputs, verbose=0), pruned.predict(inputs, verbose=0), atol=1e-6)
    queries = keras.Model(stripped.inputs, stripped.get_layer("query").output)  # as the exporter takes it apart
    assert queries.predict(inputs, verbose=0).shape == (64, 8)


def test_refused_settings():
    student = history(ITEMS, embedding_dim=8, history_length=LENGTH)
    with pytest.raises(TrainingError, match="sparsity must lie between 0 and 1, not 1.0"):
        prunable(student, 1.0, begin_step=0, end_step=10)
    with pytest.raises(TrainingError, match="end_step must come after begin_step, not 5 after 5"):
        prunable(student, 0.5, begin_step=5, end_step=5)

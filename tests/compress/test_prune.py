"""Pruning keeps what it promises: zeros, the student it came from, the padding row, the teacher's voice."""

import numpy as np
import pytest
import tf_keras as keras

from kdrec.compress.prune import prunable, pruning_step, schedule, strip, zero_share
from kdrec.distill.distiller import Distiller
from kdrec.errors import TrainingError
from kdrec.losses.softened_kl import SoftenedKl
from kdrec.losses.softmax import Softmax
from kdrec.models.students.history import history

ITEMS, LENGTH = 40, 6


@pytest.mark.slow
@pytest.mark.usefixtures("eagerly")
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
    pruned = prunable(student, 0.5, begin_step=0, end_step=4, frequency=1)
    inputs = {name: x[name] for name in ("history", "place")}
    assert np.allclose(pruned(inputs), student(inputs), atol=1e-6)
    distiller = Distiller(None, pruned, SoftenedKl(), student_loss_weight=0)
    distiller.compile(keras.optimizers.Adam(0.03), loss=Softmax())
    logs = distiller.fit(
        x, rng.integers(1, ITEMS + 1, (64, 1)), batch_size=64, epochs=6, callbacks=[pruning_step()], verbose=0
    ).history
    assert logs["distillation_loss"][-1] < logs["distillation_loss"][0]
    stripped = strip(pruned)
    assert 0.49 <= zero_share(stripped) <= 0.55
    assert zero_share(student) < 0.1
    assert all(np.array_equal(a, b) for a, b in zip(before, student.get_weights(), strict=True))
    assert np.all(stripped.get_layer("item_table").get_weights()[0][0] == 0)
    assert [layer.name for layer in stripped.layers] == [layer.name for layer in student.layers]
    assert np.allclose(stripped(inputs), pruned(inputs), atol=1e-6)
    queries = keras.Model(stripped.inputs, stripped.get_layer("query").output)  # as the exporter takes it apart
    assert queries(inputs).shape == (64, 8)


def trained(pruned, epochs=2, callbacks=()):
    """Eight steps, four an epoch."""
    rng = np.random.default_rng(0)
    x = {"history": rng.integers(1, ITEMS + 1, (64, LENGTH)).astype(np.int32)}
    x["teacher_scores"] = 5 * np.eye(ITEMS, dtype=np.float16)[x["history"][:, -1] % ITEMS]
    distiller = Distiller(None, pruned, SoftenedKl(), student_loss_weight=0)
    distiller.compile(keras.optimizers.Adam(0.03), loss=Softmax())
    distiller.optimizer.build(distiller.trainable_variables)  # now, or a compiled step is traced twice
    labels = rng.integers(1, ITEMS + 1, (64, 1))
    distiller.fit(x, labels, batch_size=16, epochs=epochs, callbacks=[pruning_step(), *callbacks], verbose=0)
    return strip(pruned)


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("zeros, of", [(2, 4), (1, 4)])
@pytest.mark.parametrize("tied", [True, False], ids=["tied", "untied"])
def test_so_many_zeros_of_so_many_along_what_is_summed(zeros, of, tied):
    student = history(ITEMS, embedding_dim=8, history_length=LENGTH, hidden=16, tied=tied)
    before = student.get_layer("item_table").get_weights()[0]
    pruned = prunable(student, zeros / of, end_step=2, frequency=1, sparsity_m_by_n=(zeros, of))
    stripped = trained(pruned)
    matrices = {name: stripped.get_layer(name).get_weights()[0] for name in ("item_table", "linear", "hidden")}
    along_rows = [matrices["item_table"][1:], matrices["linear"].T, matrices["hidden"].T]  # (sums, summed up)
    along_rows += [] if tied else [stripped.get_layer("item_scores").get_weights()[0]]
    for matrix in along_rows:
        assert np.all(np.sum(matrix.reshape(-1, of) == 0, axis=1) == zeros)
    across = matrices["item_table"][1:].T.reshape(-1, of)
    assert np.any(np.sum(across == 0, axis=1) != zeros)
    chosen = np.sort(np.abs(before[1:]).reshape(-1, of), axis=1)[:, :zeros]
    left = np.where(matrices["item_table"][1:] == 0, np.abs(before[1:]), np.inf).reshape(-1, of)
    assert np.mean(np.sort(left, axis=1)[:, :zeros] == chosen) > 0.9  # the smallest, but for one step of training


@pytest.mark.usefixtures("eagerly")
def test_schedules_of_tfmot():
    from tensorflow_model_optimization.sparsity.keras import ConstantSparsity

    student = history(ITEMS, embedding_dim=8, history_length=LENGTH, hidden=16)
    mine = ConstantSparsity(0.25, begin_step=3, end_step=5, frequency=2)
    assert schedule("constant", 0.25, 3, 5, 2).get_config() == mine.get_config()
    assert zero_share(trained(prunable(student, mine), epochs=1)) == pytest.approx(0.25, abs=0.02)
    late = ConstantSparsity(0.25, begin_step=5)
    assert zero_share(trained(prunable(student, late), epochs=1)) < 0.02  # four steps: it never began
    rises = schedule("polynomial", 0.5, 0, 10, 1)
    assert [float(rises(step)[1]) for step in (0, 5, 10)] == pytest.approx([0.0, 0.5 * (1 - 0.5**3), 0.5])


def test_summaries_of_tfmot_follow_the_masks(require, tmp_path):
    require("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util.tensor_util import make_ndarray
    from tensorflow_model_optimization.sparsity.keras import ConstantSparsity, PruningSummaries

    student = history(ITEMS, embedding_dim=8, history_length=LENGTH, hidden=0)
    pruned = prunable(student, ConstantSparsity(0.25, begin_step=0, frequency=1))
    trained(pruned, callbacks=[PruningSummaries(str(tmp_path))])
    events = EventAccumulator(str(tmp_path / "metrics"))
    events.Reload()
    (tag,) = [tag for tag in events.Tags()["tensors"] if "item_table" in tag and tag.endswith("sparsity")]
    shares = {event.step: float(make_ndarray(event.tensor_proto)) for event in events.Tensors(tag)}
    assert shares == {0: 0.0, 4: pytest.approx(0.25, abs=0.01)}


def test_refused_settings():
    student = history(ITEMS, embedding_dim=8, history_length=LENGTH)
    with pytest.raises(TrainingError, match="schedule must be polynomial or constant, not 'sudden'"):
        schedule("sudden", 0.5, 0, 10, 1)
    with pytest.raises(TrainingError, match="frequency must lie between 1 and the 10 steps of pruning, not 11"):
        schedule("constant", 0.5, 0, 10, 11)
    with pytest.raises(TrainingError, match="sparsity must lie between 0 and 1, not 1.0"):
        prunable(student, 1.0, end_step=10)
    with pytest.raises(TrainingError, match="end_step must come after begin_step, not 5 after 5"):
        prunable(student, 0.5, begin_step=5, end_step=5)

"""A student whose rare items share a row: against the student it comes from, and the part that its file holds."""

import numpy as np
import pytest
import tf_keras as keras

from kdrec.compress import quantize_aware, recipes
from kdrec.compress.prune import prunable, strip
from kdrec.compress.shared_rows import share_rows
from kdrec.data.kept_items import KeptItems
from kdrec.distill.student_reader import student_reader
from kdrec.models.students.history import history

ITEMS, WIDTH, LENGTH = 7, 4, 5
KEPT, RARE = np.array([0, 2, 3, 6]), np.array([1, 4, 5])
COUNTS = np.array([9, 3, 8, 7, 0, 1, 6])
HISTORIES = np.array([[0, 0, 0, 1, 4], [3, 2, 7, 5, 1], [0, 6, 2, 5, 2]], np.int32)  # the last has rare items only


def built(n_items: int = ITEMS, **options) -> keras.Model:
    return history(n_items, embedding_dim=WIDTH, history_length=LENGTH, hidden=6, **options)


def cut(bucket: bool, seed: int = 0, **options) -> tuple[keras.Model, keras.Model, KeptItems]:
    """A student with random weights, the one cut from it, and what the latter keeps."""
    kept = KeptItems(KEPT, ITEMS, bucket)
    whole, smaller = built(**options), built(kept=kept, **options)
    rng = np.random.default_rng(seed)
    whole.set_weights([rng.normal(size=weight.shape) for weight in whole.get_weights()])
    table = whole.get_layer("item_table").table
    table.assign(np.concatenate([np.zeros((1, WIDTH)), table.numpy()[1:]]))
    share_rows(whole, smaller, KEPT, COUNTS)
    return whole, smaller, kept


def of_rare(table: np.ndarray) -> np.ndarray:
    """The mean that counts each of the rare items once more often than it occurs."""
    return (4 * table[1] + 1 * table[4] + 2 * table[5]) / 7


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("bucket", [True, False])
def test_it_begins_as_the_student_in_which_rare_items_are_their_mean(tied: bool, bucket: bool) -> None:
    whole, smaller, _ = cut(bucket, tied=tied)
    for name in ("item_table",) if tied else ("item_table", "item_scores"):
        table, *others = whole.get_layer(name).get_weights()
        rows = table[-ITEMS:].copy()
        rows[RARE] = of_rare(rows)
        whole.get_layer(name).set_weights([np.concatenate([table[:-ITEMS], rows]), *others])
    read = HISTORIES if bucket else np.array([[0, 0, 0, 1, 4], [0, 0, 3, 7, 1], [0, 0, 0, 0, 0]])
    expected = whole(read).numpy()
    assert np.allclose(smaller(HISTORIES, training=True), expected, rtol=1e-4, atol=1e-4)
    judged = smaller(HISTORIES).numpy()
    assert np.allclose(judged[:, KEPT], expected[:, KEPT], rtol=1e-4, atol=1e-4)
    assert np.allclose(judged[:, RARE], judged[:, KEPT].min(axis=1, keepdims=True) - 1)


@pytest.mark.parametrize("tied", [True, False])
def test_losses_read_a_row_for_each_item(tied: bool) -> None:
    _, smaller, _ = cut(True, tied=tied)
    fields = student_reader(smaller, {"query", "item_embedding"}, "query")({"history": HISTORIES}, True)
    assert fields["item_embedding"].shape == (ITEMS, WIDTH)
    product = fields["query"].numpy() @ fields["item_embedding"].numpy().T
    assert np.allclose(product, fields["scores"], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("tied", [True, False])
def test_what_prunes_or_rounds_it_leaves_it_whole(tied: bool) -> None:
    _, smaller, _ = cut(False, tied=tied)
    scores = smaller(HISTORIES).numpy()
    stripped = strip(prunable(smaller, 0.5, begin_step=10, end_step=20, frequency=1))
    assert np.allclose(stripped(HISTORIES), scores, atol=1e-5)
    rounded = quantize_aware.strip(quantize_aware.quantizable(smaller, recipes.get("int8")))
    assert 0 < np.abs(rounded(HISTORIES) - scores).max() < 0.2 * np.abs(scores).max()
    assert [layer.name for layer in rounded.layers] == [layer.name for layer in smaller.layers]


def test_rows_that_are_not_ranked_are_read_and_never_scored() -> None:
    student = built(4, unranked=1)
    student.set_weights([np.random.default_rng(1).normal(size=weight.shape) for weight in student.get_weights()])
    assert student.output_shape == (None, 4) and student.get_layer("item_table").table.shape == (6, WIDTH)
    read, other = (student(np.array([[0, 0, 0, 1, last]])).numpy() for last in (5, 4))
    assert not np.allclose(read, other)

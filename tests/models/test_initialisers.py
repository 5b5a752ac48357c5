"""Where a student begins: what the teacher knows of the items, at the size of a random table."""

import numpy as np
import pytest
from scipy import sparse

from kdrec.errors import TrainingError
from kdrec.models import initialisers
from kdrec.models.initialisers.base import right_singular
from kdrec.models.students.history import history

ITEMS, WIDTH, USERS = 30, 4, 50


def student(tied=True, width=WIDTH):
    return history(ITEMS, embedding_dim=width, history_length=5, tied=tied, hidden=0)


def tables(model):
    """The item rows of every table."""
    return [layer.table.numpy()[-ITEMS:] for layer in model.layers if layer.name in ("item_table", "item_scores")]


def teacher(seed=0, width=9):
    """Item vectors whose directions differ much in size, scores of users, both uncentred."""
    rng = np.random.default_rng(seed)
    items = rng.normal(size=(ITEMS, width)) * 2.0 ** -np.arange(width) + 0.3
    return {"item_embedding": items, "scores": rng.normal(size=(USERS, width)) @ items.T}


def same_up_to_scale(received, expected):
    received, expected = received.astype(float), expected.astype(float)
    return np.allclose(received / np.linalg.norm(received), expected / np.linalg.norm(expected), atol=1e-4)


@pytest.mark.parametrize("name", initialisers.names())
@pytest.mark.parametrize("tied", [True, False])
def test_every_initialiser_gives_every_table_the_size_of_a_random_one(name, tied):
    model, before = student(tied), tables(student(tied))
    others = [weight.copy() for layer in model.layers if "item" not in layer.name for weight in layer.get_weights()]
    assert initialisers.get(name)(model, **teacher()) is None
    after = tables(model)
    assert len(after) == 2 - tied
    for old, new in zip(before, after, strict=True):
        assert new.std() == pytest.approx(old.std(), rel=1e-3) and np.all(np.isfinite(new))
        assert np.array_equal(old, new) == (name == "random")
    if not tied and name != "random":
        assert same_up_to_scale(*after)
    assert not model.get_layer("item_table").table.numpy()[0].any()  # padding
    kept = [weight for layer in model.layers if "item" not in layer.name for weight in layer.get_weights()]
    assert all(map(np.array_equal, others, kept))


@pytest.mark.parametrize("name", initialisers.names())
def test_every_initialiser_repeats_itself_and_reads_only_what_it_says_it_needs(name):
    given = teacher()
    needed = {field: given[field] for field in initialisers.needs(name)}
    first, again = student(), student()
    initialisers.get(name)(first, **given, seed=3)
    initialisers.get(name)(again, **needed, seed=3)
    assert np.array_equal(tables(first)[0], tables(again)[0])
    for field in needed:
        with pytest.raises(TrainingError, match=f"initialiser '{name}' needs the teacher's {field}, and was given no"):
            initialisers.get(name)(student())
        message = rf"{field} must be \(.*\) with n_items=30, not of shape \("
        with pytest.raises(TrainingError, match=message):
            initialisers.get(name)(student(), **{field: np.ones((7, 8))})


def test_item_svd_keeps_dot_products_as_well_as_any_table_of_its_width():
    items = teacher()["item_embedding"]
    model = student()
    initialisers.get("item_svd")(model, item_embedding=items)
    vectors, values, _ = np.linalg.svd(items, full_matrices=False)
    nearest = (vectors[:, :WIDTH] * values[:WIDTH] ** 2) @ vectors[:, :WIDTH].T
    (table,) = tables(model)
    assert same_up_to_scale(table @ table.T, nearest)


@pytest.mark.parametrize("form", ["dense", "sparse", "blocks"])
def test_teacher_svd_is_the_item_side_of_the_factorised_scores(form):
    scores = teacher()["scores"]
    given = {"dense": scores, "sparse": sparse.csr_matrix(scores), "blocks": [scores[:20], scores[20:]]}[form]
    model = student()
    initialisers.get("teacher_svd")(model, scores=given)
    _, values, turned = np.linalg.svd(scores)
    expected = (turned[:WIDTH].T * values[:WIDTH]) @ turned[:WIDTH]  # E Eᵀ = V S Vᵀ
    (table,) = tables(model)
    assert same_up_to_scale(table @ table.T, expected)


def test_picked_columns_are_those_that_vary_most_in_their_order():
    items = np.random.default_rng(0).normal(size=(ITEMS, 6)) * [1, 7, 2, 0, 8, 9] + [0, 0, 0, 99, 0, 0]
    model = student(width=3)
    initialisers.get("picked_columns")(model, item_embedding=items)
    assert same_up_to_scale(tables(model)[0], items[:, [1, 4, 5]])


@pytest.mark.parametrize("name", ["item_svd", "picked_columns"])
def test_a_narrow_teacher_leaves_the_other_columns_random(name):
    items, model = teacher(width=3)["item_embedding"], student()
    initialisers.get(name)(model, item_embedding=items)
    (table,), (random,) = tables(model), tables(student())
    assert np.array_equal(table[:, 3], random[:, 3])
    assert same_up_to_scale(table[:, :3] @ table[:, :3].T, items @ items.T)


def test_a_teacher_that_says_nothing_gives_zeros():
    model = student()
    initialisers.get("item_svd")(model, item_embedding=np.zeros((ITEMS, 5)))
    assert not tables(model)[0].any()


def test_singular_vectors_against_numpy():
    """More columns than the search is wide, and a slow decay: the hard case."""
    rng = np.random.default_rng(1)
    matrix = rng.normal(size=(80, 60)) * 0.9 ** np.arange(60)
    values, vectors = right_singular([matrix[:30], matrix[30:]], k=5)
    _, exact, turned = np.linalg.svd(matrix)
    np.testing.assert_allclose(values, exact[:5], rtol=1e-6)
    np.testing.assert_allclose(np.abs(np.sum(vectors * turned[:5].T, axis=0)), 1, atol=1e-4)
    assert np.all(vectors[np.abs(vectors).argmax(axis=0), range(5)] > 0)

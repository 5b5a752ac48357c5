"""What every loss in the folder must do; a new file is tested before its author writes a test."""

import inspect
import re
from importlib import import_module

import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras
from fake_teacher import ITEMS, ROWS, case, copy_of, shuffled, student_fields

from kdrec import losses
from kdrec.distill.distiller import Distiller
from kdrec.errors import TrainingError, UnknownNameError
from kdrec.losses.base import Batch, DistillationLoss, items_mask, split_labels
from kdrec.losses.softened_kl import softened_kl
from kdrec.losses.softmax import Softmax
from kdrec.models.students.history import history

SOFT = [name for name in losses.names() if issubclass(losses.get(name), DistillationLoss)]
HARD = [name for name in losses.names() if name not in SOFT]
BY_ROW = [name for name in SOFT if losses.get(name).rows_alone]
LABELS = tf.constant([[1, -2, 5], [3, 0, 0], [7, -1, -4], [0, -4, 0]])  # the last row holds nothing out


def options(loss):
    """The names of the options that a loss's constructor takes."""
    parameters = inspect.signature(loss.__init__).parameters.values()
    named = {each.name for each in parameters if each.kind in (each.KEYWORD_ONLY, each.POSITIONAL_OR_KEYWORD)}
    return named - {"self", "name", "reduction", "trainable", "dtype", "dynamic"}  # the last five are Keras's


DRAWING = [name for name in SOFT if "seed" in options(losses.get(name))]


def values_of(loss, student, teacher, batch):
    """What a loss says of a batch, told no more than it asks for: (rows,)."""
    asked = {name: student[name] for name in {"scores", *loss.reads}}
    return loss(asked, {name: teacher[name] for name in loss.needs}, batch)


def made(loss, given):
    """The loss with its layers built, from a fixed seed."""
    keras.utils.set_random_seed(0)
    values_of(loss, *given)
    return loss


def last_row_from(student, other):
    """A student that says something else of the last row only."""
    changed = {name: tf.concat([student[name][:-1], other[name][-1:]], 0) for name in ("scores", "query")}
    return {**student, **changed}


def test_folder_holds_both_kinds():
    assert {"softened_kl", "score_mse", "feature_matching", "rank_softmax", "rrd"} <= set(SOFT)
    assert "softmax" in HARD


@pytest.mark.parametrize("name", losses.names())
def test_file_says_its_formula_and_its_source(name):
    formula = getattr(import_module(f"kdrec.losses.{name}"), name)
    text = inspect.getdoc(formula)
    assert re.search(r"[Σ‖∏Π]|log|exp|σ\(", text), "the docstring must hold the formula"
    assert re.search(r"arXiv:\d{4}\.\d{4,5}|doi:10\.\d{4,}/|[A-Z]{3,}[a-z]* (19|20)\d\d", text), "and name its source"
    assert losses.get(name).__name__ == "".join(part.capitalize() for part in name.split("_"))


@pytest.mark.parametrize("name", losses.names())
def test_every_option_has_a_default_and_survives_serialisation(name):
    kind = losses.get(name)
    config = kind().get_config()
    assert options(kind) <= config.keys()
    bent = {}
    for option in options(kind):
        value = config[option]
        bent[option] = value + 1 if type(value) is int else value / 2 if type(value) is float else value
    loss = kind(**bent)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(loss))
    assert type(again) is kind
    assert again.get_config() == loss.get_config()
    assert {option: again.get_config()[option] for option in bent} == bent


@pytest.mark.parametrize("name", SOFT)
def test_soft_loss_gives_one_value_a_row(name):
    values = values_of(losses.get(name)(), *case()).numpy()
    assert values.shape == (ROWS,) and values.dtype == np.float32
    assert np.all(np.isfinite(values))


@pytest.mark.parametrize("name", BY_ROW)
def test_a_row_is_judged_alone(name):
    given = case()
    loss = made(losses.get(name)(), given)
    values = values_of(loss, *given).numpy()
    changed = last_row_from(given.student, student_fields(seed=7))
    moved = ~np.isclose(values_of(loss, changed, given.teacher, given.batch).numpy(), values, rtol=1e-6, atol=0)
    assert moved.tolist() == [False] * (ROWS - 1) + [True]


@pytest.mark.parametrize("name", SOFT)
@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_soft_loss_has_finite_gradients_at_extreme_scores(name, scale):
    student, teacher, batch = given = case(scale=scale)
    loss = made(losses.get(name)(), given)
    with tf.GradientTape() as tape:
        value = tf.reduce_mean(values_of(loss, student, teacher, batch))
    gradients = tape.gradient(value, [student[each] for each in ("scores", *sorted(loss.reads))])
    gradients = [tf.convert_to_tensor(each).numpy() for each in gradients if each is not None]
    assert np.isfinite(value) and all(np.all(np.isfinite(each)) for each in gradients)
    if scale == 1.0:
        assert any(np.any(each != 0) for each in gradients)


@pytest.mark.parametrize("name", SOFT)
def test_soft_loss_is_lower_where_the_student_says_what_the_teacher_says(name):
    _, teacher, batch = given = case()
    loss = made(losses.get(name)(), given)
    if loss.trainable_variables:
        pytest.skip("what this loss learns decides where it is least")
    equal = tf.reduce_mean(values_of(loss, copy_of(teacher), teacher, batch))
    if loss.needs & {"scores", "top_items", "snapshot_items"}:
        assert equal < tf.reduce_mean(values_of(loss, shuffled(copy_of(teacher)), teacher, batch))
    unlike = {**copy_of(teacher), **{field: -copy_of(teacher)[field] for field in ("scores", "query")}}
    assert equal <= tf.reduce_mean(values_of(loss, unlike, teacher, batch))
    assert equal <= tf.reduce_mean(values_of(loss, *given))


@pytest.mark.parametrize("name", SOFT)
def test_scores_of_seen_items_have_no_influence(name):
    student, teacher, batch = given = case()
    loss = made(losses.get(name)(), given)
    bent = {**student, "scores": tf.where(batch.seen, 50.0, student["scores"])}
    told = {**teacher, "scores": tf.where(batch.seen, -50.0, teacher["scores"])}
    expected = values_of(loss, *given)
    assert np.allclose(values_of(loss, bent, told, batch), expected, rtol=1e-5)


@pytest.mark.parametrize("name", SOFT)
def test_equal_seed_and_step_give_equal_values(name):
    given = case(step=3)
    first, again = made(losses.get(name)(), given), made(losses.get(name)(), given)
    assert np.array_equal(values_of(first, *given), values_of(again, *given))


@pytest.mark.parametrize("name", DRAWING)
def test_what_is_drawn_follows_step_and_seed(name):
    given, later = case(step=3), case(step=4)
    loss, other = made(losses.get(name)(), given), made(losses.get(name)(seed=1), given)
    assert not np.array_equal(values_of(loss, *given), values_of(loss, *later))
    assert not np.array_equal(values_of(loss, *given), values_of(other, *given))


@pytest.mark.parametrize("name", SOFT)
def test_soft_loss_runs_in_a_compiled_step(name):
    given = case()
    loss = made(losses.get(name)(), given)
    # No loss needs AutoGraph, whose conversion takes longer than the trace.
    compiled = tf.function(lambda student, teacher, batch: values_of(loss, student, teacher, batch), autograph=False)
    values = compiled({field: tf.identity(value) for field, value in given.student.items()}, given.teacher, given.batch)
    assert np.allclose(values, values_of(loss, *given), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", SOFT)
def test_distiller_refuses_a_teacher_that_lacks_what_the_loss_needs(name):
    loss = losses.get(name)()
    x = {"history": np.array([[0, 1, 2]] * ROWS), "teacher_nothing": np.zeros((ROWS, 1), np.float32)}
    with pytest.raises(TrainingError, match=rf"{type(loss).__name__} needs .*({'|'.join(loss.needs)})"):
        distiller = Distiller(None, history(ITEMS, embedding_dim=3, history_length=3), loss)
        distiller.compile("sgd", loss=Softmax(), run_eagerly=True)
        distiller.build_losses(x, np.array([[4, -1, -2]] * ROWS))


@pytest.mark.parametrize("name", HARD)
@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_hard_loss_is_a_keras_loss_with_finite_gradients(name, scale):
    loss = losses.get(name)(reduction="none")
    assert isinstance(loss, keras.losses.Loss)
    scores = student_fields(scale=scale)["scores"]
    with tf.GradientTape() as tape:
        values = loss(LABELS, scores)
    assert values.shape == (ROWS,) and values.dtype == tf.float32
    assert values[3] == 0  # nothing held out
    gradient = tf.convert_to_tensor(tape.gradient(values, scores)).numpy()
    assert np.all(np.isfinite(values)) and np.all(np.isfinite(gradient))
    assert np.all(gradient[3] == 0) or name == "in_batch_softmax"  # whose rows lend each other items
    if scale == 1.0:
        assert np.any(gradient != 0)


@pytest.mark.parametrize("name", HARD)
def test_hard_loss_weighs_rows_and_repeats_itself(name):
    loss, scores = losses.get(name)(reduction="none"), student_fields()["scores"]
    values = loss(LABELS, scores).numpy()
    assert np.array_equal(losses.get(name)(reduction="none")(LABELS, scores), values)
    weights = np.array([2.0, 0.0, 1.0, 1.0], np.float32)
    assert np.allclose(loss(LABELS, scores, sample_weight=weights), weights * values)


@pytest.mark.parametrize("name", HARD)
def test_hard_loss_falls_when_the_held_out_items_rise_and_ignores_seen_ones(name):
    loss, scores = losses.get(name)(reduction="none"), student_fields()["scores"]
    held_out, seen = (items_mask(tokens, ITEMS) for tokens in split_labels(LABELS))
    values = loss(LABELS, scores).numpy()
    assert np.all(loss(LABELS, tf.where(held_out, scores + 3.0, scores)).numpy()[:3] < values[:3])
    assert np.allclose(loss(LABELS, tf.where(seen, 50.0, scores)), values, rtol=1e-5)


def test_softened_kl_by_hand():
    p, q = 0.75, 0.5  # odds of 3 : 1 against 1 : 1, softened by T = 2 from scores 2 log 3 and 0
    scores = tf.constant([[2 * np.log(3.0), 0.0]], tf.float32)
    expected = 4 * (p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q)))
    assert float(softened_kl(scores, tf.zeros((1, 2)), 2.0)[0]) == pytest.approx(expected, rel=1e-5)


def test_softmax_averages_over_held_out_items_and_leaves_seen_ones_out():
    scores = tf.constant([[np.log(1.0), np.log(2.0), np.log(5.0), 9.0]], tf.float32)
    value = losses.get("softmax")(reduction="none")(tf.constant([[1, 2, -4]]), scores)[0]
    assert float(value) == pytest.approx(-(np.log(1 / 8) + np.log(2 / 8)) / 2, rel=1e-5)


def test_items_mask_and_signed_labels():
    held_out, seen = split_labels(tf.constant([[3, -1, 0, -2]]))
    assert held_out.numpy().tolist() == [[3, 0, 0, 0]] and seen.numpy().tolist() == [[0, 1, 0, 2]]
    assert items_mask(seen, 4).numpy().tolist() == [[True, True, False, False]]


def test_a_loss_without_a_call_says_so():
    class Nameless(DistillationLoss):
        pass

    with pytest.raises(TrainingError, match=r"Nameless must define call\(student, teacher, batch\)"):
        Nameless().call({}, {}, Batch.of([[False]]))


def test_unknown_loss_says_which_exist():
    with pytest.raises(UnknownNameError, match=f"losses has no 'kl'; it has {', '.join(losses.names())}"):
        losses.get("kl")

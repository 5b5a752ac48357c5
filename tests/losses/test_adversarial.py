"""The adversarial loss against a slow oracle, and its two sides against each other."""

import math

import numpy as np
import pytest
import tensorflow as tf
from fake_teacher import case

from kdrec.errors import TrainingError
from kdrec.losses.adversarial import Adversarial, adversarial, reversed_gradient, standardised


def test_adversarial_is_the_cross_entropy_of_telling_teacher_from_student():
    told, made = [2.0, -1.0], [0.5, 3.0]
    real, fake = ([1 / (1 + math.exp(-logit)) for logit in logits] for logits in (told, made))
    expected = [-math.log(p) - math.log(1 - q) for p, q in zip(real, fake, strict=True)]
    assert np.allclose(adversarial(tf.constant(told), tf.constant(made)), expected, rtol=1e-5)
    assert np.all(np.isfinite(adversarial(tf.constant([-1e4]), tf.constant([1e4]))))


def test_scores_are_standardised_in_each_row():
    scores = np.array([[1e4, 2e4, 4e4, 7.0], [1.0, 1.0, 1.0, 1.0]], np.float32)
    counts = np.array([[True, True, True, False], [True, True, True, True]])
    first = (scores[0, :3] - scores[0, :3].mean()) / scores[0, :3].std()
    assert np.allclose(standardised(scores, counts), [[*first, 0.0], [0.0] * 4], atol=1e-6)
    assert np.all(np.isfinite(standardised(scores, np.zeros_like(counts))))


def test_a_reversed_gradient_has_the_other_sign_and_a_strength():
    x = tf.Variable([1.0, 2.0])
    with tf.GradientTape() as tape:
        y = reversed_gradient(x, 0.5)
        total = tf.reduce_sum(tf.square(y))
    assert np.array_equal(y, x) and tape.gradient(total, x).numpy().tolist() == [-1.0, -2.0]


def slow_adversarial(loss, student, teacher, seen):
    def told(scores):
        centred = (scores - scores.mean()) / scores.std()
        hidden = np.maximum(centred @ loss.hidden.kernel.numpy() + loss.hidden.bias.numpy(), 0)
        return (hidden @ loss.output_layer.kernel.numpy() + loss.output_layer.bias.numpy())[0]

    rows = zip(teacher["top_scores"].numpy(), student["scores"].numpy(), teacher["top_items"].numpy(), strict=True)
    return [np.log1p(np.exp(-told(real))) + np.log1p(np.exp(told(scores[items]))) for real, scores, items in rows]


def test_adversarial_shows_the_discriminator_standardised_lists():
    student, teacher, batch = case()
    loss = Adversarial()
    values = loss(student, teacher, batch)
    assert np.allclose(values, slow_adversarial(loss, student, teacher, batch.seen), rtol=1e-4)
    loss.output_layer.kernel.assign(tf.zeros_like(loss.output_layer.kernel))
    assert np.allclose(loss(student, teacher, batch), math.log(4))  # a discriminator that cannot tell


def test_student_and_discriminator_learn_against_each_other():
    """A step of the discriminator alone lowers the loss, a step of the student alone raises it."""
    student, teacher, batch = case()
    loss = Adversarial(strength=1.0)
    with tf.GradientTape() as tape:
        value = tf.reduce_mean(loss(student, teacher, batch))
    of_scores, *of_weights = tape.gradient(value, [student["scores"], *loss.trainable_variables])
    moved = {**student, "scores": student["scores"] - 0.1 * of_scores}
    assert tf.reduce_mean(loss(moved, teacher, batch)) > value
    for weight, gradient in zip(loss.trainable_variables, of_weights, strict=True):
        weight.assign_sub(0.1 * gradient)
    assert tf.reduce_mean(loss(student, teacher, batch)) < value


@pytest.mark.parametrize("bias", [0.0, -30.0])
def test_the_student_goes_down_the_loss_that_does_not_saturate(bias):
    student, teacher, batch = case()
    loss = Adversarial(strength=0.5)
    loss(student, teacher, batch)
    loss.output_layer.bias.assign([bias])  # at −30 the discriminator is sure of the student, σ(D) = 1e−13
    with tf.GradientTape(persistent=True) as tape:
        values = loss(student, teacher, batch)
        listed = tf.gather(student["scores"], teacher["top_items"], batch_dims=1)
        hidden = loss.hidden(standardised(listed, tf.ones_like(listed, tf.bool)))
        deceived = 0.5 * tf.nn.softplus(-loss.output_layer(hidden)[:, 0])
    gradient, expected = (tape.gradient(each, student["scores"]).numpy() for each in (values, deceived))
    assert np.abs(expected).max() > 1e-3
    assert np.allclose(gradient, expected, rtol=1e-3, atol=1e-6)


def test_the_discriminator_is_as_wide_as_the_list():
    student, teacher, batch = case()
    loss = Adversarial(top=3)
    loss(student, teacher, batch)
    assert loss.hidden.kernel.shape == (3, 64)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Adversarial(top=1), "top must be at least 2, not 1"),
        (lambda: Adversarial(width=0), "width must be at least 1, not 0"),
        (lambda: Adversarial(strength=0.0), "strength must be above 0, not 0.0"),
    ],
)
def test_options_out_of_range_are_refused(make, message):
    with pytest.raises(TrainingError, match=message):
        make()

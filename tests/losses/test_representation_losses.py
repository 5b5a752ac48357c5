"""Losses on embeddings, each against a slow oracle written from its formula."""

import numpy as np
import pytest
import tensorflow as tf
from fake_teacher import ITEMS, ROWS, TEACHER_WIDTH, WIDTH, case

from kdrec.errors import TrainingError
from kdrec.losses.de import De, Experts, cooled, de, gumbel_softmax
from kdrec.losses.ftd import Ftd, by_row, cosines, entities_of, ftd, row_items
from kdrec.losses.htd import Htd, htd
from kdrec.losses.relation import Relation, relation


def vectors(seed, n, width):
    return np.random.default_rng(seed).normal(size=(n, width)).astype(np.float32)


def slow_cosine(a, b):
    return a @ b / np.sqrt((a @ a) * (b @ b))


def turned(entities, seed=4):
    """The same vectors in another orientation and three times as long."""
    width = entities.shape[1]
    return 3 * entities @ np.linalg.qr(np.random.default_rng(seed).normal(size=(width, width)))[0].astype(np.float32)


# Distillation experts


def test_de_is_the_squared_distance_to_the_gated_experts():
    known, rebuilt = vectors(0, 4, 5), vectors(1, 12, 5).reshape(4, 3, 5)
    gates = np.random.default_rng(2).dirichlet(np.ones(3), size=4).astype(np.float32)
    expected = [
        np.mean([(known[r, d] - sum(gates[r, m] * rebuilt[r, m, d] for m in range(3))) ** 2 for d in range(5)])
        for r in range(4)
    ]
    assert np.allclose(de(known, rebuilt, gates), expected, rtol=1e-5)


def test_gumbel_softmax_chooses_with_the_chances_of_the_softmax():
    logits = tf.math.log([[0.2, 0.5, 0.3]])
    uniform = tf.random.stateless_uniform([20_000, 3], seed=[0, 1])
    gates = gumbel_softmax(logits, uniform, 0.01).numpy()
    assert gates.mean(axis=0) == pytest.approx([0.2, 0.5, 0.3], abs=0.015)
    assert np.mean(gates.max(axis=1) > 0.99) > 0.9  # cold: one choice
    assert np.mean(gumbel_softmax(logits, uniform, 5.0).numpy().max(axis=1) > 0.99) == 0  # warm: none
    assert np.all(np.isfinite(gumbel_softmax(1e4 * logits, tf.constant([[0.0, 1.0, 0.5]]), 0.01)))


def test_temperature_falls_by_a_constant_factor():
    assert [float(cooled(1.0, 0.01, p)) for p in (0.0, 0.5, 1.0)] == pytest.approx([1.0, 0.1, 0.01])


def slow_experts(experts, known, learnt, uniform, temperature):
    """What `Experts` computes, from its weights: (rows, experts, width) and gates (rows, experts)."""
    outputs = [
        np.maximum(learnt @ first.kernel.numpy() + first.bias.numpy(), 0) @ last.kernel.numpy() + last.bias.numpy()
        for first, last in zip(experts.hidden, experts.outputs, strict=True)
    ]
    logits = known @ experts.selector.kernel.numpy() + experts.selector.bias.numpy()
    chances = np.exp((logits - np.log(-np.log(uniform))) / temperature)
    return np.stack(outputs, axis=1), chances / chances.sum(axis=1, keepdims=True)


def test_de_adds_the_mean_over_drawn_items_to_each_row():
    student, teacher, batch = case(step=3, progress=0.5)
    loss = De(experts=2, items=6, temperature=1.0, end_temperature=0.25, seed=5)
    values = loss(student, teacher, batch)
    draws = tf.random.stateless_uniform([6], seed=[5, 3], maxval=ITEMS, dtype=tf.int32).numpy()
    parts = []
    for experts, known, learnt, seed in (
        (loss.of_users, teacher["user_embedding"].numpy(), student["query"].numpy(), 5),
        (loss.of_items, teacher["item_embedding"].numpy()[draws], student["item_embedding"].numpy()[draws], ~5),
    ):
        uniform = tf.random.stateless_uniform([len(known), 2], seed=[seed, 3]).numpy()
        rebuilt, gates = slow_experts(experts, known, learnt, uniform, temperature=0.5)
        parts.append(np.mean((known - np.einsum("rm,rmd->rd", gates, rebuilt)) ** 2, axis=1))
    assert np.allclose(values, parts[0] + parts[1].mean(), rtol=1e-4)


def test_de_trains_selector_and_experts_of_users_and_items():
    student, teacher, batch = case()
    loss = De(experts=3)
    loss(student, teacher, batch)
    hidden = (TEACHER_WIDTH + WIDTH) // 2
    one = TEACHER_WIDTH * 3 + 3 + 3 * (WIDTH * hidden + hidden + hidden * TEACHER_WIDTH + TEACHER_WIDTH)
    assert sum(int(tf.size(weight)) for weight in loss.trainable_variables) == 2 * one
    first = tf.reduce_mean(loss(student, teacher, batch))
    for _ in range(20):
        with tf.GradientTape() as tape:
            value = tf.reduce_mean(loss(student, teacher, batch))
        gradients = tape.gradient(value, loss.trainable_variables)
        assert all(np.any(gradient.numpy() != 0) for gradient in gradients[:2])  # the selector learns as well
        for weight, gradient in zip(loss.trainable_variables, gradients, strict=True):
            weight.assign_sub(0.05 * gradient)
    assert value < 0.8 * first


def test_experts_begin_alike_for_a_seed_and_differ_from_each_other():
    x = tf.constant(vectors(0, 2, 3))
    made = [Experts(2, 4, 3, seed) for seed in (7, 7, 8)]
    rebuilt = [experts(tf.constant(vectors(1, 2, 4)), x, [0, 0], 1.0)[0].numpy() for experts in made]
    assert np.array_equal(rebuilt[0], rebuilt[1]) and not np.allclose(rebuilt[0], rebuilt[2])
    assert not np.allclose(rebuilt[0][:, 0], rebuilt[0][:, 1])


# Topology


def test_ftd_matches_all_cosines():
    known, learnt = vectors(0, 6, 5), vectors(1, 6, 3)
    expected = [
        np.mean([(slow_cosine(known[i], known[j]) - slow_cosine(learnt[i], learnt[j])) ** 2 for j in range(6)])
        for i in range(6)
    ]
    assert np.allclose(ftd(known, learnt), expected, rtol=1e-4)
    assert np.allclose(ftd(known, turned(known)), 0, atol=1e-9)


def test_cosines_of_a_vector_of_zeros_are_zero_and_their_gradient_is_finite():
    entities = tf.Variable([[0.0, 0.0], [3.0, 4.0]])
    with tf.GradientTape() as tape:
        between = cosines(entities)
    assert between.numpy().tolist() == pytest.approx(np.array([[0, 0], [0, 1]]))
    assert np.all(np.isfinite(tape.gradient(between, entities)))


def test_row_items_are_held_out_ones_or_any():
    held_out = np.zeros((3, 6), bool)
    held_out[0, 4], held_out[1, [0, 3]] = True, True
    found = []
    for step in range(40):
        start = tf.random.stateless_uniform([3], [0, step], maxval=6, dtype=tf.int32).numpy()
        walks = [[(first + i) % 6 for i in range(6)] for first in start]
        expected = [next((item for item in walk if held_out[row, item]), walk[0]) for row, walk in enumerate(walks)]
        found.append(row_items(tf.constant(held_out), 0, step).numpy().tolist())
        assert found[-1] == expected
    assert [set(items) for items in zip(*found, strict=True)] == [{4}, {0, 3}, set(range(6))]


def test_ftd_averages_a_rows_user_and_item():
    student, teacher, batch = case()
    known, learnt = entities_of(student, teacher, batch, seed=0)
    items = row_items(batch.held_out, 0, batch.step).numpy()
    assert np.array_equal(known[:ROWS], teacher["user_embedding"])
    assert np.array_equal(known[ROWS:], teacher["item_embedding"].numpy()[items])
    assert np.array_equal(learnt[ROWS:], student["item_embedding"].numpy()[items])
    expected = ftd(known, learnt).numpy()
    assert np.allclose(Ftd()(student, teacher, batch), (expected[:ROWS] + expected[ROWS:]) / 2, rtol=1e-5)
    assert by_row(tf.constant([1.0, 2.0, 3.0, 6.0])).numpy().tolist() == [2.0, 4.0]


def slow_htd(known, learnt, group):
    groups = sorted(set(group))
    means = [{g: each[np.array(group) == g].mean(axis=0) for g in groups} for each in (known, learnt)]
    values = []
    for i in range(len(group)):
        across = [
            (slow_cosine(known[i], means[0][g]) - slow_cosine(learnt[i], means[1][g])) ** 2 for g in groups
        ]  # fmt: skip
        within = [
            (slow_cosine(known[i], known[j]) - slow_cosine(learnt[i], learnt[j])) ** 2
            for j in range(len(group)) if group[j] == group[i]
        ]  # fmt: skip
        values.append(np.mean(across) + np.mean(within))
    return values


def test_htd_matches_prototypes_across_groups_and_members_within():
    known, learnt, group = vectors(0, 7, 5), vectors(1, 7, 3), [0, 2, 2, 0, 5, 2, 0]  # groups 1, 3, 4 are empty
    assert np.allclose(htd(known, learnt, tf.one_hot(group, 6)), slow_htd(known, learnt, group), rtol=1e-4)
    assert np.allclose(htd(known, turned(known), tf.one_hot(group, 6)), 0, atol=1e-9)


def test_htd_of_one_group_holds_the_full_topology():
    known, learnt = vectors(0, 7, 5), vectors(1, 7, 3)
    of_means = [np.array([slow_cosine(row, each.mean(axis=0)) for row in each]) for each in (known, learnt)]
    expected = ftd(known, learnt).numpy() + (of_means[0] - of_means[1]) ** 2
    assert np.allclose(htd(known, learnt, tf.ones([7, 1])), expected, rtol=1e-4)


def test_htd_mixes_topology_and_assignment_and_the_paths_alone_teach_the_assignment():
    student, teacher, batch = case(step=2)
    loss = Htd(groups=3, share=0.25, seed=1)
    with tf.GradientTape(persistent=True) as tape:
        values = loss(student, teacher, batch)
        known, learnt = entities_of(student, teacher, batch, seed=1)
        rebuilt, gates = loss.paths(known, learnt, [~1, 2], cooled(1.0, 0.01, 0.5))
        assignment = by_row(de(known, rebuilt, gates))
    topology = slow_htd(known.numpy(), learnt.numpy(), gates.numpy().argmax(axis=1).tolist())
    expected = 0.25 * (np.array(topology[:ROWS]) + topology[ROWS:]) / 2 + 0.75 * assignment.numpy()
    assert np.allclose(values, expected, rtol=1e-4)
    taught, alone = (tape.gradient(value, loss.paths.trainable_variables) for value in (values, assignment))
    assert all(np.allclose(a, 0.75 * b, rtol=1e-4, atol=1e-5) for a, b in zip(taught, alone, strict=True))


# Relation


def slow_relation(known, learnt):
    n, distances = len(known), []
    for each in (known, learnt):
        between = np.array([[np.linalg.norm(a - b) for b in each] for a in each])
        distances.append(between / (between.sum() / (n * (n - 1))))
    x = np.abs(distances[0] - distances[1])
    return np.where(x <= 1, x**2 / 2, x - 0.5).sum(axis=1) / (n - 1)


def test_relation_compares_distances_in_units_of_their_mean():
    known, learnt = vectors(0, 6, 5), vectors(1, 6, 3)
    learnt[0] *= 9  # far from the others: beyond the parabola
    expected = slow_relation(known, learnt)
    assert expected.max() > 0.5
    assert np.allclose(relation(known, learnt), expected, rtol=1e-4)
    assert np.allclose(relation(known, turned(known)), 0, atol=1e-9)


def test_relation_of_equal_rows_and_of_one_row():
    same = tf.Variable(tf.ones([3, 2]))
    with tf.GradientTape() as tape:
        values = relation(tf.constant(vectors(0, 3, 5)), same)
    assert np.all(np.isfinite(values)) and np.all(np.isfinite(tape.gradient(values, same)))
    assert relation(tf.ones([1, 2]), tf.ones([1, 2])).numpy().tolist() == [0.0]


def test_relation_reads_the_queries():
    student, teacher, batch = case()
    expected = slow_relation(teacher["user_embedding"].numpy(), student["query"].numpy())
    assert np.allclose(Relation()(student, teacher, batch), expected, rtol=1e-4)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: De(experts=0), "experts must be at least 1, not 0"),
        (lambda: De(items=0), "items must be at least 1, not 0"),
        (lambda: De(temperature=0.0), "temperature must be above 0, not 0.0"),
        (lambda: De(end_temperature=0.0), "end_temperature must be above 0, not 0.0"),
        (lambda: Htd(groups=0), "groups must be at least 1, not 0"),
        (lambda: Htd(share=1.0), "share must lie between 0 and 1, both left out, not 1.0"),
        (lambda: Htd(temperature=0.0), "temperature must be above 0, not 0.0"),
        (lambda: Htd(end_temperature=-1.0), "end_temperature must be above 0, not -1.0"),
    ],
)
def test_options_out_of_range_are_refused(make, message):
    with pytest.raises(TrainingError, match=message):
        make()

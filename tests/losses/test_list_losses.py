"""The losses on the teacher's top list, each against a slow oracle written from its formula."""

import numpy as np
import pytest
import tensorflow as tf
from fake_teacher import ITEMS, ROWS, TOP, case
from list_oracles import EACH_ITEM_ONCE, Rows, log_sum

from kdrec.errors import TrainingError
from kdrec.losses.base import Batch
from kdrec.losses.cd import Cd, cd, ranks_by_chance
from kdrec.losses.ir_rrd import IrRrd
from kdrec.losses.rank_softmax import RankSoftmax, rank_softmax
from kdrec.losses.rd import Rd, rd
from kdrec.losses.rrd import Rrd
from kdrec.losses.top_kl import TopKl, top_kl


@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_rank_softmax_against_a_slow_oracle(scale):
    rows, expected = Rows(scale=scale), []
    for row in range(ROWS):
        listed, scores = rows.listed(row), rows.scores[row]
        p = np.exp(-np.arange(len(listed)) / 2.5)  # ranks close up over what does not count
        p /= p.sum()
        expected.append(sum(p * (np.log(p) - scores[listed] + log_sum(scores[rows.unseen(row)]))))
    values = rank_softmax(rows.scores, rows.top_items, 2.5, rows.seen)
    assert np.allclose(values, expected, rtol=1e-5)


def test_rank_softmax_has_the_gradient_of_the_dense_cross_entropy():
    rows = Rows()
    scores = tf.Variable(rows.scores, dtype=tf.float32)
    with tf.GradientTape() as tape:
        value = tf.reduce_sum(rank_softmax(scores, rows.top_items, 2.5, rows.seen))
    expected = np.where(rows.seen, 0.0, np.exp(rows.scores))
    expected /= expected.sum(axis=1, keepdims=True)  # q
    for row in range(ROWS):
        p = np.exp(-np.arange(len(rows.listed(row))) / 2.5)
        expected[row, rows.listed(row)] -= p / p.sum()
    assert np.allclose(tape.gradient(value, scores), expected, atol=1e-6)


def test_rank_softmax_is_least_where_scores_fall_evenly_by_rank():
    order = tf.constant([[3, 1, 0, 2]])
    scores = tf.scatter_nd([[0, 3], [0, 1], [0, 0], [0, 2]], -tf.range(4.0) / 1.5, [1, 4])
    assert float(rank_softmax(scores, order, 1.5)[0]) == pytest.approx(0, abs=1e-6)
    assert float(rank_softmax(2.0 * scores, order, 1.5)[0]) > 0.01


def slow_top_kl(rows, row, drawn, temperature):
    listed = [place for place, item in enumerate(rows.top_items[row]) if item in rows.listed(row)]
    t, s = rows.top_scores[row, listed] / temperature, rows.scores[row] / temperature
    log_p = t - log_sum(t)
    stands_for = np.log(ITEMS / drawn.shape[1])
    log_z = log_sum([*s[rows.listed(row)], *(s[rows.contrasts(row, drawn)] + stands_for)])
    return temperature**2 * sum(np.exp(log_p) * (log_p - s[rows.listed(row)] + log_z))


@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_top_kl_against_a_slow_oracle(scale):
    rows = Rows(scale=scale)
    values = top_kl(rows.top_scores, rows.scores, rows.top_items, rows.drawn, 2.0, rows.seen)
    assert np.allclose(values, [slow_top_kl(rows, row, rows.drawn, 2.0) for row in range(ROWS)], rtol=1e-5)


def test_top_kl_sums_over_the_catalogue_when_each_item_is_drawn_once():
    rows = Rows()
    rows.top_items = rows.case.teacher["top_items"].numpy()
    values = top_kl(rows.top_scores, rows.scores, rows.top_items, EACH_ITEM_ONCE, 1.0, rows.seen)
    for row in range(ROWS):
        log_q = rows.scores[row, rows.top_items[row]] - log_sum(rows.scores[row, rows.unseen(row)])
        log_p = rows.top_scores[row] - log_sum(rows.top_scores[row])
        assert float(values[row]) == pytest.approx(sum(np.exp(log_p) * (log_p - log_q)), rel=1e-5)


def test_top_kl_without_draws_compares_within_the_list():
    student, teacher, batch = case()
    equal = {"scores": teacher["scores"]}
    assert np.allclose(TopKl(negatives=0)(equal, teacher, batch), 0, atol=1e-6)
    assert np.all(TopKl(negatives=0)(student, teacher, batch) > 0.01)
    assert np.all(TopKl(negatives=50)(equal, teacher, batch) > 1e-3)


def slow_rd(rows, row, decay, steepness):
    listed, scores = rows.listed(row), rows.scores[row]
    rank = [sum(scores[other] > scores[item] for other in rows.unseen(row)) for item in listed]
    weights = [np.exp(-k / decay) * np.tanh(max(steepness * (rank[k] - k), 0)) for k in range(len(listed))]
    total = sum(weights)
    return sum(w / total * np.log1p(np.exp(-scores[item])) for w, item in zip(weights, listed, strict=True))


def test_rd_against_a_slow_oracle_with_exact_ranks():
    rows = Rows()
    rows.top_items[0, 2] = -1  # a seen entry would be dropped from the list and from what is drawn
    values = rd(rows.scores, rows.top_items, EACH_ITEM_ONCE, 3.0, 0.4, rows.seen)
    assert np.allclose(values, [slow_rd(rows, row, 3.0, 0.4) for row in range(ROWS)], rtol=1e-5)
    assert np.all(values > 0)


def test_rd_estimates_how_many_unlisted_items_rank_higher():
    scores, top = tf.constant([[0.0, 0.0, 1.0, -1.0]]), tf.constant([[0, 1]])
    # Item 2 is one of the two draws: it stands for 4/2 items, so both listed items have rank 2, lying 2 and 1 too low.
    value = rd(scores, top, tf.constant([[2, 3]]), 1.0, 0.5)[0]
    assert float(value) == pytest.approx(np.log(2))  # the weights sum to 1, and both items score 0
    apart = rd(scores - tf.constant([[0.0, 1e-3, 0.0, 0.0]]), top, tf.constant([[2, 3]]), 1.0, 0.5)[0]
    first, second = np.tanh(1.0), np.exp(-1) * np.tanh(1.0)  # now item 0 is above item 1: 2 and 3 − 1 too low
    expected = (first * np.log(2) + second * np.log1p(np.exp(1e-3))) / (first + second)
    assert float(apart) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_cd_against_a_slow_oracle(scale):
    rows, expected = Rows(scale=scale), []
    places = np.random.default_rng(3).integers(0, TOP, (ROWS, 5))
    places[2] = 4  # one item, five times
    for row in range(ROWS):
        terms = []
        for place in places[row]:
            item = rows.top_items[row, place]
            if item in rows.listed(row):
                s, logit = rows.scores[row, item], (rows.top_scores[row, place] - 1.5) / 2.0
                q = np.exp(-np.logaddexp(0, -logit))
                terms.append((np.logaddexp(0, s) - q * s) - (np.logaddexp(0, logit) - q * logit))
        expected.append(np.mean(terms))
    values = cd(rows.top_scores, rows.scores, rows.top_items, places, 2.0, -1.5, rows.seen)
    assert np.allclose(values, expected, rtol=1e-4, atol=1e-6)


def test_cd_draws_ranks_with_a_probability_that_falls_exponentially():
    grid = (np.arange(200_000) + 0.5) / 200_000
    share = np.bincount(ranks_by_chance(tf.constant(grid, tf.float32), 2.0, 6).numpy()) / len(grid)
    p = np.exp(-np.arange(6) / 2.0)
    assert np.allclose(share, p / p.sum(), atol=2e-5)


def test_cd_never_draws_below_its_top():
    student, teacher, batch = case()
    short = {**teacher, "top_items": teacher["top_items"][:, :2], "top_scores": teacher["top_scores"][:, :2]}
    assert np.array_equal(Cd(top=2)(student, teacher, batch), Cd(top=9)(student, short, batch))


@pytest.mark.parametrize("loss", [RankSoftmax(), TopKl(), Rrd()], ids=["rank_softmax", "top_kl", "rrd"])
def test_every_swap_of_neighbours_toward_the_teachers_order_lowers_the_loss(loss):
    _, teacher, batch = case()
    order, scores = teacher["top_items"].numpy(), teacher["scores"].numpy().copy()
    rng, swaps = np.random.default_rng(5), 0
    for row in range(ROWS):
        scores[row, order[row]] = rng.permutation(scores[row, order[row]])
    value = loss({"scores": tf.constant(scores)}, teacher, batch).numpy()
    while True:
        before = value
        for row in range(ROWS):
            listed = scores[row, order[row]]
            wrong = np.flatnonzero(listed[:-1] < listed[1:])
            if len(wrong):
                at = order[row, [wrong[0], wrong[0] + 1]]
                scores[row, at] = scores[row, at[::-1]]
                swaps += 1
        value = loss({"scores": tf.constant(scores)}, teacher, batch).numpy()
        if np.array_equal(value, before):
            break
        assert np.all(value <= before)
    assert swaps > 2 * ROWS and np.all(np.diff(np.take_along_axis(scores, order, axis=1)) <= 0)


def test_rd_costs_nothing_in_the_teachers_order_and_lifts_only_what_lies_too_low():
    _, teacher, batch = case()
    assert np.array_equal(Rd()({"scores": teacher["scores"]}, teacher, batch), np.zeros(ROWS))
    low = tf.tensor_scatter_nd_update(teacher["scores"], [[0, int(teacher["top_items"][0, 1])]], [-9.0])
    scores = tf.Variable(low)
    with tf.GradientTape() as tape:
        value = Rd()({"scores": scores}, teacher, batch)
    assert float(value[0]) == pytest.approx(np.log1p(np.exp(9.0)), rel=1e-6) and np.all(value[1:] == 0)
    gradient = tf.convert_to_tensor(tape.gradient(value, scores)).numpy()
    assert np.argwhere(gradient).tolist() == [[0, int(teacher["top_items"][0, 1])]]


@pytest.mark.parametrize("kind", [RankSoftmax, TopKl, Rd, Rrd])
def test_only_the_best_top_items_are_listed(kind):
    student, teacher, batch = case()
    short = {name: teacher[name][:, :3] for name in ("top_items", "top_scores")}
    assert np.array_equal(kind(top=3)(student, teacher, batch), kind()(student, short, batch))
    assert not np.array_equal(kind(top=3)(student, teacher, batch), kind()(student, teacher, batch))


@pytest.mark.parametrize(
    "loss", [RankSoftmax(), TopKl(), Rd(), Cd(), Rrd()], ids=["rank_softmax", "top_kl", "rd", "cd", "rrd"]
)
def test_a_row_without_a_list_costs_nothing(loss):
    student, teacher, _ = case()
    batch = Batch.of(np.ones((ROWS, ITEMS), bool))
    with tf.GradientTape() as tape:
        values = loss(student, teacher, batch)
    assert np.array_equal(values, np.zeros(ROWS))
    assert not np.any(tf.convert_to_tensor(tape.gradient(values, student["scores"])))


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        (RankSoftmax, {"top": 0}, "top must be at least 1, not 0"),
        (RankSoftmax, {"temperature": 0.0}, "temperature must be above 0, not 0.0"),
        (TopKl, {"negatives": -1}, "negatives must be at least 0, not -1"),
        (TopKl, {"temperature": -2.0}, "temperature must be positive, not -2.0"),
        (Rd, {"decay": 0.0}, "decay must be above 0, not 0.0"),
        (Rd, {"steepness": -0.1}, "steepness must be above 0, not -0.1"),
        (Cd, {"draws": 0}, "draws must be at least 1, not 0"),
        (Cd, {"decay": float("nan")}, "decay must be above 0, not nan"),
        (Rrd, {"negatives": 0}, "negatives must be at least 1, not 0"),
        (IrRrd, {"items": 0}, "items must be at least 1, not 0"),
        (IrRrd, {"item_weight": -1.0}, "item_weight must be at least 0, not -1.0"),
    ],
)
def test_an_option_out_of_range_is_refused(kind, options, message):
    with pytest.raises(TrainingError, match=message):
        kind(**options)

"""The losses on the order of a list, `rrd` and `ir_rrd`, each against a slow oracle written from its formula."""

import numpy as np
import pytest
import tensorflow as tf
from fake_teacher import ITEM_TOP, ITEMS, ROWS, case
from list_oracles import Rows, slow_plackett_luce

from kdrec.losses.ir_rrd import IrRrd, ir_rrd
from kdrec.losses.rrd import Rrd, plackett_luce, rrd


@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_rrd_against_a_slow_oracle(scale):
    rows = Rows(scale=scale)
    values = rrd(rows.scores, rows.top_items, rows.drawn, rows.seen)
    expected = [
        slow_plackett_luce(rows.scores[row, rows.listed(row)], rows.scores[row, rows.contrasts(row, rows.drawn)])
        for row in range(ROWS)
    ]
    assert np.allclose(values, expected, rtol=1e-5)


def test_plackett_luce_of_a_full_ranking_is_a_probability():
    scores = np.array([0.3, -1.0, 2.0])
    orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]
    ranked = tf.constant(scores[orders], tf.float32)
    values = plackett_luce(ranked, tf.ones_like(ranked, tf.bool), tf.fill([6], -1e9))
    assert float(tf.reduce_sum(tf.exp(-3 * values))) == pytest.approx(1, rel=1e-5)


def test_plackett_luce_has_exact_gradients_at_extreme_scores():
    ranked = tf.Variable([[-1e4, 0.0, 1e4]])
    with tf.GradientTape() as tape:
        value = plackett_luce(ranked, tf.ones((1, 3), tf.bool), tf.constant([5e3]))
    # The first term loses to the last item, the second too, the third wins: (−1, −1, 1 + 1) / 3.
    assert value.numpy() == pytest.approx([(2e4 + 1e4) / 3])
    assert np.allclose(tape.gradient(value, ranked), [[-1 / 3, -1 / 3, 2 / 3]], atol=1e-6)


def slow_item_side(rows, item_users, cache_rows, asked):
    values = []
    for item in asked:
        may = [row for row in range(ROWS) if not rows.seen[row, item]]
        ranked = [cache_rows.index(user) for user in item_users[item] if user in cache_rows]
        ranked = [row for row in ranked if row in may]
        if ranked:
            below = [row for row in may if row not in ranked]
            values.append(slow_plackett_luce(rows.scores[ranked, item], rows.scores[below, item]))
    return np.mean(values)


@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_ir_rrd_against_a_slow_oracle(scale):
    rows = Rows(scale=scale)
    item_users, cache_rows = rows.case.teacher["item_users"].numpy(), rows.case.teacher["row"].numpy().tolist()
    item_users[4] = -1  # an item that ranks nobody is left out of the mean
    item_users[6, 2:] = -1
    asked = [6, 1, 6, 4, 9, 3]
    plain = rrd(rows.scores, rows.top_items, rows.drawn, rows.seen).numpy()
    values = ir_rrd(
        rows.scores, rows.top_items, rows.drawn, item_users, tf.constant(cache_rows), tf.constant([*asked, -1]), 0.7,
        rows.seen,
    )  # fmt: skip
    expected = plain + 0.7 * slow_item_side(rows, item_users, cache_rows, asked)
    assert np.allclose(values, expected, rtol=1e-5)
    assert not np.allclose(values, plain, rtol=1e-3)


def test_ir_rrd_shares_the_item_side_equally_and_does_not_mind_the_order_of_the_rows():
    rows, asked = Rows(), tf.constant([6, 1, 4])
    item_users, cache_rows = rows.case.teacher["item_users"], rows.case.teacher["row"]
    told = (rows.scores, rows.top_items, rows.drawn)
    values = ir_rrd(*told, item_users, cache_rows, asked, 1.0, rows.seen)
    plain = rrd(*told, rows.seen)
    assert np.ptp(values - plain) == pytest.approx(0, abs=1e-5) and float(values[0] - plain[0]) > 0.1
    flipped = ir_rrd(*(part[::-1] for part in told), item_users, cache_rows[::-1], asked, 1.0, rows.seen[::-1])
    assert np.allclose(flipped[::-1], values, rtol=1e-5)


def test_ir_rrd_falls_when_an_items_users_come_into_the_teachers_order():
    teacher, seen = case().teacher, np.zeros((ROWS, ITEMS), bool)
    item, cache_rows = 5, teacher["row"].numpy().tolist()
    order = [cache_rows.index(user) for user in teacher["item_users"].numpy()[item] if user in cache_rows]
    assert len(order) >= 2
    scores = np.zeros((ROWS, ITEMS), np.float32)
    told = (
        teacher["top_items"],
        tf.zeros((ROWS, 0), tf.int32),
        teacher["item_users"],
        teacher["row"],
        tf.constant([item]),
    )
    scores[order[0], item], scores[order[1], item] = -1.0, 1.0
    wrong = tf.reduce_mean(ir_rrd(tf.constant(scores), *told, 1.0, seen) - rrd(scores, *told[:2], seen))
    scores[order[0], item], scores[order[1], item] = 1.0, -1.0
    right = tf.reduce_mean(ir_rrd(tf.constant(scores), *told, 1.0, seen) - rrd(scores, *told[:2], seen))
    assert right < wrong


def test_ir_rrd_without_weight_is_rrd_and_its_draws_come_from_the_lists():
    student, teacher, batch = case()
    plain = Rrd()(student, teacher, batch)
    assert np.allclose(IrRrd(item_weight=0)(student, teacher, batch), plain)
    unlisted = sorted(set(range(ITEMS)) - set(teacher["top_items"][:, :1].numpy().ravel().tolist()))
    nobody = tf.tensor_scatter_nd_update(
        teacher["item_users"], [[item] for item in unlisted], -tf.ones((len(unlisted), ITEM_TOP), tf.int32)
    )
    of_all = IrRrd(top=1)(student, teacher, batch)
    assert np.array_equal(IrRrd(top=1)(student, {**teacher, "item_users": nobody}, batch), of_all)
    assert not np.allclose(of_all, Rrd(top=1)(student, teacher, batch))

"""The encoders that attend and remember: their formulas in numpy, and what padding does to them."""

import inspect

import numpy as np
import pytest

from kdrec.errors import TrainingError
from kdrec.models import encoders
from kdrec.models.layers import HistoryAttention, HistoryGru, HistoryMean
from kdrec.models.students.history import history

WIDTH, LENGTH = 4, 6
HISTORIES = np.array([[0, 0, 0, 0, 0, 5], [0, 0, 3, 1, 2, 11], [6, 5, 4, 3, 2, 1]], np.int32)
PADDING_SHARE = LENGTH * np.exp(-8)  # the most that padding may take of an item's weight


def rows_of(histories, width=WIDTH, seed=1):
    """(rows, length, width): a vector an item, the same wherever it occurs; padding is zero."""
    table = np.random.default_rng(seed).normal(size=(100, width)).astype(np.float32)
    table[0] = 0
    return table[histories]


def shaken(layer, inputs, seed=0):
    """The layer with weights of a size that shows every part of its formula."""
    layer(inputs)
    rng = np.random.default_rng(seed)
    layer.set_weights([rng.normal(size=weight.shape).astype(np.float32) * 0.7 for weight in layer.get_weights()])
    return layer


def longer(histories, more=3):
    return np.pad(histories, ((0, 0), (more, 0)))


def test_folder_holds_them_and_each_names_its_options():
    assert {"attention", "conv", "mean", "rnn"} <= set(encoders.names())
    for name in encoders.names():
        parameters = inspect.signature(encoders.get(name)).parameters
        assert list(parameters)[:4] == ["history", "embedded", "context", "ordered"] and "seed" in parameters


@pytest.mark.parametrize("heads", [1, 2])
@pytest.mark.parametrize("power", [0.5, 1.0])
def test_attention_is_a_softmax_over_the_items_alone(heads, power):
    embedded = rows_of(HISTORIES)
    layer = shaken(HistoryAttention(heads=heads, power=power), [HISTORIES, embedded])
    scorer, positions = layer.get_weights()
    received = layer([HISTORIES, embedded]).numpy()
    for row, tokens in enumerate(HISTORIES):
        at = np.flatnonzero(tokens)
        pooled = []
        for head, block in enumerate(np.split(embedded[row, at], heads, axis=1)):
            scores = 4 * np.tanh(embedded[row, at] @ scorer[:, head] + positions[at, 0, head])
            shares = np.exp(scores) / np.exp(scores).sum()
            pooled.append(len(at) ** (1 - power) * shares @ block)
        np.testing.assert_allclose(received[row], np.concatenate(pooled), rtol=PADDING_SHARE, atol=1e-5)


def test_attention_begins_as_the_mean():
    embedded = rows_of(HISTORIES)
    expected = HistoryMean()([HISTORIES, embedded])
    np.testing.assert_allclose(HistoryAttention()([HISTORIES, embedded]), expected, rtol=1e-4)


def test_attention_over_a_set_reads_no_order():
    layer = HistoryAttention(learn_positions=False)
    turned = np.array([[0, 0, 2, 11, 3, 1]], np.int32)
    layer([turned, rows_of(turned)])
    layer.scorer.assign(np.ones((WIDTH, 1), np.float32))
    assert [weight.name.split(":")[0].rpartition("/")[2] for weight in layer.trainable_weights] == ["scorer"]
    received = [layer([tokens, rows_of(tokens)]).numpy() for tokens in (turned, HISTORIES[1:2])]
    np.testing.assert_allclose(*received, rtol=1e-5)


def test_padding_takes_no_share_of_attention():
    short, long = HISTORIES, longer(HISTORIES)
    layer = shaken(HistoryAttention(heads=2), [short, rows_of(short)])
    wide = HistoryAttention(heads=2)
    wide([long, rows_of(long)])
    scorer, positions = layer.get_weights()
    wide.set_weights([scorer, np.concatenate([np.full((3, 1, 2), 5.0, np.float32), positions])])
    expected = layer([short, rows_of(short)]).numpy()
    np.testing.assert_allclose(wide([long, rows_of(long)]), expected, rtol=2 * PADDING_SHARE)
    empty = np.zeros((1, LENGTH), np.int32)
    assert not layer([empty, rows_of(empty)]).numpy().any()


def slow_gru(layer, rows):
    """The state after the rows of one history, from the layer's formula."""
    gates, ahead, candidate, within, bias = (
        weight.numpy().astype(np.float64)
        for weight in (
            layer.gates_kernel, layer.gates_recurrent, layer.candidate_kernel, layer.candidate_recurrent,
            layer.gates_bias,
        )
    )  # fmt: skip
    state = np.zeros(rows.shape[1])
    for row in rows:
        update, reset = np.split(1 / (1 + np.exp(-(row @ gates + state @ ahead + bias))), 2)
        state += update * (np.tanh(row @ candidate + reset * (state @ within)) - state)
    return state


@pytest.mark.parametrize("steps", [1, 2, 4, 99])
def test_gru_is_its_formula_over_the_last_items(steps):
    embedded = rows_of(HISTORIES)
    layer = shaken(HistoryGru(steps=steps), embedded)
    expected = [slow_gru(layer, rows[-steps:]) for rows in embedded]
    np.testing.assert_allclose(layer(embedded), expected, rtol=1e-4, atol=1e-6)


def test_padding_leaves_the_state_at_zero():
    layer = shaken(HistoryGru(steps=9), rows_of(HISTORIES))
    np.testing.assert_allclose(layer(rows_of(HISTORIES)), layer(rows_of(longer(HISTORIES))), rtol=1e-5, atol=1e-6)
    assert not layer(np.zeros((1, LENGTH, WIDTH), np.float32)).numpy().any()


def test_equal_seeds_give_equal_encoders():
    first, again, other = (
        history(9, embedding_dim=WIDTH, history_length=LENGTH, encoder="rnn", seed=seed).get_layer("history_gru")
        for seed in (3, 3, 4)
    )
    for one, two, three in zip(first.get_weights()[:4], again.get_weights()[:4], other.get_weights()[:4], strict=True):
        assert np.array_equal(one, two) and not np.array_equal(one, three)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"encoder": "rnn", "ordered": False}, "encoder 'rnn' reads the order of a history, but .* are sets; use"),
        ({"encoder": "rnn", "encoder_options": {"steps": 0}}, "steps must be at least 1, not 0"),
        ({"encoder": "attention", "encoder_options": {"heads": 3}}, "heads must divide embedding_dim=4, and 3 does"),
        ({"encoder": "attention", "encoder_options": {"heads": 0}}, "heads must divide embedding_dim=4, and 0 does"),
        ({"encoder": "rnn", "encoder_options": {"step": 3}}, "encoder 'rnn' has no option 'step'; it has steps"),
        ({"encoder": "mean", "encoder_options": {"seed": 3}}, "encoder 'mean' has no option 'seed'; it has power"),
    ],
)
def test_options_are_checked(options, message):
    with pytest.raises(TrainingError, match=message):
        history(9, embedding_dim=WIDTH, history_length=LENGTH, **options)

"""A narrower student says what the wide one said, as far as its width can."""

import numpy as np
import pytest
import tf_keras as keras

from kdrec.compress.shrink import check, shrink
from kdrec.errors import TrainingError
from kdrec.models import encoders
from kdrec.models.students.history import history

ITEMS, LENGTH, SHORT, ROWS, WIDTH, RANK, HIDDEN = 40, 6, 4, 300, 8, 3, 12
RNG = np.random.default_rng(0)
ENCODERS = pytest.mark.parametrize("encoder", encoders.names())
TIED = pytest.mark.parametrize("tied", [True, False], ids=["tied", "untied"])


def histories(length, most):
    """Of one to `most` items, right-aligned."""
    tokens = RNG.integers(1, ITEMS + 1, (ROWS, length))
    counts = RNG.integers(1, most + 1, ROWS)
    return np.where(np.arange(length)[::-1] < counts[:, None], tokens, 0).astype(np.int32)


def inputs(length=LENGTH, most=LENGTH):
    return {"history": histories(length, most), "place": RNG.integers(0, 4, ROWS).astype(np.int32)}


def built(width=WIDTH, hidden=HIDDEN, length=LENGTH, **options):
    return history(ITEMS, embedding_dim=width, history_length=length, hidden=hidden, context={"place": 3}, **options)


def wide(rank=None, **options):
    """A student with weights as after a training; its tables have a rank."""
    student = built(**options)
    for layer in student.layers:
        layer.set_weights([0.4 * RNG.normal(size=weight.shape) for weight in layer.get_weights()])
    span = RNG.normal(size=(rank or WIDTH, WIDTH))
    for layer in student.layers:
        if layer.name in ("item_table", "item_scores", "context_place"):
            rows = RNG.normal(size=(layer.weights[0].shape[0], len(span))) @ span
            rows[0] = rows[0] * (layer.name != "item_table")  # padding
            layer.set_weights([rows])
    return student


def scores(student, x):
    return student({**x}).numpy()


def shrunk(student, x, **sizes):
    """A smaller student, built as the larger one was."""
    options = {name: sizes.pop(name) for name in ("encoder", "tied") if name in sizes}
    smaller = built(**options, **sizes)
    shrink(student, smaller, x)
    return smaller


def close(received, expected, atol=2e-5):
    np.testing.assert_allclose(received, expected, atol=atol * np.abs(expected).max())


@TIED
@pytest.mark.parametrize("encoder", ["mean", "attention"])
def test_tables_of_low_rank_are_turned_without_loss(encoder, tied):
    student, x, unseen = wide(RANK, encoder=encoder, tied=tied), inputs(), inputs()
    before = [weight.copy() for weight in student.get_weights()]
    smaller = shrunk(student, x, encoder=encoder, tied=tied, width=RANK)
    assert smaller.get_layer("item_table").table.shape == (ITEMS + 1, RANK)
    assert not smaller.get_layer("item_table").get_weights()[0][0].any()
    close(scores(smaller, unseen), scores(student, unseen))
    assert all(np.array_equal(a, b) for a, b in zip(before, student.get_weights(), strict=True))


@TIED
def test_columns_that_say_nothing_leave_conv_without_loss(tied):
    student, x, unseen = wide(encoder="conv", tied=tied), inputs(), inputs()
    silent = [0, 3, 4]
    for name in ("item_table", "item_scores", "context_place"):
        if name in [layer.name for layer in student.layers]:
            table = student.get_layer(name).get_weights()[0]
            table[:, silent] = 0
            student.get_layer(name).set_weights([table])
    kernel = student.get_layer("local").get_weights()[0]
    kernel[:, :, silent] = 0  # and no filter writes into them
    student.get_layer("local").set_weights([kernel])
    smaller = shrunk(student, x, encoder="conv", tied=tied, width=WIDTH - len(silent))
    close(scores(smaller, unseen), scores(student, unseen))


@TIED
def test_units_that_never_wake_leave_rnn_without_loss(tied):
    student, x, unseen = wide(RANK, encoder="rnn", tied=tied), inputs(), inputs()
    asleep = np.arange(RANK, WIDTH)
    cell = student.get_layer("history_gru")
    weights = cell.get_weights()
    for which in (2, 3):  # without a candidate the state stays zero
        weights[which][:, asleep] = 0
    cell.set_weights(weights)
    place = student.get_layer("context_place")
    place.set_weights([np.where(np.isin(np.arange(WIDTH), asleep), 0, place.get_weights()[0])])
    smaller = shrunk(student, x, encoder="rnn", tied=tied, width=RANK)
    close(scores(smaller, unseen), scores(student, unseen))


def test_the_scores_lose_the_discarded_singular_values():
    """Where the history is read without loss, and there is no layer beside the linear one."""
    student, x = wide(RANK, hidden=0, tied=False), inputs()
    items = RNG.normal(size=(ITEMS, WIDTH))
    student.get_layer("item_scores").set_weights([items])
    expected = scores(student, x)
    discarded = np.linalg.svd(expected, compute_uv=False)[RANK:]  # the rank is that of the histories, and of c
    received = scores(shrunk(student, x, tied=False, width=RANK, hidden=0), x)
    assert np.square(received - expected).sum() == pytest.approx(np.square(discarded).sum(), rel=1e-3)
    assert np.square(discarded).sum() > 1e-3 * np.square(expected).sum()


@ENCODERS
@TIED
def test_a_narrower_student_is_nearer_than_chance_and_not_the_same(encoder, tied):
    student, x, unseen = wide(encoder=encoder, tied=tied), inputs(), inputs()
    expected = scores(student, unseen)
    received = scores(shrunk(student, x, encoder=encoder, tied=tied, width=6), unseen)
    error = np.square(received - expected).mean() / np.square(expected).mean()
    assert 0 < error < 0.6


@ENCODERS
def test_nothing_changes_where_the_short_history_holds_all(encoder):
    most = SHORT - 1  # conv looks one item ahead of the first
    student, x, unseen = wide(encoder=encoder), inputs(SHORT, most), inputs(LENGTH, most)
    smaller = shrunk(student, x, encoder=encoder, length=SHORT)
    cut = {**unseen, "history": unseen["history"][:, -SHORT:]}
    # attention gives a padded place exp(-8) of a share, and there are fewer of them
    close(scores(smaller, cut), scores(student, unseen), atol=2e-3 if encoder == "attention" else 2e-5)


def dead_and_constant(student):
    """Hidden units 0 and 1 never wake, unit 2 is always at 5, and unit 3 is unit 4 twice."""
    kernel, bias = student.get_layer("hidden").get_weights()
    kernel[:, :3], bias[:3] = 0, [-1, -1, 5]
    kernel[:, 3], bias[3] = 2 * kernel[:, 4], 2 * bias[4]
    student.get_layer("hidden").set_weights([kernel, bias])


@pytest.mark.parametrize("width", [None, RANK])
def test_units_that_others_can_stand_for_leave_without_loss(width):
    student, x, unseen = wide(RANK), inputs(), inputs()
    dead_and_constant(student)
    smaller = shrunk(student, x, hidden=HIDDEN - 4, width=width or WIDTH)
    assert smaller.get_layer("hidden").units == HIDDEN - 4
    close(scores(smaller, unseen), scores(student, unseen), atol=2e-3)


def test_the_layer_is_left_out_with_its_last_unit():
    student, x, unseen = wide(), inputs(), inputs()
    kernel, bias = student.get_layer("hidden").get_weights()
    student.get_layer("hidden").set_weights([0 * kernel, 0 * bias + 1])  # constants, which the bias can hold
    smaller = shrunk(student, x, hidden=0)
    assert "hidden" not in [layer.name for layer in smaller.layers]
    close(scores(smaller, unseen), scores(student, unseen), atol=2e-3)


def test_the_units_left_take_over():
    """The least of what a unit said that the others cannot say is lost: less than by zeroing the smallest kernels."""
    student, x, unseen = wide(), inputs(), inputs()
    expected = scores(student, unseen)
    error = np.square(scores(shrunk(student, x, hidden=HIDDEN // 2), unseen) - expected).mean()
    zeroed = keras.models.clone_model(student)
    zeroed.set_weights(student.get_weights())
    outer = student.get_layer("residual").get_weights()[0]
    small = np.argsort(np.linalg.norm(outer, axis=1))[: HIDDEN // 2]
    outer[small] = 0
    zeroed.get_layer("residual").set_weights([outer])
    assert 0 < error < 0.5 * np.square(scores(zeroed, unseen) - expected).mean()


def test_a_student_without_a_hidden_layer_and_without_context():
    student = history(ITEMS, embedding_dim=WIDTH, history_length=LENGTH, hidden=0)
    smaller = history(ITEMS, embedding_dim=WIDTH - 1, history_length=SHORT, hidden=0)
    shrink(student, smaller, {"history": histories(SHORT, SHORT)})
    assert np.isfinite(scores(smaller, {"history": histories(SHORT, SHORT)})).all()


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"width": 9}, "embedding_dim of the smaller student must be at most 8, not 9"),
        ({"hidden": 13, "width": 4}, "hidden of the smaller student must be at most 12, not 13"),
        ({"length": 7}, "history_length of the smaller student must be at most 6, not 7"),
        ({}, "nothing to shrink: both students have embedding_dim=8, hidden=12, history_length=6"),
    ],
)
def test_what_is_not_smaller(sizes, message):
    with pytest.raises(TrainingError, match=message):
        check(built(), built(**sizes))


def test_blocks_of_columns_are_not_turned():
    heads = {"encoder": "attention", "encoder_options": {"heads": 2}}
    with pytest.raises(TrainingError, match="heads must be 1 for an attention to be made narrower, not 2.*use heads=1"):
        shrink(built(**heads), built(width=4, **heads), inputs())


def test_an_encoder_that_nobody_knows():
    student = built()
    tokens = student.get_layer("history").output
    rows = keras.layers.LSTM(WIDTH, name="cell")(student.get_layer("item_table").output[0])
    strange = keras.Model({"history": tokens}, keras.layers.Dense(WIDTH, name="linear")(rows))
    with pytest.raises(TrainingError, match="layer 'cell' of the encoder is a LSTM, which cannot be made narrower"):
        check(strange, built(width=4))

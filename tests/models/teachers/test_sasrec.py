import numpy as np
import pytest
import tensorflow as tf

from kdrec.data.histories import pad_histories
from kdrec.data.interactions import Interactions
from kdrec.errors import DataError, TrainingError
from kdrec.models.teachers.base.gain import gain_at_10
from kdrec.models.teachers.sasrec import sasrec, train
from kdrec.models.teachers.sasrec.batches import SequenceBatches
from kdrec.models.teachers.sasrec.model import SasrecOptions
from kdrec.models.teachers.sasrec.teacher import built

N_ITEMS = 9
SMALL = {"embedding_dim": 8, "blocks": 1, "heads": 1, "batch_size": 8, "learning_rate": 0.01}


def ring(users=24, taken=5, weights=None):
    """Every user begins with item 2 and goes round the ring of items: after item j comes item j + 1."""
    items = np.tile((2 + np.arange(taken)) % N_ITEMS, (users, 1))
    times = np.tile(np.arange(taken), users)
    return Interactions(
        np.repeat(np.arange(users), taken), items.ravel(), np.arange(users), np.arange(N_ITEMS),
        times=times, weights=weights,
    )  # fmt: skip


def walks(users=40, seed=0):
    """Each user goes round the ring from an item of its own, three to seven steps."""
    rng = np.random.default_rng(seed)
    counts, starts = rng.integers(3, 8, users), rng.integers(0, N_ITEMS, users)
    who = np.repeat(np.arange(users), counts)
    step = np.concatenate([np.arange(count) for count in counts])
    return Interactions(who, (starts[who] + step) % N_ITEMS, np.arange(users), np.arange(N_ITEMS), times=step)


def untrained(**changes):
    options = {
        "n_items": N_ITEMS, "history_length": 5, "embedding_dim": 6, "blocks": 2, "heads": 3, "dropout": 0.5,
        "negatives": 0, "seed": 0,
    }  # fmt: skip
    model = built(SasrecOptions(**{**options, **changes})).model
    rng = np.random.default_rng(1)
    model.set_weights([weight + rng.normal(0, 0.3, weight.shape) for weight in model.get_weights()])
    return model


HISTORY = np.array([[0, 0, 4, 1, 3], [2, 9, 5, 7, 8], [0, 0, 0, 0, 0]], np.int32)


def slow_norm(layer, x):
    gamma, beta = layer.get_weights()
    return (x - x.mean()) / np.sqrt(x.var() + layer.epsilon) * gamma + beta


def slow_dense(layer, x):
    kernel, bias = layer.get_weights()
    return x @ kernel + bias


def slow_state(model, tokens):
    """The last state of one history without its padding, position by position and head by head."""
    table, positions = model.items.get_weights()[0], model.positions.get_weights()[0]
    length, heads = len(tokens), model.options.heads
    tokens = tokens[tokens > 0]
    first = length - len(tokens)
    x = [table[token] + positions[first + place] for place, token in enumerate(tokens)] or [table[0]]
    for block in model.blocks:
        normed = [slow_norm(block.norms[0], vector) for vector in x]
        query, key, value = (
            [np.split(slow_dense(layer, vector), heads) for vector in normed]
            for layer in (block.query, block.key, block.value)
        )
        after = []
        for place, vector in enumerate(x):
            read = []
            for head in range(heads):
                logits = np.array([query[place][head] @ key[other][head] for other in range(place + 1)])
                weights = np.exp(logits / np.sqrt(len(query[0][0])))
                read.append(sum(w * value[other][head] for other, w in enumerate(weights / weights.sum())))
            after.append(vector + slow_dense(block.out, np.concatenate(read)))
        x = [
            vector
            + slow_dense(block.shrink, np.maximum(slow_dense(block.hidden, slow_norm(block.norms[1], vector)), 0))
            for vector in after
        ]
    return slow_norm(model.norm, x[-1])


def test_the_state_is_that_of_the_transformer():
    model = untrained()
    expected = np.stack([slow_state(model, tokens) for tokens in HISTORY])
    np.testing.assert_allclose(model.embed_query(HISTORY), expected, rtol=1e-4, atol=1e-5)


def test_a_state_does_not_read_what_comes_after_it():
    model = untrained()
    later = HISTORY.copy()
    later[:, 3:] = [[6, 2], [1, 4], [1, 2]]
    np.testing.assert_allclose(model(later)[:, :3], model(HISTORY)[:, :3], atol=1e-6)
    assert not np.allclose(model(later)[:, 3], model(HISTORY)[:, 3], atol=1e-2)


BATCH = {
    "history": HISTORY,
    "item": np.array([[0, 4, 1, 3, 5], [9, 5, 7, 8, 1], [0, 0, 0, 0, 0]], np.int32),
    "weight": np.array([[0, 1.0, 2.0, 0.5, 1.0], [1.0, 1.0, 1.0, 3.0, 1.0], [0, 0, 0, 0, 0]], np.float32),
    "negatives": np.array([1, 6, 6, 8], np.int32),
}


def batch(**changes):
    return {name: tf.constant(array) for name, array in {**BATCH, **changes}.items()}


def slow_loss(model, candidates_of):
    """The weighted mean of −log softmax, item by item; `candidates_of(item)` are (token, how many it stands for)."""
    states, table = model(HISTORY).numpy(), model.items.get_weights()[0]
    losses, weights = [], []
    for row, place in zip(*np.nonzero(BATCH["item"]), strict=True):
        item = BATCH["item"][row, place]
        total = np.exp(states[row, place] @ table[item])
        total += sum(count * np.exp(states[row, place] @ table[token]) for token, count in candidates_of(item))
        losses.append(np.log(total) - states[row, place] @ table[item])
        weights.append(BATCH["weight"][row, place])
    return np.average(losses, weights=weights)


def test_the_loss_is_the_softmax_over_all_items():
    model = untrained()
    everything = slow_loss(model, lambda item: [(token, 1.0) for token in range(1, N_ITEMS + 1) if token != item])
    assert float(model.batch_loss(batch())) == pytest.approx(everything, rel=1e-5)


def test_each_negative_stands_for_its_share_of_the_others_and_never_for_the_item():
    model = untrained(negatives=4)
    expected = slow_loss(model, lambda item: [(token, (N_ITEMS - 1) / 4) for token in (1, 6, 6, 8) if token != item])
    assert float(model.batch_loss(batch())) == pytest.approx(expected, rel=1e-5)
    assert float(untrained(negatives=0).batch_loss(batch())) != pytest.approx(expected, rel=1e-2)


def test_dropout_repeats_itself_by_the_seed_of_the_batch():
    model = untrained()
    losses = [float(model.batch_loss(batch(), tf.constant([7, number]))) for number in (0, 0, 1)]
    assert losses[0] == losses[1] != losses[2] != float(model.batch_loss(batch()))


def test_every_item_is_told_from_those_before_it():
    log = walks()
    batches = SequenceBatches(log, 7, 4, 0, 0)
    rows = batches.batch(batches.rows, np.random.default_rng(0))
    for user, history, item in zip(batches.rows, rows["history"], rows["item"], strict=True):
        own = log.items[log.indptr[user] : log.indptr[user + 1]] + 1
        assert item[item > 0].tolist() == own.tolist()
        assert history[item > 0].tolist() == [0, *own[:-1]]


def test_of_a_long_history_a_window_is_drawn():
    weights = np.tile(np.arange(1.0, 6.0), 24)
    batches = SequenceBatches(ring(weights=weights), 3, 4, 2, 0)
    rows = batches.batch(np.repeat(0, 300), np.random.default_rng(0))
    windows = {
        (tuple(a), tuple(b), tuple(c)) for a, b, c in zip(rows["history"], rows["item"], rows["weight"], strict=True)
    }
    assert windows == {
        ((0, 3, 4), (3, 4, 5), (1, 2, 3)),
        ((3, 4, 5), (4, 5, 6), (2, 3, 4)),
        ((4, 5, 6), (5, 6, 7), (3, 4, 5)),
    }
    assert rows["negatives"].shape == (2,) and rows["negatives"].min() >= 1


def test_epochs_hold_every_user_and_do_not_depend_on_where_they_start():
    batches = SequenceBatches(walks(), 7, 8, 3, 0)
    steps = batches.steps_per_epoch
    both = list(batches(0).take(2 * steps).as_numpy_iterator())
    second = list(batches(1).take(steps).as_numpy_iterator())
    for a, b in zip(both[steps:], second, strict=True):
        assert all(np.array_equal(a[name], b[name]) for name in a)
    assert any(not np.array_equal(a["item"], b["item"]) for a, b in zip(both, second, strict=False))
    counts = sum(np.bincount(rows["item"].ravel(), minlength=N_ITEMS + 1) for rows in second)[1:]
    assert np.array_equal(counts, walks().item_counts())


def test_users_without_a_pair_are_no_rows():
    log = walks()
    assert SequenceBatches(log.select(log.users != 3), 7, 8, 0, 0).rows.tolist() == [0, 1, 2, *range(4, 40)]


@pytest.fixture(scope="module")
def teacher():
    return sasrec(walks(), epochs=40, **SMALL)


@pytest.mark.slow
def test_what_comes_next_is_told_by_the_last_item(teacher):
    forward = np.array([[0, 2, 3, 4], [0, 7, 8, 9]])
    assert teacher({"history": forward}).argmax(axis=1).tolist() == [4, 0]
    assert teacher({"history": forward[:, ::-1]}).argmax(axis=1).tolist() != [4, 0]


@pytest.mark.slow
def test_an_empty_history_is_answered_by_what_users_begin_with():
    begun = sasrec(ring(), epochs=20, **SMALL)
    assert begun({"history": np.zeros((1, 3))}).argmax() == 2


@pytest.mark.slow
def test_only_the_last_items_are_read(teacher):
    short = sasrec(walks(), epochs=1, history_length=2, **SMALL)
    x = np.array([[1, 2, 3, 4]])
    np.testing.assert_allclose(short({"history": x}), short({"history": x[:, 2:]}), atol=1e-6)
    assert teacher.model.options.history_length == 6  # of the longest history, seven items, the last tells nothing
    assert not np.allclose(teacher({"history": x}), teacher({"history": x[:, 2:]}), atol=1e-3)


@pytest.mark.slow
def test_rows_are_answered_in_blocks(teacher, monkeypatch):
    x = {"history": pad_histories(walks(), np.arange(7))}
    whole = teacher(x)
    monkeypatch.setattr("kdrec.models.teachers.sasrec.teacher.BLOCK", 3)
    np.testing.assert_allclose(teacher(x), whole, atol=1e-6)
    assert teacher({"history": np.zeros((0, 4))}).shape == (0, N_ITEMS)


@pytest.mark.parametrize("negatives", [None, 4])
def test_large_catalogues_are_sampled(monkeypatch, negatives):
    monkeypatch.setattr(train, "LARGE", N_ITEMS - 1)
    monkeypatch.setattr(train, "SAMPLED", 3)
    monkeypatch.setattr(train, "fit", lambda *_, **__: None)
    options = sasrec(walks(), negatives=negatives, **SMALL).model.options
    assert options.negatives == (negatives or 3)


@pytest.mark.slow
def test_negatives_learn_too():
    sampled = sasrec(walks(), epochs=60, negatives=4, **SMALL)
    assert sampled({"history": np.array([[0, 2, 3, 4], [0, 7, 8, 9]])}).argmax(axis=1).tolist() == [4, 0]


@pytest.mark.parametrize(
    ("better", "gain"), [(0, 1.0), (2, 0.5), (9, 1 / np.log2(11)), (10, 0.0)], ids=["first", "third", "tenth", "below"]
)
def test_gain_at_10_is_that_of_one_rank(better, gain):
    """The held-out item is token 20; so many of the unseen items, and two seen ones, are above it."""
    scores = np.zeros((1, 20), np.float32)
    scores[0, 19], scores[0, : better + 2] = 1.0, 2.0
    got = gain_at_10(tf.constant(scores), tf.constant([20]), tf.constant([[0, 1, 2]]))
    assert float(got[0]) == pytest.approx(gain, rel=1e-6)


@pytest.mark.parametrize("ordered", [None, False])
def test_sets_are_refused(ordered):
    log = walks() if ordered is False else Interactions([0, 0], [0, 1], [5], [6, 7])
    with pytest.raises(DataError, match="'sasrec' reads the order .* are sets here; use two_tower, ease or als, give"):
        sasrec(log, ordered=ordered)


def test_a_log_without_times_may_be_said_to_be_ordered(monkeypatch):
    monkeypatch.setattr(train, "fit", lambda *_, **__: None)
    log = Interactions([0, 0, 1], [0, 1, 0], [5, 6], [7, 8])
    assert sasrec(log, ordered=True, **SMALL).n_items == 2


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"blocks": 0}, DataError, "blocks must be above 0, not 0; leave it out for the default"),
        ({"heads": 3}, TrainingError, "heads must divide embedding_dim, and 3 does not divide 64; try 1 or 2"),
        ({"dropout": 1.0}, TrainingError, r"dropout must lie in \[0, 1\), not 1.0; 0.2 is the default"),
        ({"negatives": -1}, TrainingError, "negatives must be at least 0, not -1; 0 is the softmax over all items"),
    ],
)
def test_options_out_of_range_are_refused(options, error, said):
    with pytest.raises(error, match=said):
        sasrec(walks(), **options)

import numpy as np
import pytest
import tensorflow as tf

from kdrec.data.interactions import Interactions
from kdrec.errors import DataError, TrainingError
from kdrec.losses.softmax import softmax
from kdrec.models.teachers.base import load
from kdrec.models.teachers.mult_vae import mult_vae
from kdrec.models.teachers.mult_vae.batches import HiddenBatches, hidden
from kdrec.models.teachers.mult_vae.model import VaeOptions, divergence, likelihood_loss
from kdrec.models.teachers.mult_vae.networks import network
from kdrec.models.teachers.mult_vae.teacher import MultVae

N_USERS, N_ITEMS = 24, 9
SMALL = {"embedding_dim": 4, "hidden": 6, "batch_size": 8, "learning_rate": 0.02}
FORMS = pytest.mark.parametrize(
    ("tied", "width"),
    [(True, 6), (True, 0), (False, 6), (False, 0)],
    ids=["tied", "tied flat", "untied", "untied flat"],
)


def log(repeated=False, weights=False, seed=0):
    """User 3 has no pair, user 4 one; the first pair of user 5 may occur twice."""
    rng = np.random.default_rng(seed)
    taken = rng.random((N_USERS, N_ITEMS)) < 0.5
    taken[3], taken[4] = False, np.arange(N_ITEMS) == 2
    users, items = np.nonzero(taken)
    if repeated:
        twice = np.flatnonzero(users == 5)[0]
        users, items = np.append(users, users[twice]), np.append(items, items[twice])
    return Interactions(
        users, items, np.arange(N_USERS), np.arange(N_ITEMS),
        weights=rng.uniform(0.5, 2.0, len(users)) if weights else None,
    )  # fmt: skip


def untrained(**changes):
    options = {
        "n_items": N_ITEMS, "embedding_dim": 4, "hidden": 6, "tied": True, "dropout": 0.0, "unseen_only": True,
        "beta": 0.0, "annealing_steps": 10, "seed": 0,
    }  # fmt: skip
    model = network(VaeOptions(**{**options, **changes}))
    rng = np.random.default_rng(1)
    model.set_weights([weight + rng.normal(0, 0.3, weight.shape) for weight in model.get_weights()])
    return model


HISTORY = np.array([[0, 4, 0, 1, 3], [2, 0, 5, 7, 8], [0, 0, 0, 0, 0]], np.int32)
TARGET = np.array([[2, 0, 9, 0, 0], [0, 1, 0, 0, 0], [0, 0, 3, 4, 5]], np.int32)
WEIGHT = np.array([[0.5, 0, 2.0, 0, 0], [0, 1.5, 0, 0, 0], [0, 0, 1.0, 1.0, 3.0]], np.float32)
BATCH = {"history": HISTORY, "target": TARGET, "weight": WEIGHT, "seed": np.array([5, 6], np.int32)}


def named(tokens):
    return [token - 1 for token in tokens if token]


# the network


def slow_query(model, tokens):
    """One row, with the history as a dense row over the items."""
    x, items = np.zeros(N_ITEMS), named(tokens)
    x[items] = 1 / np.sqrt(len(items)) if items else 0.0
    if model.options.tied:
        s = x @ model.items.numpy()
        kernel, bias = (weight.numpy() for weight in model.linear.weights)
        if not model.options.hidden:
            return s @ kernel + bias
        inner, offset = (weight.numpy() for weight in model.deep.weights)
        return s @ kernel + bias + np.maximum(s @ inner + offset, 0) @ model.residual.weights[0].numpy()
    s = x @ model.table.numpy() + model.offset.numpy()
    if model.options.hidden:
        for activation, layer in ((np.tanh, model.mean), (lambda z: z, model.back)):
            kernel, bias = (weight.numpy() for weight in layer.weights)
            s = activation(s) @ kernel + bias
        s = np.tanh(s)
    return np.append(s, 1.0)


@FORMS
def test_the_query_is_that_of_the_formula(tied, width):
    model = untrained(tied=tied, hidden=width)
    teacher = MultVae(model)
    expected = np.stack([slow_query(model, tokens) for tokens in HISTORY])
    np.testing.assert_allclose(teacher.user_embedding({"history": HISTORY}), expected, rtol=1e-5, atol=1e-6)
    table = model.items.numpy() if tied else np.hstack([model.items.numpy(), model.bias.numpy()])
    assert np.array_equal(teacher.item_embedding, table)
    np.testing.assert_allclose(teacher({"history": HISTORY}), expected @ table.T, rtol=1e-4, atol=1e-5)


def test_a_history_is_a_set():
    teacher = MultVae(untrained())
    other = np.array([[3, 1, 3, 4, 1, 3, 0], [8, 8, 7, 5, 2, 0, 0], [0, 0, 0, 0, 0, 0, 0]])
    np.testing.assert_allclose(teacher({"history": other}), teacher({"history": HISTORY}), rtol=1e-5, atol=1e-6)


def test_no_row_has_no_scores():
    assert MultVae(untrained())({"history": np.zeros((0, 4), np.int32)}).shape == (0, N_ITEMS)


@pytest.mark.parametrize("beta", [0.0, 0.1])
@FORMS
def test_every_form_is_saved(tied, width, beta, tmp_path):
    teacher = MultVae(untrained(tied=tied, hidden=width, beta=beta))
    teacher.save(tmp_path / "teacher")
    loaded = load(tmp_path / "teacher")
    assert loaded.model.options == teacher.model.options
    for a, b in zip(loaded.model.get_weights(), teacher.model.get_weights(), strict=True):
        assert np.array_equal(a, b)


# the loss


def slow_losses(scores, unseen_only):
    losses = []
    for row in range(len(scores)):
        ranked = [j for j in range(N_ITEMS) if not unseen_only or j not in named(HISTORY[row])]
        total = sum(np.exp(scores[row, j]) for j in ranked)
        terms = [-np.log(np.exp(scores[row, token - 1]) / total) for token in TARGET[row] if token]
        losses.append(np.average(terms, weights=WEIGHT[row][TARGET[row] > 0]))
    return losses


@pytest.mark.parametrize("unseen_only", [True, False])
def test_the_loss_is_the_weighted_mean_over_the_hidden_items(unseen_only):
    scores = np.random.default_rng(0).normal(size=(3, N_ITEMS)).astype(np.float32)
    got = likelihood_loss(tf.constant(scores), HISTORY, TARGET, WEIGHT, unseen_only)
    np.testing.assert_allclose(got, slow_losses(scores, unseen_only), rtol=1e-5)


def test_without_weights_it_is_the_softmax_of_kdrec_in_value_and_gradient():
    scores = tf.Variable(np.random.default_rng(0).normal(size=(3, N_ITEMS)), dtype=tf.float32)
    with tf.GradientTape(persistent=True) as tape:
        own = likelihood_loss(scores, HISTORY, TARGET, tf.cast(TARGET > 0, tf.float32), True)
        reference = softmax(TARGET - HISTORY, scores)
    np.testing.assert_allclose(own, reference, rtol=1e-5)
    np.testing.assert_allclose(tape.gradient(own, scores), tape.gradient(reference, scores), atol=1e-6)


def test_large_scores_keep_the_loss_finite():
    scores = tf.Variable(np.tile(np.where(np.arange(N_ITEMS) % 2, 1e4, -1e4), (3, 1)), dtype=tf.float32)
    with tf.GradientTape() as tape:
        losses = likelihood_loss(scores, HISTORY, TARGET, WEIGHT, True)
    assert np.isfinite(losses).all() and np.isfinite(tape.gradient(losses, scores)).all()


def test_divergence_by_hand():
    """½ ((1 + 1 − 1 − 0) + (4 + 0 − 1 − log 4)), and 0 for the standard normal."""
    mean, log_variance = tf.constant([[1.0, 0.0], [0.0, 0.0]]), tf.constant([[0.0, np.log(4.0)], [0.0, 0.0]])
    np.testing.assert_allclose(divergence(mean, tf.cast(log_variance, tf.float32)), [2 - np.log(2), 0.0], rtol=1e-6)


@FORMS
def test_the_batch_loss_without_beta_draws_nothing(tied, width):
    model = untrained(tied=tied, hidden=width)
    losses = [float(model.batch_loss({**BATCH, "seed": np.array([7, n], np.int32)}, tf.constant(1.0))) for n in (0, 1)]
    scores = np.stack([slow_query(model, tokens) for tokens in HISTORY]) @ model.item_embedding.numpy().T
    assert losses == pytest.approx([np.mean(slow_losses(scores, True))] * 2, rel=1e-5)


@FORMS
def test_beta_rises_with_the_training_and_ends_there(tied, width):
    model = untrained(tied=tied, hidden=width, beta=0.3)
    at = [float(model.batch_loss(BATCH, tf.constant(progress))) for progress in (0.0, 0.5, 1.0, 2.0)]
    mean, read = model.encode(model.rows(HISTORY))
    extra = 0.3 * float(tf.reduce_mean(divergence(mean, model.spread(read))))
    np.testing.assert_allclose(np.array(at) - at[0], [0.0, extra / 2, extra, extra], rtol=1e-3)


def test_what_is_drawn_has_the_told_mean_and_variance():
    model = untrained(beta=0.3)
    mean, log_variance = tf.tile([[1.0, -2.0, 0.0, 3.0]], [20_000, 1]), np.log([4.0, 1.0, 0.25, 0.01])
    kernel = model.spread.weights[0]
    model.spread.set_weights([np.zeros(kernel.shape), log_variance])
    drawn, _ = model.drawn(mean, mean, tf.constant([1, 2]), tf.constant(1.0))
    np.testing.assert_allclose(np.mean(drawn, axis=0), [1.0, -2.0, 0.0, 3.0], atol=0.05)
    np.testing.assert_allclose(np.var(drawn, axis=0), [4.0, 1.0, 0.25, 0.01], rtol=0.05)
    other, _ = model.drawn(mean, mean, tf.constant([1, 3]), tf.constant(1.0))
    assert not np.array_equal(drawn, other)


def test_dropout_keeps_the_sum_and_repeats_itself_by_the_seed():
    model = untrained(dropout=0.75)
    history = np.tile(np.arange(1, N_ITEMS + 1), (2_000, 1))
    values = [model.rows(history, tf.constant([3, n])).values.numpy() for n in (0, 0, 1)]
    assert set(np.unique(values[0]).round(5)) == {0.0, np.float32(4 / 3).round(5)}  # 4 · 9^(−1/2)
    assert values[0].mean() == pytest.approx(1 / 3, rel=0.05)
    assert np.array_equal(values[0], values[1]) and not np.array_equal(values[0], values[2])
    np.testing.assert_allclose(model.rows(history).values, 1 / 3, rtol=1e-6)


# what is trained on


def test_a_drawn_share_of_each_row_is_hidden():
    present = np.arange(20) >= np.array([[0], [10], [18], [19]]).repeat(500, axis=0)  # 20, 10, 2 and 1 items
    hides = hidden(present, (0.2, 0.6), np.random.default_rng(0))
    assert not (hides & ~present).any()
    counts = hides.sum(axis=1).reshape(4, 500)
    assert set(counts[0]) == set(range(4, 13)) and set(counts[1]) == set(range(2, 7))
    assert set(counts[2]) == set(counts[3]) == {1}
    assert counts[0].mean() == pytest.approx(8, rel=0.05)
    np.testing.assert_allclose(hides[:500].mean(axis=0), 0.4, atol=0.1)  # no place is preferred


@pytest.mark.parametrize("share", [(0.1, 0.7), None])
def test_rows_hold_each_item_of_a_user_once(share):
    train = log(repeated=True, weights=True)
    batches = HiddenBatches(train, share, 8, seed=0)
    batch = batches.batch(batches.rows, np.random.default_rng(0))
    assert batches.rows.tolist() == [user for user in range(N_USERS) if user != 3]
    for row, user in enumerate(batches.rows):
        of_user = np.flatnonzero(train.users == user)
        first = {train.items[pair]: train.weights[pair] for pair in of_user[::-1]}
        read, told = named(batch["history"][row]), named(batch["target"][row])
        assert sorted(read if share is None else read + told) == sorted(first)
        assert share is not None or sorted(told) == sorted(first)
        expected = [first[token - 1] if token else 0.0 for token in batch["target"][row]]
        np.testing.assert_allclose(batch["weight"][row], expected, rtol=1e-6)


def test_epochs_hold_every_user_and_do_not_depend_on_where_they_start():
    batches = HiddenBatches(log(), (0.1, 0.7), 8, seed=0)
    steps = batches.steps_per_epoch
    both = list(batches(0).take(2 * steps).as_numpy_iterator())
    second = list(batches(1).take(steps).as_numpy_iterator())
    assert steps == 2
    for a, b in zip(both[steps:], second, strict=True):
        assert all(np.array_equal(a[name], b[name]) for name in a)
    assert any(not np.array_equal(a["seed"], b["seed"]) for a, b in zip(both, second, strict=False))
    counts = sum(
        np.bincount(rows[name].ravel(), minlength=N_ITEMS + 1) for rows in second for name in ("history", "target")
    )
    assert (counts[1:] <= log().item_counts()).all() and counts[1:].sum() > 0.5 * len(log())


# the training


def blocks(users=40, seed=0):
    """Each user takes three or four of the items 0 … 4, or of the items 5 … 8."""
    rng = np.random.default_rng(seed)
    taken = np.zeros((users, N_ITEMS), bool)
    for user in range(users):
        of = np.arange(5) if user % 2 else np.arange(5, N_ITEMS)
        taken[user, rng.choice(of, rng.integers(3, len(of)), replace=False)] = True
    return Interactions(*np.nonzero(taken), np.arange(users), np.arange(N_ITEMS))


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [{}, {"tied": False}, {"hidden": 0}, {"beta": 0.02}, {"tied": False, "hidden_share": None, "beta": 0.02}],
    ids=["default", "untied", "flat", "variational", "published"],
)
def test_unseen_items_of_the_own_block_come_first(options):
    teacher = mult_vae(blocks(), epochs=60, **{**SMALL, **options})
    scores = teacher({"history": np.array([[1, 2], [6, 7]])})
    assert scores[0, 2:5].min() > scores[0, 5:].max() and scores[1, 7:].min() > scores[1, :5].max()


@pytest.mark.slow
def test_only_as_published_are_the_items_that_were_read_to_be_told():
    history = {"history": np.array([[1, 2, 3, 4]])}
    for share, first in (((0.1, 0.7), {4}), (None, {0, 1, 2, 3})):
        teacher = mult_vae(blocks(), epochs=100, hidden_share=share, dropout=0.0, **SMALL)
        assert teacher(history)[0].argmax() in first


@pytest.mark.usefixtures("eagerly")
def test_seeds_differ():
    x = {"history": HISTORY}
    one, other = (mult_vae(log(), epochs=2, seed=seed, **SMALL)(x) for seed in (0, 1))
    assert not np.allclose(one, other, atol=1e-3)


@pytest.mark.usefixtures("eagerly")
def test_the_order_of_a_log_is_not_read():
    x = {"history": HISTORY}
    one, other = (mult_vae(log(), epochs=2, ordered=ordered, **SMALL)(x) for ordered in (True, False))
    assert np.array_equal(one, other)


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"embedding_dim": 0}, DataError, "embedding_dim must be above 0, not 0; leave it out for the default"),
        ({"annealing": -1}, DataError, "annealing must be above 0, not -1; leave it out for the default"),
        ({"dropout": 1.0}, TrainingError, r"dropout must lie in \[0, 1\), not 1.0; 0.5 is the default"),
        ({"hidden": -1}, TrainingError, "hidden must be at least 0, not -1; leave it out for the default"),
        ({"beta": -0.5}, TrainingError, "beta must be at least 0, not -0.5; leave it out for the default"),
        ({"hidden_share": 0.5}, TrainingError, "hidden_share must be two shares, 0 < least <= greatest < 1, not 0.5; "),
        ({"hidden_share": (0.7, 0.1)}, TrainingError, r"not \(0.7, 0.1\); \(0.1, 0.7\) is the default, and None hides"),
        ({"hidden_share": [0.1, 1.0]}, TrainingError, r"not \[0.1, 1.0\]; "),
    ],
)  # fmt: skip
def test_options_out_of_range_are_refused(options, error, said):
    with pytest.raises(error, match=said):
        mult_vae(log(), **options)

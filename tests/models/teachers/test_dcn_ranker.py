import numpy as np
import pytest
import tensorflow as tf

from kdrec.data.features import Categorical, FeatureTable, Numeric, Title
from kdrec.data.interactions import Interactions
from kdrec.errors import DataError, TrainingError, UnknownNameError
from kdrec.models.teachers.dcn_ranker import dcn_ranker
from kdrec.models.teachers.dcn_ranker.model import DcnOptions, bce, softmax
from kdrec.models.teachers.dcn_ranker.teacher import built
from kdrec.models.teachers.dcn_ranker.train import noise
from kdrec.models.teachers.two_tower.batches import PairBatches
from kdrec.models.teachers.two_tower.features import tower_features

N_USERS, N_ITEMS, WIDTH = 12, 9, 4
SMALL = {"embedding_dim": 8, "projection_dim": 4, "batch_size": 16, "negatives": 4, "learning_rate": 0.01}


def log(weights=False, seed=0):
    """Features of users and items, and a context."""
    rng = np.random.default_rng(seed)
    users, items = np.nonzero(rng.random((N_USERS, N_ITEMS)) < 0.6)
    return Interactions(
        users,
        items,
        np.arange(N_USERS),
        np.arange(N_ITEMS),
        times=rng.permutation(len(users)),
        weights=rng.uniform(0.5, 2.0, len(users)) if weights else None,
        context={"hour": Categorical(rng.integers(-1, 2, len(users)), ["am", "pm"])},
        user_features=FeatureTable({"age": Categorical(np.arange(N_USERS) % 2, ["old", "young"])}),
        item_features=FeatureTable(
            {"title": Title([f"Tent {number}" for number in range(N_ITEMS)]), "price": Numeric(np.arange(N_ITEMS))}
        ),
    )


def untrained(data=None, **changes):
    data = log() if data is None else data
    options = {
        "n_users": N_USERS, "n_items": N_ITEMS, "context": {"hour": 3}, "history_length": 5, "ordered": True,
        "embedding_dim": WIDTH, "towers": (5,), "cross_layers": 3, "projection_dim": None, "layers": (6,),
        "loss": "softmax", "negatives": 4, "seed": 0,
    }  # fmt: skip
    teacher = built(
        DcnOptions(**{**options, **changes}),
        tower_features(data.user_features, N_USERS).with_unknown(),
        tower_features(data.item_features, N_ITEMS).with_unknown(),
        noise(data, 4),
    )
    rng = np.random.default_rng(1)
    teacher.model.set_weights([weight + rng.normal(0, 0.3, weight.shape) for weight in teacher.model.get_weights()])
    return teacher


def inputs(rows=3):
    return {
        "user": np.arange(rows, dtype=np.int32),
        "history": np.array([[0, 1, 4], [0, 0, 0], [5, 9, 2]], np.int32)[:rows],
        "hour": np.array([0, 1, 2], np.int32)[:rows],
    }


def slow_cross(layer, start, x):
    *kernels, bias = layer.get_weights()
    return start * (np.linalg.multi_dot([x, *kernels]) + bias) + x


def slow_logit(net, user, item):
    """One pair, layer by layer, from u and v."""
    x = start = np.concatenate([user, item])
    for layer in net.crosses:
        x = slow_cross(layer, start, x)
    for layer in net.deep:
        kernel, bias = layer.get_weights()
        x = np.maximum(x @ kernel + bias, 0)
    kernel, bias = net.out.get_weights()
    return float((x @ kernel + bias)[0])


@pytest.mark.parametrize("shape", [{}, {"projection_dim": 2, "cross_layers": 1}, {"layers": ()}], ids=str)
def test_scores_are_those_of_the_cross_network_pair_by_pair(shape, monkeypatch):
    teacher = untrained(**shape)
    net = teacher.model
    x = {**inputs(), "user": inputs()["user"] + 1}
    users = net.embed_user({**x, "history": np.pad(x["history"], [(0, 0), (2, 0)])}).numpy()[:, :WIDTH]
    items = net.embed_item(np.arange(1, N_ITEMS + 1)).numpy()[:, :WIDTH]
    expected = [[slow_logit(net, user, item) for item in items] for user in users]
    np.testing.assert_allclose(teacher(inputs()), expected, rtol=1e-4, atol=1e-5)
    monkeypatch.setattr("kdrec.models.teachers.dcn_ranker.model.PAIRS", 7)
    monkeypatch.setattr("kdrec.models.teachers.dcn_ranker.teacher.BLOCK", 2)
    in_blocks = built(net.options, teacher.users, teacher.items, teacher.item_probabilities)
    in_blocks.model.set_weights(net.get_weights())
    np.testing.assert_allclose(in_blocks(inputs()), expected, rtol=1e-4, atol=1e-5)
    assert in_blocks({name: array[:0] for name, array in inputs().items()}).shape == (0, N_ITEMS)


def test_losses_of_one_row_by_hand():
    """σ(0) = ½ of the pair's own, 1 − σ(log 3) = ¼ of a negative; a softmax of 1 among 1 + 3 + 4."""
    logits = tf.math.log([[1.0, 3.0]])
    assert float(bce(logits)[0]) == pytest.approx(-np.log(1 / 2) - np.log(1 / 4), rel=1e-6)
    assert float(softmax(tf.math.log([[1.0, 3.0, 4.0]]))[0]) == pytest.approx(np.log(8), rel=1e-6)


def test_noise_is_half_of_other_pairs_and_half_uniform():
    p = noise(log(), 5)  # two of other pairs, three drawn uniformly
    shares = log().item_counts() / len(log())
    np.testing.assert_allclose(p, [0.0, *(2 * shares + 3 / N_ITEMS) / 5], rtol=1e-6)
    assert p.sum() == pytest.approx(1.0)


def slow_loss(teacher, batch):
    """Row by row: its item, those of the two rows after it and the two drawn for it, less the log of their noise."""
    net, rows = teacher.model, len(batch["item"])
    table = net.scores(net.embed_user(batch), net.embed_item(np.arange(1, N_ITEMS + 1))).numpy()
    losses = []
    for row in range(rows):
        own, *others = [batch["item"][(row + step) % rows] for step in range(3)]
        others += list(batch["negatives"][2 * row : 2 * row + 2])
        own, *others = [table[row, j - 1] - np.log(4 * teacher.item_probabilities[j]) for j in (own, *others)]
        if net.options.loss == "softmax":
            losses.append(np.log(np.exp([own, *others]).sum()) - own)
        else:
            losses.append(-np.log(1 / (1 + np.exp(-own))) - sum(np.log(1 / (1 + np.exp(other))) for other in others))
    return np.mean(batch["weight"] * losses)


@pytest.mark.parametrize("loss", ["softmax", "bce"])
def test_the_loss_is_that_of_the_item_among_its_negatives(loss):
    teacher = untrained(loss=loss)
    rng = np.random.default_rng(0)
    for rows in (24, 10):  # a log of fewer pairs than a batch leaves drawn items over
        batch = PairBatches(log(weights=True), True, 5, 24, 24 * 2, 0.5, 0).batch(np.arange(rows), rng)
        got = teacher.model.compute_loss({name: tf.constant(array) for name, array in batch.items()})
        assert float(got) == pytest.approx(slow_loss(teacher, batch), rel=1e-4)


@pytest.mark.usefixtures("eagerly")
def test_every_input_reaches_the_scores():
    plain = untrained()(inputs())
    for name in log().item_features:
        reversed_ = log().item_features[name].take(np.arange(N_ITEMS)[::-1])
        changed = FeatureTable({**log().item_features, name: reversed_})
        assert not np.allclose(untrained(log().with_features(items=changed))(inputs()), plain, atol=1e-4), name
    ages = FeatureTable({"age": log().user_features["age"].take(np.arange(N_USERS)[::-1])})
    assert not np.allclose(untrained(log().with_features(users=ages))(inputs()), plain, atol=1e-4)
    for name in inputs():
        changed = {**inputs(), name: inputs()[name][::-1]}
        assert not np.allclose(untrained()(changed), plain, atol=1e-4), name


def test_context_is_asked_for():
    with pytest.raises(DataError, match="teacher 'dcn_ranker' reads 'hour', and x holds history, user; add it, 0 for"):
        untrained()({"user": np.array([3]), "history": np.array([[1, 2]])})


@pytest.mark.slow
def test_products_are_learned_that_no_sum_of_sides_has():
    """Users of either half take the items of their half of the catalogue; popularity says nothing."""
    users, items = np.nonzero(np.add.outer(np.arange(20) % 2, np.arange(12) % 2) != 1)
    data = Interactions(users, items, np.arange(20), np.arange(12))
    teacher = dcn_ranker(data, epochs=20, loss="bce", **{**SMALL, "learning_rate": 0.02})
    scores = teacher({"history": np.array([[1, 3, 5], [2, 4, 6]])})
    assert (scores[0, 6::2].min() > scores[0, 7::2].max()) and (scores[1, 7::2].min() > scores[1, 6::2].max())


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"epochs": 0}, DataError, "epochs must be above 0, not 0; leave it out for the default"),
        ({"cross_layers": 0}, DataError, "cross_layers must be above 0, not 0"),
        ({"projection_dim": -1}, DataError, "projection_dim must be above 0, not -1"),
        ({"user_dropout": 1.5}, TrainingError, r"user_dropout must lie in \[0, 1\], not 1.5; 0.5 is the default"),
        ({"loss": "hinge"}, UnknownNameError, "loss of teacher 'dcn_ranker' has no 'hinge'; it has bce, softmax"),
    ],
)
def test_options_out_of_range_are_refused(options, error, said):
    with pytest.raises(error, match=said):
        dcn_ranker(log(), **options)

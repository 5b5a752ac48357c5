import numpy as np
import pytest
import tensorflow as tf

from kdrec.data.features import Categorical, FeatureTable, Numeric, Title, Vector, tags_from_lists
from kdrec.data.interactions import Interactions
from kdrec.errors import DataError, TrainingError
from kdrec.models.teachers.two_tower import two_tower
from kdrec.models.teachers.two_tower.batches import PairBatches
from kdrec.models.teachers.two_tower.features import tower_features
from kdrec.models.teachers.two_tower.model import TwoTowerOptions
from kdrec.models.teachers.two_tower.teacher import built

N_USERS, N_ITEMS = 12, 9
SMALL = {"embedding_dim": 8, "layers": (8,), "batch_size": 16, "extra_negatives": 4, "learning_rate": 0.01}


def log(times=True, weights=False, seed=0):
    """Every kind of feature, and a context."""
    rng = np.random.default_rng(seed)
    users, items = np.nonzero(rng.random((N_USERS, N_ITEMS)) < 0.6)
    items_table = FeatureTable(
        {
            "title": Title([f"Red Tent {number}" for number in range(N_ITEMS)]),
            "kind": Categorical(np.arange(N_ITEMS) % 3 - 1, ["a", "b"]),
            "tags": tags_from_lists([["x", "y"][: number % 3] for number in range(N_ITEMS)]),
            "price": Numeric(np.arange(N_ITEMS)),
            "image": Vector(rng.normal(size=(N_ITEMS, 4))),
        }
    )
    return Interactions(
        users,
        items,
        np.arange(N_USERS),
        np.arange(N_ITEMS),
        times=rng.permutation(len(users)) if times else None,
        weights=rng.uniform(0.5, 2.0, len(users)) if weights else None,
        context={"hour": Categorical(rng.integers(-1, 2, len(users)), ["am", "pm"])},
        user_features=FeatureTable({"age": Categorical(np.arange(N_USERS) % 2, ["old", "young"])}),
        item_features=items_table,
    )


def untrained(train, **changes):
    options = {
        "n_users": N_USERS, "n_items": N_ITEMS, "context": {"hour": 3}, "history_length": 5, "ordered": True,
        "embedding_dim": 8, "layers": (8,), "temperature": 1.0, "num_hard_negatives": None,
        "remove_accidental_hits": True, "sampling_correction": True, "seed": 0,
    }  # fmt: skip
    return built(
        TwoTowerOptions(**{**options, **changes}),
        tower_features(train.user_features, N_USERS).with_unknown(),
        tower_features(train.item_features, N_ITEMS).with_unknown(),
        PairBatches(train, True, 5, 24, 4, 0.0, 0).item_probabilities(),
    )


def model_and_batch(**changes):
    batch = PairBatches(log(), True, 5, 24, 4, 0.0, 0).batch(np.arange(24), np.random.default_rng(0))
    return untrained(log(), **changes).model, {name: tf.constant(array) for name, array in batch.items()}


def slow_loss(model, batch):
    """The softmax of each row, written out."""
    options = model.options
    candidates = np.concatenate([batch["item"], batch["negatives"]])
    q, c = model.embed_query(batch).numpy(), model.embed_item(candidates).numpy()
    p = model.item_probabilities.numpy()
    losses = []
    for row, item in enumerate(batch["item"].numpy()):
        logits = {}
        for column, candidate in enumerate(candidates):
            if options.remove_accidental_hits and candidate == item and column != row:
                continue
            score = float(q[row] @ c[column]) / options.temperature
            logits[column] = score - (np.log(p[candidate]) if options.sampling_correction else 0.0)
        if options.num_hard_negatives:
            hardest = sorted((value for column, value in logits.items() if column != row), reverse=True)
            kept = [logits[row], *hardest[: options.num_hard_negatives]]
        else:
            kept = list(logits.values())
        losses.append(np.log(np.sum(np.exp(kept))) - logits[row])
    return np.mean(losses)


OPTIONS = [
    {},
    {"remove_accidental_hits": False},
    {"sampling_correction": False},
    {"num_hard_negatives": 3},
    {"temperature": 0.5},
]


@pytest.mark.parametrize("changes", OPTIONS, ids=str)
def test_the_loss_is_the_corrected_softmax(changes):
    model, batch = model_and_batch(**changes)
    assert float(model.compute_loss(batch)) == pytest.approx(slow_loss(model, batch), rel=1e-4)


def test_each_option_changes_the_loss():
    losses = [float(model.compute_loss(batch)) for model, batch in (model_and_batch(**changes) for changes in OPTIONS)]
    assert len({round(loss, 4) for loss in losses}) == len(OPTIONS)


def test_item_probabilities_are_those_of_a_random_candidate():
    batches = PairBatches(log(), True, 5, 16, 4, 0.0, 0)
    p = batches.item_probabilities()
    assert p[0] == 0 and p.sum() == pytest.approx(1.0)
    shares = log().item_counts() / len(log())
    np.testing.assert_allclose(p[1:], (16 * shares + 4 / N_ITEMS) / 20)


def test_an_ordered_history_is_what_came_before():
    train = log()
    pairs = np.arange(len(train))
    batch = PairBatches(train, True, 20, 16, 4, 0.0, 0).batch(pairs, np.random.default_rng(0))
    for pair, user, history, item in zip(pairs, batch["user"], batch["history"], batch["item"], strict=True):
        start = train.indptr[user - 1]
        assert [token - 1 for token in history if token] == train.items[start:pair].tolist()
        assert item - 1 == train.items[pair]
    assert np.array_equal(batch["hour"], train.context["hour"].tokens)


def test_a_set_is_all_other_items():
    train = log(times=False)
    batch = PairBatches(train, False, 20, 16, 4, 0.0, 0).batch(np.arange(len(train)), np.random.default_rng(0))
    for user, history, item in zip(batch["user"], batch["history"], batch["item"], strict=True):
        others = set(train.items[train.indptr[user - 1] : train.indptr[user]].tolist()) - {item - 1}
        assert {token - 1 for token in history if token} == others


def test_user_dropout_hides_a_share_of_the_users():
    train = log()
    pairs = np.repeat(np.arange(len(train)), 50)
    batch = PairBatches(train, True, 5, 16, 4, 0.25, 0).batch(pairs, np.random.default_rng(0))
    assert np.mean(batch["user"] == 0) == pytest.approx(0.25, abs=0.03)


def test_epochs_hold_every_pair_but_the_last_few_and_do_not_depend_on_where_they_start():
    batches = PairBatches(log(), True, 5, 16, 4, 0.5, 0)
    steps = batches.steps_per_epoch
    both = list(batches(0).take(2 * steps).as_numpy_iterator())
    second = list(batches(1).take(steps).as_numpy_iterator())
    for a, b in zip(both[steps:], second, strict=True):
        assert all(np.array_equal(a[name], b[name]) for name in a)
    assert any(not np.array_equal(a["item"], b["item"]) for a, b in zip(both, second, strict=False))
    counts = sum(np.bincount(batch["item"], minlength=N_ITEMS + 1) for batch in second)[1:]
    assert counts.sum() == steps * 16 and (counts <= log().item_counts()).all()


def test_features_of_every_kind_reach_the_scores():
    x = {"user": np.array([3]), "history": np.array([[1, 2]]), "hour": np.array([1])}
    plain = untrained(log())
    for name in log().item_features:
        features = {**log().item_features}
        features[name] = features[name].take(np.arange(N_ITEMS)[::-1])
        changed = untrained(log().with_features(items=FeatureTable(features)))
        assert not np.allclose(changed(x), plain(x), atol=1e-6), name
    ages = FeatureTable({"age": log().user_features["age"].take(np.arange(N_USERS)[::-1])})
    assert not np.allclose(untrained(log().with_features(users=ages))(x), plain(x), atol=1e-6)
    assert not np.allclose(plain({**x, "hour": np.array([2])}), plain(x), atol=1e-6)
    assert not np.allclose(plain({**x, "user": np.array([5])}), plain(x), atol=1e-6)


def test_context_is_asked_for():
    with pytest.raises(
        DataError, match="teacher 'two_tower' reads 'hour', and x holds history, user; add it, 0 for unk"
    ):
        untrained(log())({"user": np.array([3]), "history": np.array([[1, 2]])})


def test_the_temperature_scales_the_scores():
    x = {"user": np.array([3]), "history": np.array([[1, 2]]), "hour": np.array([1])}
    np.testing.assert_allclose(untrained(log(), temperature=0.5)(x), 2 * untrained(log())(x), rtol=1e-5)


def test_weights_weigh_the_loss():
    model, batch = model_and_batch()
    rng = np.random.default_rng(1)
    weights = tf.constant(rng.uniform(0.5, 2.0, 24), tf.float32)
    one_by_one = [float(model.compute_loss({**batch, "weight": tf.one_hot(row, 24)})) for row in range(24)]
    weighted = float(model.compute_loss({**batch, "weight": weights}))
    assert weighted == pytest.approx(float(np.dot(one_by_one, weights)), rel=1e-4)
    train = log(weights=True)
    assert np.array_equal(
        PairBatches(train, True, 5, 4, 0, 0.0, 0).batch(np.arange(4), rng)["weight"], train.weights[:4]
    )


@pytest.mark.usefixtures("eagerly")
def test_a_log_of_fewer_pairs_than_a_batch_is_trained_on():
    losses = []
    few = log().select(np.arange(5))
    two_tower(few, epochs=3, progress=lambda epoch, epochs, logs: losses.append(logs["loss"]), **SMALL)
    assert len(set(losses)) == 3


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"epochs": 0}, DataError, "epochs must be above 0, not 0"),
        ({"epochs": "abc"}, DataError, "epochs must be a number above 0, not 'abc'; leave it out for the default"),
        ({"temperature": -1.0}, DataError, "temperature must be above 0, not -1.0"),
        ({"user_dropout": 1.5}, TrainingError, r"user_dropout must lie in \[0, 1\], not 1.5"),
        ({"extra_negatives": -1}, TrainingError, "extra_negatives must be at least 0, not -1"),
    ],
)
def test_options_out_of_range_are_refused(options, error, said):
    with pytest.raises(error, match=said):
        two_tower(log(), **options)


def test_tower_features_keep_every_kind():
    features = tower_features(log().item_features, N_ITEMS)
    assert features.tokens.shape == (N_ITEMS, 3 + 1 + 2)  # words, category, tags
    assert features.numbers.shape == (N_ITEMS, 1 + 4)  # price, image
    np.testing.assert_allclose(features.numbers[:, 0].std(), 1.0, rtol=1e-6)
    np.testing.assert_allclose((features.weights[0, :3] ** 2).sum(), 1.0, rtol=1e-6)
    assert features.tokens.max() < features.n_tokens == 1 + 2048 + 2 + 2
    unknown = features.with_unknown()
    assert not unknown.tokens[0].any() and np.array_equal(unknown.numbers[1:], features.numbers)

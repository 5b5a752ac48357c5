"""Clustering keeps what it promises: few values, zeros, the student it came from, and values while it is rounded."""

import numpy as np
import pytest
import tf_keras as keras
from test_quantize_aware import X, student, trained

from kdrec.compress import quantize_aware, recipes
from kdrec.compress.cluster import cluster_weights, strip_clustering
from kdrec.data.sets.demo import demo
from kdrec.data.splits import leave_last_out
from kdrec.distill.train import train
from kdrec.errors import TrainingError
from kdrec.models.students.history import history

CLUSTERED = ("item_table", "hidden", "linear", "residual")


def student_without_context():
    return history(40, embedding_dim=8, history_length=6, hidden=16)


def under_rounding(model, clusters):
    return quantize_aware.quantizable(model, recipes.get("int8"), clusters=clusters)


def matrix(model, name):
    return model.get_layer(name).get_weights()[0]


def sparse(**options):
    """A student whose small weights are zero, about a third of them."""
    plain = student(**options)
    for layer in plain.layers:
        layer.set_weights([np.where(np.abs(weight) < 0.05, 0, weight) for weight in layer.get_weights()])
    return plain


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("tied", [True, False], ids=["tied", "untied"])
def test_few_values_and_zeros_that_stay(tied):
    plain = sparse(tied=tied)
    before = [weight.copy() for weight in plain.get_weights()]
    model = cluster_weights(plain, 6)
    untrained = strip_clustering(cluster_weights(plain, 6))
    losses = trained(model)
    stripped = strip_clustering(model)
    assert losses[-1] < losses[0]
    assert [layer.name for layer in stripped.layers] == [layer.name for layer in plain.layers]
    assert all(np.array_equal(a, b) for a, b in zip(before, plain.get_weights(), strict=True))
    np.testing.assert_allclose(stripped(X), model(X), atol=1e-6)
    for name in CLUSTERED if tied else (*CLUSTERED, "item_scores"):
        values = matrix(stripped, name)
        assert 3 <= len(np.unique(values)) <= 6
        assert np.all(values[matrix(plain, name) == 0] == 0)
        assert np.any(np.unique(values) != np.unique(matrix(untrained, name)))
    assert np.all(matrix(stripped, "item_table")[0] == 0)


@pytest.mark.parametrize("centroids", ["density_based", "linear", "random"])
def test_centroids_begin_as_tfmot_has_them(centroids):
    values = np.unique(matrix(strip_clustering(cluster_weights(student(), 8, centroids)), "item_table"))
    assert 0 in values and len(values) <= 8
    if centroids == "linear":  # evenly spaced on either side of zero
        for side in (values[values > 0], values[values < 0]):
            np.testing.assert_allclose(np.diff(side), np.diff(side).mean(), rtol=1e-4)


def test_an_entry_takes_the_nearest_value():
    plain = student()
    before, after = (
        matrix(plain, "item_table")[1:],
        matrix(strip_clustering(cluster_weights(plain, 8)), "item_table")[1:],
    )
    nearest = np.abs(before[..., None] - np.unique(after)).min(axis=-1)
    np.testing.assert_allclose(np.abs(before - after), nearest, atol=1e-6)


def test_a_matrix_with_fewer_entries_is_left_as_it_is():
    plain = student()  # 40 items 8 wide, 16 hidden units: kernels of 64 and 128
    stripped = strip_clustering(cluster_weights(plain, 100))
    assert np.array_equal(matrix(stripped, "linear"), matrix(plain, "linear"))
    assert not np.array_equal(matrix(stripped, "hidden"), matrix(plain, "hidden"))


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("recipe", ["int8", "int4_table"])
def test_training_under_rounding_moves_values_and_not_entries(recipe):
    plain = strip_clustering(cluster_weights(sparse(), 6))
    tuned = quantize_aware.quantizable(plain, recipes.get(recipe), clusters=6)
    losses = trained(tuned)
    after = quantize_aware.strip(tuned)
    assert losses[-1] < losses[0]
    for name in CLUSTERED:
        for value in np.unique(matrix(plain, name)):
            of_value = matrix(after, name)[matrix(plain, name) == value]
            assert len(np.unique(of_value)) == 1
            assert value != 0 or np.all(of_value == 0)
        assert len(np.unique(matrix(after, name))) <= 6
    assert not np.allclose(np.unique(matrix(after, "hidden")), np.unique(matrix(plain, "hidden")), atol=0.005)


def test_a_cluster_hears_the_mean_gradient_of_its_entries():
    import tensorflow as tf

    from kdrec.compress.quantizers import Range

    quantizer, layer = Range(8, keep_zeros=False, clusters=2), keras.layers.Layer()
    values = tf.Variable([1.0, 1.0, -127.0, 1.0])
    held = quantizer.build(values.shape, "kernel", layer)
    quantizer.begin(values, held)
    with tf.GradientTape() as tape:
        rounded = quantizer(values, True, held)
    assert rounded.numpy().tolist() == [1.0, 1.0, -127.0, 1.0]
    gradient = tape.gradient(rounded, values, output_gradients=tf.constant([3.0, 0.0, 5.0, 6.0]))
    assert tf.convert_to_tensor(gradient).numpy().tolist() == [3.0, 3.0, 5.0, 3.0]


class Stop(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 2:
            raise KeyboardInterrupt


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("wrap", [cluster_weights, under_rounding], ids=["clustered", "rounded"])
def test_a_training_that_was_cut_ends_with_the_same_weights(wrap, tmp_path):
    split = leave_last_out(demo(users=30, items=40))
    settings = {"epochs": 3, "monitor": None, "batch_size": 75, "cuts_per_user": 5}
    begun = strip_clustering(cluster_weights(student_without_context(), 6))
    whole, cut, again = wrap(begun, 6), wrap(begun, 6), wrap(begun, 6)
    logs = train(whole, split, folder=tmp_path / "whole", **settings)
    with pytest.raises(KeyboardInterrupt):
        train(cut, split, folder=tmp_path / "cut", callbacks=[Stop()], **settings)
    assert train(again, split, folder=tmp_path / "cut", **settings) == logs
    for one, other in zip(whole.weights, again.weights, strict=True):
        assert np.array_equal(one, other), one.name


def test_refused_settings():
    with pytest.raises(TrainingError, match="clusters must be at least 3, zero and one on either side, not 2"):
        cluster_weights(student(), 2)
    with pytest.raises(TrainingError, match="centroids must be one of density_based, .*random, not 'nearest'"):
        cluster_weights(student(), 8, "nearest")
    with pytest.raises(TrainingError, match="clusters must be at least the values that a matrix has, 321, not 8"):
        quantize_aware.quantizable(student(), recipes.get("int8"), clusters=8)

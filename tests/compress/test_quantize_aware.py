"""Training under rounding: what is trained is what ships, and gradients pass as the paper has them."""

import numpy as np
import pytest
import tf_keras as keras

from kdrec.compress import recipes
from kdrec.compress.quantize_aware import quantizable, strip
from kdrec.compress.rounding import best_scale, rounded
from kdrec.distill.distiller import Distiller
from kdrec.distill.student_reader import student_reader
from kdrec.errors import TrainingError
from kdrec.losses.softened_kl import SoftenedKl
from kdrec.losses.softmax import Softmax
from kdrec.models.students.history import history

ITEMS, LENGTH, ROWS = 40, 6, 64
RNG = np.random.default_rng(0)
X = {"history": RNG.integers(1, ITEMS + 1, (ROWS, LENGTH)).astype(np.int32), "place": np.zeros(ROWS, np.int32)}
LABELS = RNG.integers(1, ITEMS + 1, (ROWS, 1))
RECIPES = pytest.mark.parametrize("recipe", ["int8", "int4_table"])


def student(**options):
    built = history(ITEMS, embedding_dim=8, history_length=LENGTH, hidden=16, context={"place": 3}, **options)
    for layer in built.layers:
        layer.set_weights([weight + 0.1 * RNG.normal(size=weight.shape) for weight in layer.get_weights()])
    table = built.get_layer("item_table").get_weights()[0]
    table[0] = 0
    built.get_layer("item_table").set_weights([table])
    return built


def trained(model, epochs=3, batch_size=ROWS, rate=0.01):
    """The distillation loss of each epoch; a step an epoch, if nothing else is asked for."""
    answers = 5 * np.eye(ITEMS, dtype=np.float16)[X["history"][:, -1] % ITEMS]
    distiller = Distiller(None, model, SoftenedKl(), student_loss_weight=0)
    distiller.compile(keras.optimizers.Adam(rate), loss=Softmax())
    distiller.optimizer.build(distiller.trainable_variables)  # now, or a compiled step is traced twice
    told = {**X, "teacher_scores": answers}
    return distiller.fit(told, LABELS, batch_size=batch_size, epochs=epochs, verbose=0).history["distillation_loss"]


def on_int8_grid(values):
    scale = np.abs(values).max() / 127
    return scale * np.round(values / scale)


def on_int4_grid(values):
    scale = best_scale(values)
    return scale * rounded(values, scale)


EVERY_LAYER = {
    "int8": dict.fromkeys(("item_table", "item_scores", "linear", "hidden", "residual"), on_int8_grid),
    "int4_table": {
        **{"item_table": on_int4_grid, "item_scores": on_int4_grid},
        **{"linear": on_int8_grid, "hidden": on_int8_grid, "residual": on_int8_grid},
    },
    "int8+item_table=float32+linear=int4": {
        "linear": on_int4_grid, "hidden": on_int8_grid, "residual": on_int8_grid,
    },
    "float32+hidden=int4+residual=int8": {"hidden": on_int4_grid, "residual": on_int8_grid},
}  # fmt: skip


@pytest.mark.parametrize("recipe", EVERY_LAYER)
@pytest.mark.parametrize("tied", [True, False], ids=["tied", "untied"])
def test_the_forward_pass_is_that_of_rounded_matrices(recipe, tied):
    plain = student(tied=tied)
    expected = keras.models.clone_model(plain)
    expected.set_weights(plain.get_weights())
    for layer in expected.layers:
        if layer.name in EVERY_LAYER[recipe]:
            matrix, *others = layer.get_weights()
            layer.set_weights([EVERY_LAYER[recipe][layer.name](matrix), *others])
    before = [weight.copy() for weight in plain.get_weights()]
    received = quantizable(plain, recipes.get(recipe))
    np.testing.assert_allclose(received(X), expected(X), atol=1e-5)
    assert all(np.array_equal(a, b) for a, b in zip(before, plain.get_weights(), strict=True))


@pytest.mark.usefixtures("eagerly")
@RECIPES
@pytest.mark.parametrize("encoder", ["mean", "conv", "attention"])
def test_what_was_trained_is_what_is_stripped(recipe, encoder):
    plain = student(encoder=encoder)
    model = quantizable(plain, recipes.get(recipe))
    losses = trained(model)
    assert losses[-1] < losses[0]
    stripped = strip(model)
    assert [layer.name for layer in stripped.layers] == [layer.name for layer in plain.layers]
    np.testing.assert_allclose(stripped(X), model(X), atol=1e-5)
    table = stripped.get_layer("item_table").get_weights()[0]
    assert np.all(table[0] == 0)
    if recipe == "int4_table":
        scale = best_scale(table)
        np.testing.assert_allclose(scale * rounded(table, scale), table, atol=1e-6)
        assert len(np.unique(rounded(table, scale))) > 8


def test_training_under_rounding_wins_back_what_rounding_costs():
    plain = student()
    trained(plain, epochs=20, batch_size=16, rate=0.03)
    tuned = quantizable(plain, recipes.get("int4_table"))
    losses = trained(tuned, epochs=20, batch_size=16)
    assert losses[-1] < 0.8 * losses[0]  # the first epoch begins where plain rounding ends


@pytest.mark.usefixtures("eagerly")
@RECIPES
def test_pruned_zeros_stay(recipe):
    plain = student()
    for layer in plain.layers:
        layer.set_weights([np.where(np.abs(weight) < 0.07, 0, weight) for weight in layer.get_weights()])
    zeros = {layer.name: layer.get_weights()[0] == 0 for layer in plain.layers if layer.get_weights()}
    for keep in (True, False):
        model = quantizable(plain, recipes.get(recipe), keep_zeros=keep)
        trained(model)
        stripped = strip(model)
        for name in ("item_table", "hidden", "linear"):
            after = stripped.get_layer(name).get_weights()[0]
            assert np.all(after[zeros[name]] == 0) == keep


def test_the_gradients_are_those_of_learned_step_sizes():
    import tensorflow as tf

    from kdrec.compress.quantizers import on_grid

    values, scale = tf.constant([0.2, -0.9, 5.0, -5.0]), tf.constant(0.5)
    with tf.GradientTape() as tape:
        tape.watch([values, scale])
        out = on_grid(values, scale, 7.0)
    assert out.numpy().tolist() == [0.0, -1.0, 3.5, -3.5]
    upstream = tf.constant([1.0, 2.0, 3.0, 4.0])
    of_values, of_scale = tape.gradient(out, [values, scale], output_gradients=upstream)
    assert of_values.numpy().tolist() == [1.0, 2.0, 0.0, 0.0]
    by_hand = 1 * (0 - 0.4) + 2 * (-2 + 1.8) + 3 * 7 + 4 * -7
    assert float(of_scale) == pytest.approx(by_hand / np.sqrt(4 * 7), rel=1e-5)


def test_losses_on_vectors_read_the_rounded_table():
    model = quantizable(student(), recipes.get("int4_table"))
    read = student_reader(model, ("query", "item_embedding"), "query")(X, False)
    table = strip(model).get_layer("item_table").get_weights()[0]
    np.testing.assert_allclose(read["item_embedding"], table[1:], atol=1e-6)


@pytest.mark.parametrize("name", ["float32", "float16"])
def test_a_recipe_of_floats_is_refused(name):
    with pytest.raises(TrainingError, match=f"recipe must round weights to int8 .* not '{name}' with {name} weights"):
        quantizable(student(), recipes.get(name))

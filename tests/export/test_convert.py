"""The converter's process: what happens when it refuses, dies or takes too long."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras

from kdrec.compress import recipes
from kdrec.errors import ConversionError
from kdrec.export.convert import Conversion, _named, convert
from kdrec.export.signatures import Signatures
from kdrec.tflite.verify import run


def conversion(name: str, function, recipe: str = "int8", held: tuple = ()) -> Conversion:
    module = tf.Module()
    module.held = held
    traced = tf.function(function).get_concrete_function(x=tf.TensorSpec((1, 3, 3), tf.float32, name="x"))
    rows = np.random.default_rng(0).normal(size=(8, 3, 3)).astype(np.float32)
    return Conversion(name, Signatures(module, {"score": traced}, {"x": rows}), recipes.get(recipe))


def times(factor: float, name: str, recipe: str = "int8") -> Conversion:
    return conversion(name, lambda x: {"scores": x * factor}, recipe)


def gru(name: str) -> Conversion:
    """A GRU that is not unrolled: calibrating it kills the converter's process."""
    layer = keras.layers.GRU(5)
    model = keras.Sequential([keras.Input((3, 3)), layer])
    return conversion(name, lambda x: {"scores": model(x)}, held=tuple(model.weights))


@pytest.mark.slow
def test_crashes_are_errors_that_name_each_conversion_and_the_signal():
    """The second crash is named too, so what followed the first was still tried."""
    killed = r"^converting 'one' failed: the converter's process ended with signal \d+ \(SIG\w+; .*unroll=True\)"
    with pytest.raises(ConversionError, match=killed) as caught:
        convert([times(2.0, "before"), gru("one"), times(2.0, "between"), gru("other")])
    assert str(caught.value).endswith("(2 conversions failed: one, other)")


@pytest.mark.slow
def test_a_refusal_names_the_conversion_and_what_the_converter_said():
    bad = conversion("bad", lambda x: {"scores": tf.linalg.det(x)})
    with pytest.raises(
        ConversionError, match="converting 'bad' failed: .* refused it: ConverterError.*(?s:.*)Determinant"
    ):
        convert([bad, times(2.0, "good")])


def test_a_slow_converter_is_stopped():
    with pytest.raises(
        ConversionError, match="process did not begin: .* took longer than timeout=0.3 seconds; give it more"
    ):
        convert([times(2.0, "slow")], timeout=0.3)


def test_lack_of_memory_is_guessed_at_a_kill():
    assert _named(-9) == "signal 9 (SIGKILL; often for lack of memory)"
    assert _named(3) == "exit status 3"


def test_nothing_to_convert_is_no_work():
    assert convert([]) == []


@pytest.mark.slow
def test_files_come_back_in_order():
    first, second = convert([times(2.0, "one"), times(3.0, "two", recipe="float32")])
    ones = [{"x": np.ones((1, 3, 3), np.float32)}]
    assert run(first, "score", ones)["scores"] == pytest.approx(np.full((1, 3, 3), 2.0), abs=0.05)
    assert run(second, "score", ones)["scores"] == pytest.approx(np.full((1, 3, 3), 3.0))

"""A .tflite file that somebody else converted is judged by its shapes, whatever its ends are called."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tiny_models

from kdrec.errors import RuntimeFileError
from kdrec.runtime.judge import file_scorer


def scores(history: tf.Tensor) -> tf.Tensor:
    items, _ = tiny_models.tables()
    query = tf.reduce_sum(tf.gather(items, history) * tiny_models.WEIGHTS[:, None], 1)
    return tf.matmul(query, items, transpose_b=True)[:, 1:]


def converted(function, dtype: tf.DType, signature: str | None) -> bytes:
    """The function as a file; without a signature as old converters wrote it."""
    module = tf.Module()
    module.call = tf.function(function, input_signature=[tf.TensorSpec((1, tiny_models.LENGTH), dtype, name="tokens")])
    if signature is not None:
        return tiny_models._convert(module, {signature: module.call})
    return tf.lite.TFLiteConverter.from_concrete_functions([module.call.get_concrete_function()], module).convert()


@pytest.mark.parametrize("signature", [None, "serving_default"])
@pytest.mark.parametrize("dtype", [tf.int32, tf.int64])
def test_one_input_and_one_output_are_enough(tmp_path: Path, signature: str | None, dtype: tf.DType) -> None:
    function = scores if signature is None else lambda tokens: {"out": scores(tokens)}
    (tmp_path / "theirs.tflite").write_bytes(converted(function, dtype, signature))
    scorer = file_scorer(tmp_path / "theirs.tflite")
    assert (scorer.length, scorer.n_items) == (tiny_models.LENGTH, tiny_models.N_ITEMS)
    np.testing.assert_allclose(
        scorer({"history": np.array([[3, 7], [1, 2]])}),
        [tiny_models.expected([3, 7]), tiny_models.expected([1, 2])],
        rtol=1e-5,
    )


def test_other_inputs_are_refused(tmp_path: Path) -> None:
    (tmp_path / "floats.tflite").write_bytes(converted(lambda tokens: tokens * 2.0, tf.float32, None))
    with pytest.raises(
        RuntimeFileError,
        match=r"floats.tflite must have a signature 'score', or take one integer input \(1, length\) and return one "
        r"output \(1, n_items\); it takes \[\[1, 5\]\] and returns \[\[1, 5\]\]: export it with kdrec",
    ):
        file_scorer(tmp_path / "floats.tflite")

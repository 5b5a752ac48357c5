"""`kdrec inspect` on files of other hands: TensorFlow's plain conversions and a Keras 3 export."""

import os
import subprocess
import sys
from dataclasses import replace

import matplotlib.colors
import numpy as np
import pytest
import tensorflow as tf
from rich.console import Console

from kdrec.bench import Inspection, bytes_picture, console_inspection, inspect_file
from kdrec.bench.copies import copies
from kdrec.bench.picture import COPY, OWN
from kdrec.tflite.views import Tensor

pytestmark = pytest.mark.slow
ROWS, WIDTH, LENGTH = 64, 16, 5
WEIGHTS = np.random.default_rng(0).normal(size=(WIDTH, ROWS)).astype(np.float32)


@pytest.fixture
def converted(tmp_path):
    """Convert a function of x (1, WIDTH), or of a history, with the converter's own settings, and inspect it."""

    def convert(function, *, history: bool = False, calibrate: bool = False, **settings) -> Inspection:
        spec = tf.TensorSpec((1, LENGTH), tf.int32) if history else tf.TensorSpec((1, WIDTH), tf.float32)
        traced = tf.function(function).get_concrete_function(spec)
        converter = tf.lite.TFLiteConverter.from_concrete_functions([traced], tf.Module())
        for name, value in settings.items():
            setattr(converter, name, value)
        if calibrate:
            calls = np.random.default_rng(1).integers(0, ROWS, (50, 1, LENGTH)).astype(np.int32)
            converter.representative_dataset = lambda: ([call] for call in calls)
        path = tmp_path / "foreign.tflite"
        path.write_bytes(converter.convert())
        return inspect_file(path)

    return convert


def shown(found: Inspection) -> str:
    console = Console(width=160)
    with console.capture() as capture:
        console.print(console_inspection(found))
    return capture.get()


def test_a_table_that_the_converter_quantized_twice_is_found(converted):
    """One scale for the lookup, one a row for the scores."""

    def tied(history):
        rows = tf.gather(WEIGHTS.T, history)
        return tf.matmul(tf.reduce_mean(rows, 1), WEIGHTS.T, transpose_b=True)

    found = converted(tied, history=True, calibrate=True, optimizations=[tf.lite.Optimize.DEFAULT])
    one, other = found.constants[:2]
    assert [(each.bytes, each.tensor.shape) for each in (one, other)] == [(ROWS * WIDTH, (ROWS, WIDTH))] * 2
    assert {one.operators, other.operators} == {("GATHER",), ("FULLY_CONNECTED",)}
    assert (one.copy_of, other.copy_of, found.copied_bytes, found.repeated_bytes) == (None, 0, ROWS * WIDTH, 0)
    assert "the same numbers again" in shown(found) and "the numbers of 1" in shown(found)
    axes = bytes_picture(found).axes[0]
    assert [matplotlib.colors.to_hex(axes.patches[place].get_facecolor()) for place in (0, 1)] == [OWN, COPY]
    assert "1.0 KiB of it stored more than once" in axes.get_title(loc="left")


def test_a_matrix_and_its_transposed_are_the_same_numbers_in_a_graph_of_several(converted):
    def body(step, x):
        return step + 1, tf.matmul(tf.matmul(x, WEIGHTS), WEIGHTS, transpose_b=True)

    found = converted(lambda x: tf.while_loop(lambda step, x: step < 3, body, [0, x])[1])
    assert len(found.graphs) == 3 and found.graphs[0].operators == {"WHILE": 1}
    assert {constant.tensor.shape for constant in found.constants[:2]} == {(ROWS, WIDTH), (WIDTH, ROWS)}
    assert found.copied_bytes == 4 * ROWS * WIDTH
    assert found.constants[1].subgraphs == (2,)


def test_operators_of_tensorflow_s_own_library_are_named(converted):
    kinds = [tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet.SELECT_TF_OPS]
    found = converted(
        lambda x: tf.linalg.det(tf.reshape(x, (4, 4))), target_spec=tf.lite.TargetSpec(supported_ops=kinds)
    )
    assert found.custom_operators == ("FlexMatrixDeterminant",)
    assert "FlexMatrixDeterminant (TensorFlow's)" in shown(found)


def test_a_sparse_matrix_is_called_so(converted):
    kept = np.random.default_rng(2).random(WEIGHTS.shape) < 0.1
    found = converted(lambda x: tf.matmul(x, WEIGHTS * kept), optimizations=[tf.lite.Optimize.EXPERIMENTAL_SPARSITY])
    (matrix,) = found.constants
    assert matrix.tensor.sparse and matrix.tensor.shape == (ROWS, WIDTH)
    assert matrix.bytes == 4 * kept.sum()
    assert "sparse float32 64×16" in shown(found)
    assert "sparse float32 64×16" in bytes_picture(found).axes[0].get_yticklabels()[0].get_text()


def test_half_precision_is_read_through_a_dequantize(converted):
    half = tf.lite.TargetSpec(supported_types=[tf.float16])
    found = converted(lambda x: tf.matmul(x, WEIGHTS), optimizations=[tf.lite.Optimize.DEFAULT], target_spec=half)
    (matrix,) = found.constants
    assert (matrix.tensor.dtype, matrix.bytes, matrix.operators) == ("float16", 2 * ROWS * WIDTH, ("DEQUANTIZE",))
    assert found.custom_operators == () and "needs more than LiteRT" not in shown(found)


KERAS_3 = """
import sys, keras
history = keras.Input((5,), dtype="int32", name="history")
rows = keras.layers.Embedding(65, 16, name="items")(history)
query = keras.layers.GlobalAveragePooling1D()(rows)
keras.Model(history, keras.layers.Dense(64, use_bias=False)(query)).export(sys.argv[1], format="litert")
"""


def test_a_keras_3_export_is_understood(tmp_path):
    """Its lookup adds LESS, ADD and SELECT_V2 to GATHER; a table and a matrix of their own are no copies."""
    path = tmp_path / "keras.tflite"
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow", "TF_USE_LEGACY_KERAS": "0"}
    subprocess.run([sys.executable, "-c", KERAS_3, str(path)], check=True, capture_output=True, env=environment)
    found = inspect_file(path)
    table, matrix = found.constants[:2]
    assert (table.tensor.shape, table.bytes, table.operators) == ((65, 16), 4 * 65 * 16, ("GATHER",))
    assert (matrix.tensor.shape, matrix.operators, matrix.copy_of) == ((64, 16), ("FULLY_CONNECTED",), None)
    assert {"LESS", "ADD", "SELECT_V2", "GATHER", "MEAN"} <= set(found.graphs[0].operators)
    assert list(found.signatures["serving_default"].inputs) == ["history"]
    assert found.constant_bytes + found.overhead_bytes == found.file_bytes


def constant(values: np.ndarray, scales: tuple[float, ...] = (), zeros: tuple[int, ...] = ()) -> Tensor:
    data = np.ascontiguousarray(values).view(np.uint8).ravel()
    return Tensor(0, "", str(values.dtype), values.shape, scales, zeros, 1, data)


def test_what_counts_as_the_same_numbers():
    numbers = WEIGHTS.T
    padded = np.r_[np.zeros((1, WIDTH), np.float32), numbers]
    scale = float(np.abs(numbers).max() / 127)
    int8 = constant(np.round(numbers / scale).astype(np.int8), (scale,), (0,))
    shifted = constant((np.round(numbers / scale / 1.5) - 7).astype(np.int8), (1.5 * scale,), (-7,))
    same = [constant(numbers), constant(numbers.T), constant(numbers.astype(np.float16)), int8, shifted]
    for one in same:
        assert copies([(1, constant(padded)), (2, one)]) == ({2: 1} if one.shape == (ROWS, WIDTH) else {})
        assert copies([(3, constant(numbers)), (4, one)]) == {4: 3}
    others = [constant(numbers[::-1]), constant(numbers * 1.1), constant(-numbers), constant(numbers[:, :8])]
    for one in others:
        assert copies([(1, constant(numbers)), (2, one)]) == {}


def test_a_constant_whose_bytes_do_not_fit_its_shape_is_no_copy():
    whole = constant(WEIGHTS)
    for damaged in (
        replace(whole, shape=(WIDTH, ROWS + 1)),
        replace(whole, scales=(1.0, 2.0), zero_points=(0, 0)),
        replace(whole, scales=(1.0,) * WIDTH, zero_points=(0,)),
        replace(whole, sparse=True),
    ):
        assert copies([(1, whole), (2, damaged)]) == {}

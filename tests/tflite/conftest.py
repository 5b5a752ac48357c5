"""Small graphs over one table, converted in the test's own process; the converter is safe with these."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

collect_ignore = ["conftest.py"]  # --doctest-modules would import it under a name that other folders use too
ITEMS, WIDTH, LENGTH = 20, 8, 4


@dataclass(frozen=True, eq=False)
class Converted:
    """A file as the converter wrote it, and what it was made from."""

    content: bytes
    table: np.ndarray  # (ITEMS + 1, WIDTH)
    histories: np.ndarray  # (cases, LENGTH)

    @property
    def cases(self) -> list[dict[str, np.ndarray]]:
        return [{"history": history[np.newaxis]} for history in self.histories]


def converted(
    encode: Callable, *, int8: bool = True, signatures=("score", "embed"), seed: int = 0, grid: float | None = None
) -> Converted:
    """A table, an encoder and scores, in int8 or float16.

    Args:
        encode: (gathered rows (1, LENGTH, WIDTH), rng) -> query (1, WIDTH).
        grid: the table holds whole multiples of it, from -7 to 7; None: any numbers.
    """
    import tensorflow as tf

    rng = np.random.default_rng(seed)
    table = rng.normal(size=(ITEMS + 1, WIDTH)).astype(np.float32)
    if grid is not None:
        table = grid * np.clip(np.round(3 * table), -7, 7).astype(np.float32)
    table[0] = 0
    module = tf.Module()
    module.table = tf.Variable(table)
    spec = tf.TensorSpec((1, LENGTH), tf.int32, name="history")

    def query(history):
        return encode(tf.gather(module.table, history), np.random.default_rng(1))

    known = {
        "score": lambda history: {"scores": tf.matmul(query(history), module.table, transpose_b=True)[:, 1:]},
        "embed": lambda history: {"query": query(history)},
    }
    functions = {name: tf.function(known[name]).get_concrete_function(history=spec) for name in signatures}
    histories = rng.integers(1, ITEMS + 1, (60, LENGTH)).astype(np.int32)
    histories[0] = [np.argmax(table.max(1)), np.argmin(table.min(1)), 1, 2]  # the whole range of the table

    def calls():
        for history in histories:
            for name in signatures:
                yield name, {"history": history[np.newaxis]}

    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(module, folder, signatures=functions)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=list(signatures))
        converter._experimental_disable_per_channel_quantization_for_dense_layers = True
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if int8:
            converter.representative_dataset = calls
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        else:
            converter.target_spec.supported_types = [tf.float16]
        return Converted(converter.convert(), table, histories)


def mean(rows, rng):
    import tensorflow as tf

    weights = tf.constant(rng.normal(size=(WIDTH, WIDTH)).astype(np.float32))
    return tf.matmul(tf.reduce_mean(rows, 1), weights)


def dense(rows, rng):
    """The lookup, reshaped, goes straight into a matrix with a bias."""
    import tensorflow as tf

    weights = tf.constant(rng.normal(size=(LENGTH * WIDTH, WIDTH)).astype(np.float32))
    return tf.matmul(tf.reshape(rows, (1, -1)), weights) + tf.constant(rng.normal(size=WIDTH).astype(np.float32) * 5)


def joined(rows, rng):
    """The lookup goes into a CONCATENATION, whose inputs must have its own scale."""
    import tensorflow as tf

    both = tf.concat([rows, tf.tanh(rows)], axis=2)  # (1, LENGTH, 2 WIDTH)
    weights = tf.constant(rng.normal(size=(2 * WIDTH, WIDTH)).astype(np.float32))
    return tf.matmul(tf.reduce_mean(both, 1), weights)


@pytest.fixture(scope="session")
def tied_mean() -> Converted:
    return converted(mean)


@pytest.fixture(scope="session")
def apart() -> list[Converted]:
    """The signatures `score` and `embed` of one graph, a file each."""
    return [converted(mean, signatures=(name,)) for name in ("score", "embed")]


@pytest.fixture(scope="session")
def tied_dense() -> Converted:
    return converted(dense)


@pytest.fixture(scope="session")
def on_grid() -> Callable[[str], tuple[Converted, np.ndarray, float]]:
    """By the name of a graph: its file over a table of four bits, the table's integers, and their scale."""
    known: dict[str, Converted] = {}

    def of(name: str) -> tuple[Converted, np.ndarray, float]:
        encode = {"tied_mean": mean, "tied_dense": dense, "tied_joined": joined}[name]
        if name not in known:
            known[name] = converted(encode, grid=0.25)
        made = known[name]
        return made, np.round(made.table / 0.25).astype(np.int8), 0.25

    return of


@pytest.fixture(scope="session")
def tied_joined() -> Converted:
    return converted(joined)


@pytest.fixture(scope="session")
def half_precision() -> Converted:
    return converted(mean, int8=False)

"""Tiny .tflite files whose scores are a formula: score_j = (Σ_l w_l E[h_l] + C[daypart]) · E_j."""

import io
import tempfile

import numpy as np
import tensorflow as tf

N_ITEMS, WIDTH, LENGTH, K = 12, 4, 5, 6
WEIGHTS = np.array([0.25, 0.5, 0.75, 1.0, 1.5], np.float32)  # the most recent item, on the right, counts most


def tables() -> tuple[np.ndarray, np.ndarray]:
    """E (N_ITEMS + 1, WIDTH) with a zero row 0, and C (3, WIDTH) with a zero row 0 for an unknown daypart."""
    rng = np.random.default_rng(5)
    items = np.vstack([np.zeros((1, WIDTH)), rng.normal(size=(N_ITEMS, WIDTH))])
    items[9] = items[4]  # items 3 and 8 tie under every history
    return items.astype(np.float32), np.array([[0] * 4, [3, 0, 0, 0], [0, -3, 0, 0]], np.float32)


def expected(history: list[int], daypart: int = 0) -> np.ndarray:
    """(N_ITEMS,) scores of a history of at most LENGTH tokens, by the formula."""
    items, context = tables()
    return items[1:] @ (WEIGHTS[LENGTH - len(history) :] @ items[history] + context[daypart])


def histories(rows: int, seed: int = 0) -> np.ndarray:
    """(rows, LENGTH) right-aligned tokens."""
    rng = np.random.default_rng(seed)
    found = np.zeros((rows, LENGTH), np.int32)
    for row in found:
        n = rng.integers(1, LENGTH + 1)
        row[LENGTH - n :] = rng.choice(N_ITEMS, n, replace=False) + 1
    return found


def _pool(rows: tf.Tensor) -> tf.Tensor:
    """(1, LENGTH, WIDTH) -> (1, WIDTH)."""
    return tf.reduce_sum(rows * WEIGHTS[:, None], 1)


def _convert(module: tf.Module, functions: dict, calibration=None) -> bytes:
    concrete = [function.get_concrete_function() for function in functions.values()]
    with tempfile.TemporaryDirectory() as path:
        tf.saved_model.save(module, path, signatures=dict(zip(functions, concrete, strict=True)))
        converter = tf.lite.TFLiteConverter.from_saved_model(path, signature_keys=list(functions))
        if calibration is not None:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = calibration
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
            converter.inference_input_type = converter.inference_output_type = tf.int8
            converter._experimental_disable_per_channel_quantization_for_dense_layers = True
        return converter.convert()


def android(with_context: bool = False) -> bytes:
    """float32; signatures recommend and score."""
    items, context = tables()
    module = tf.Module()
    specs = [tf.TensorSpec((1, LENGTH), tf.int32, name="history")]
    specs += [tf.TensorSpec((1,), tf.int32, name="daypart")] if with_context else []

    def scores(history, daypart=None):
        query = _pool(tf.gather(items, history))
        if daypart is not None:
            query += tf.gather(context, daypart)
        return tf.matmul(query, items, transpose_b=True)[:, 1:]

    def recommend(*inputs):
        best = tf.math.top_k(scores(*inputs), K)
        return {"items": best.indices, "scores": best.values}

    module.recommend = tf.function(recommend, input_signature=specs)
    module.score = tf.function(lambda *inputs: {"scores": scores(*inputs)}, input_signature=specs)
    return _convert(module, {"recommend": module.recommend, "score": module.score})


def micro() -> bytes:
    """int8; signature score."""
    items, _ = tables()
    module = tf.Module()

    def score(history):
        query = _pool(tf.gather(items, history))
        return {"scores": tf.matmul(query, items, transpose_b=True)[:, 1:]}

    module.score = tf.function(score, input_signature=[tf.TensorSpec((1, LENGTH), tf.int32, name="history")])

    def calibration():
        for row in histories(50):
            yield "score", {"history": row[None]}

    return _convert(module, {"score": module.score}, calibration)


def coral(shape: tuple[int, ...], shards: tuple[int, ...]) -> bytes:
    """int8; signature score: device_input of this shape -> scores_0, scores_1 … of these widths."""
    items, _ = tables()
    module = tf.Module()
    parts = np.split(items[1:], np.cumsum(shards)[:-1])

    def score(device_input):
        query = device_input if len(shape) == 2 else _pool(device_input)
        return {f"scores_{i}": tf.matmul(query, part, transpose_b=True) for i, part in enumerate(parts)}

    module.score = tf.function(score, input_signature=[tf.TensorSpec(shape, tf.float32, name="device_input")])

    def calibration():
        for row in histories(50):
            rows = items[row]
            yield "score", {"device_input": rows[None] if len(shape) == 3 else (WEIGHTS @ rows)[None]}

    return _convert(module, {"score": module.score}, calibration)


def host_table() -> tuple[bytes, float]:
    """The item table as int8 .npy bytes, and its scale."""
    items, _ = tables()
    scale = float(np.abs(items).max()) / 127
    buffer = io.BytesIO()
    np.save(buffer, np.round(items / scale).astype(np.int8), allow_pickle=False)
    return buffer.getvalue(), scale

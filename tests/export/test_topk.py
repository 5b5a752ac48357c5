import tempfile
from functools import cache

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from kdrec.export.topk import TWO_LEVELS_FROM, block_size, top_items
from kdrec.tflite.verify import run

N_ITEMS, K = 300, 20


def oracle(scores: np.ndarray, k: int) -> list[int]:
    """Sort everything: score descending, then lower position."""
    return sorted(range(len(scores)), key=lambda item: (-float(scores[item]), item))[:k]


@settings(max_examples=150)
@given(st.data())
def test_two_levels_are_exact_in_items_order_and_scores(data):
    n_items = data.draw(st.integers(1, 60))
    k = data.draw(st.integers(1, n_items))
    size = data.draw(st.integers(1, 7))
    kinds = data.draw(st.integers(1, 4))  # few different scores: heavy ties
    row = np.array(data.draw(st.lists(st.integers(-kinds, -1), min_size=n_items, max_size=n_items)), np.float32)
    items, scores = top_items(tf.constant(row[np.newaxis]), k, size)
    assert items.numpy()[0].tolist() == oracle(row, k)
    assert scores.numpy()[0].tolist() == [row[item] for item in oracle(row, k)]


@pytest.mark.slow
@pytest.mark.parametrize("size", [1, 4, 7])
@pytest.mark.parametrize("different", [1, 3, 200])
@pytest.mark.parametrize("quantized", [False, True], ids=["float32", "int8"])
def test_litert_ranks_ties_by_position_on_both_levels(size, different, quantized):
    """300 items in blocks of 7 leave 6 behind the last whole block; one different score is all ties.

    At most 200 different scores, so that int8 keeps them apart.
    """
    rows = rows_of(different)
    content = converted(size, different if quantized else None)
    answers = run(content, "top", [{"scores": row[np.newaxis]} for row in rows])
    for items, scores, row in zip(answers["items"], answers["best"], rows, strict=True):
        assert items.tolist() == oracle(row, K)
        assert scores == pytest.approx(row[items], abs=different / 255 if quantized else 0)


def rows_of(different: int) -> np.ndarray:
    return -np.random.default_rng(different).integers(1, different + 1, (30, N_ITEMS)).astype(np.float32)


@cache
def converted(size: int, different: int | None) -> bytes:
    """In int8, calibrated on rows of so many different scores, or in float32, the same for all rows."""

    def top(scores):
        items, best = top_items(scores, K, size)
        return {"items": items, "best": best}

    module = tf.Module()
    traced = tf.function(top).get_concrete_function(scores=tf.TensorSpec((1, N_ITEMS), tf.float32, name="scores"))
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(module, folder, signatures={"top": traced})
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=["top"])
        if different is not None:
            calls = [("top", {"scores": row[np.newaxis]}) for row in rows_of(different)]
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = lambda: iter(calls)
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        return converter.convert()


def test_the_whole_catalogue_is_a_permutation():
    row = np.random.default_rng(0).normal(size=(1, 37)).astype(np.float32)
    assert sorted(top_items(tf.constant(row), 37, 5)[0].numpy()[0]) == list(range(37))


def test_blocks_are_used_where_they_pay():
    assert block_size(TWO_LEVELS_FROM * 10 - 1, 10) == 1
    assert block_size(100_000, 10) == 100  # √(100,000 / 10)

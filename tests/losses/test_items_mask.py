"""The mask of the items that a row names, against sets, in every way a step may run it."""

import numpy as np
import pytest
import tensorflow as tf

from kdrec.losses.base import items_mask

ROWS, WIDTH, ITEMS = 5, 7, 4  # so narrow a catalogue that tokens repeat


@pytest.mark.parametrize("kind", ["eager", "graph", "xla"])
def test_an_item_is_named_once_or_more_or_not(kind: str) -> None:
    tokens = np.random.default_rng(0).integers(0, ITEMS + 1, (ROWS, WIDTH))
    tokens[1] = 0  # padding alone
    mask = items_mask
    if kind != "eager":
        mask = tf.function(items_mask, jit_compile=kind == "xla")
    found = mask(tf.constant(tokens), ITEMS).numpy()
    assert found.shape == (ROWS, ITEMS) and found.dtype == bool
    assert [set(np.flatnonzero(row)) for row in found] == [{token - 1 for token in row if token} for row in tokens]


def test_no_tokens_name_nothing() -> None:
    assert not items_mask(tf.zeros((3, 0), tf.int32), ITEMS).numpy().any()


def test_the_width_of_the_mask_is_known_to_a_graph() -> None:
    spec = tf.TensorSpec((None, None), tf.int64)
    assert tf.function(lambda tokens: items_mask(tokens, ITEMS)).get_concrete_function(spec).output_shapes[1] == ITEMS


def test_a_token_beyond_the_catalogue_is_refused() -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"tokens must be item positions \+ 1"):
        items_mask(tf.constant([[1, ITEMS + 1]]), ITEMS)

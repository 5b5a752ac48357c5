"""The k best of a long row of scores, exactly, without sorting the row."""

import math

import tensorflow as tf

TWO_LEVELS_FROM = 500  # items per item asked for; below, LiteRT ranks the whole row of float32 scores faster


def block_size(n_items: int, k: int) -> int:
    """Items a block so that the work n/size + k·size is least: √(n/k); 1 where two levels do not pay.

    >>> block_size(100_000, 100), block_size(2_000, 100)
    (32, 1)
    """
    return round(math.sqrt(n_items / k)) if n_items >= TWO_LEVELS_FROM * k else 1


def top_items(scores: tf.Tensor, k: int, size: int | None = None) -> tuple[tf.Tensor, tf.Tensor]:
    """Positions and scores of the k best items, score descending, then lower position.

    Two levels: the maximum of each block of `size` neighbours, the k best blocks, the k best of the items in them.
    Every one of the k best items x is in a chosen block: each block ranked before x's own, by a higher maximum or an
    equal one further left, holds an item that is ranked before x, and fewer than k are. Items behind the last whole
    block are always candidates, so nothing is padded. TOPK_V2 puts the lower index first among equals; chosen blocks
    are sorted by position before their items are ranked, so a lower index is a lower position.

    Args:
        scores: (1, n_items); n_items is known when the graph is built.
        k: how many, at most n_items.
        size: items a block, 1 for one level; None takes `block_size`.

    Returns:
        items: (1, k) int32 positions; scores: (1, k).

    >>> items, best = top_items(tf.constant([[3.0, 9.0, 9.0, 1.0, 9.0]]), k=3, size=2)
    >>> items.numpy().tolist(), best.numpy().tolist()
    ([[1, 2, 4]], [[9.0, 9.0, 9.0]])
    """
    n_items = scores.shape[1]
    size = block_size(n_items, k) if size is None else size
    n_blocks = n_items // size
    if size == 1 or n_blocks <= k:
        best, items = tf.math.top_k(scores, k)
        return items, best
    whole = n_blocks * size
    blocks = tf.reshape(scores[:, :whole], (n_blocks, size))
    _, chosen = tf.math.top_k(tf.reduce_max(blocks, axis=1), k)  # (k,)
    chosen = tf.sort(chosen)
    candidates = tf.reshape(tf.gather(blocks, chosen), (1, k * size))
    if whole < n_items:
        candidates = tf.concat([candidates, scores[:, whole:]], axis=1)
        chosen = tf.concat([chosen, [n_blocks]], axis=0)
    best, places = tf.math.top_k(candidates, k)  # (1, k)
    shifts = (chosen - tf.range(chosen.shape[0])) * size  # from a place among the candidates to a position
    return places + tf.gather(shifts, places // size), best

"""Contestants that judge the same factors on the same held-out items: kdrec's `evaluate` and TFRS's `FactorizedTopK`.

`kdrec` ranks each user's unseen items once and gives every metric at every k. `brute_force` and `streaming` are TFRS
with that layer of candidates: a query is a user and one held-out item, so that it ranks once a pair (`/pairs`);
`/users` asks for the first held-out item of each user alone. TFRS leaves no seen item out.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import speed_data as data
from speed_worker import Run, serve

KS, ROWS, BLOCK = (1, 5, 10, 50, 100), 512, 4096  # lists' lengths, rows scored at once, items a block that streams


def setup(given: dict[str, Any]) -> Mapping[str, Run]:
    """The contestant that is named in `contestants`, alone, for memory is measured too."""
    (name,) = given["contestants"]
    factors = data.kept(data.folder(given) / "factors")
    split = data.read_split(given)
    judged = np.flatnonzero(np.diff(split.test.indptr))
    judged = judged[np.linspace(0, len(judged) - 1, min(given["rows"], len(judged))).astype(int)]
    if name == "kdrec":
        return {name: kdrec(split, judged, factors)}
    layer, _, queries = name.partition("/")
    starts, ends = split.test.indptr[judged], split.test.indptr[judged + 1]
    counts = ends - starts if queries == "pairs" else np.ones(len(judged), np.int64)
    pairs = np.arange(counts.sum()) + np.repeat(starts - (np.cumsum(counts) - counts), counts)
    return {name: tfrs(layer, np.repeat(judged, counts), split.test.items[pairs], factors)}


def kdrec(split: Any, users: np.ndarray, factors: Mapping[str, np.ndarray]) -> Run:
    """Full ranking of each user's unseen items."""
    from kdrec.evaluation.ranking import evaluate

    def score(x: Mapping[str, np.ndarray]) -> np.ndarray:
        return factors["users"][x["user"]] @ factors["items"].T

    def run(count: int) -> dict[str, Any]:
        for _ in range(count):
            result = evaluate(score, split, "test", ks=KS, history_length=1, batch_size=ROWS, users=users)
        return {"queries": len(users), "figures": len(result.metrics), f"hr@{KS[-1]}": result.metrics[f"hr@{KS[-1]}"]}

    return run


def tfrs(layer: str, users: np.ndarray, items: np.ndarray, factors: Mapping[str, np.ndarray]) -> Run:
    """Top-k accuracy of (user, item) pairs; the metric is traced and warm."""
    import tensorflow as tf
    import tensorflow_recommenders as tfrs

    layers, table = tfrs.layers.factorized_top_k, tf.constant(factors["items"])
    if layer == "brute_force":
        candidates = layers.BruteForce(k=KS[-1]).index(table)
    else:
        candidates = layers.Streaming(k=KS[-1]).index_from_dataset(
            tf.data.Dataset.from_tensor_slices(table).batch(BLOCK)
        )
    metric = tfrs.metrics.FactorizedTopK(candidates, ks=KS)
    vectors = tf.TensorSpec((None, table.shape[1]), tf.float32)

    @tf.function(input_signature=[vectors, vectors])
    def update(queries: Any, wanted: Any) -> None:
        metric.update_state(queries, wanted)

    update(factors["users"][users[:ROWS]], factors["items"][items[:ROWS]])

    def run(count: int) -> dict[str, Any]:
        for _ in range(count):
            metric.reset_states()
            for start in range(0, len(users), ROWS):
                rows = slice(start, start + ROWS)
                update(factors["users"][users[rows]], factors["items"][items[rows]])
            found = [float(value) for value in metric.result()]
        return {"queries": len(users), "figures": len(found), f"top_{KS[-1]}": found[-1]}

    return run


def prepare(given: dict[str, Any]) -> None:
    """The factors of every user and item, from ALS."""
    from kdrec.data.histories import inputs

    split, teacher = data.read_split(given), data.read_teacher(given, "als")
    parts = np.array_split(np.arange(split.train.n_users, dtype=np.int32), max(1, split.train.n_users // ROWS))
    users = np.concatenate([teacher.user_embedding(inputs(split, "test", part)) for part in parts])
    data.keep(data.folder(given) / "factors", users=users, items=teacher.item_embedding)


if __name__ == "__main__":
    serve(setup)

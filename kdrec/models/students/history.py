"""The student: what a device holds of a user, its last items, becomes a query that scores the catalogue."""

import inspect
from collections.abc import Mapping
from typing import Any

import tensorflow as tf
import tf_keras as keras

from kdrec.data.kept_items import KeptItems
from kdrec.errors import TrainingError
from kdrec.models import encoders, tables
from kdrec.models.layers import EveryItem, HistoryRows, TiedScores, UntiedScores

OF_EVERY_ENCODER = {"history", "embedded", "context", "table", "ordered", "seed"}
OF_EVERY_TABLE = {"n_items", "row_width", "item_counts", "seed"}


def history(
    n_items: int,
    *,
    embedding_dim: int = 32,
    history_length: int = 50,
    encoder: str = "mean",
    encoder_options: Mapping[str, Any] | None = None,
    hidden: int = 128,
    tied: bool = True,
    table: str = "full",
    table_options: Mapping[str, Any] | None = None,
    unit_rows: bool = False,
    item_counts: Any = None,
    ordered: bool = True,
    context: Mapping[str, int] | None = None,
    kept: KeptItems | None = None,
    unranked: int = 0,
    seed: int = 0,
) -> keras.Model:
    """A student without a user table: q = sA + c + relu(s W₁ + b₁) W₂ with s = encoder(history), score_j = q · E_j.

    Args:
        n_items: items in the catalogue.
        embedding_dim: width of an item's row; an int8 row is as many bytes.
        history_length: how many of a user's last items the device gives.
        encoder: a name in `kdrec.models.encoders`.
        encoder_options: of that encoder, such as {"steps": 5} of `rnn`.
        hidden: width of the residual layer; 0 leaves it out.
        tied: one table for reading the history and scoring; False gives scoring a second one.
        table: how the rows of the items are stored, a name in `kdrec.models.tables`; all but `full` are tied.
        table_options: of that table, such as {"rows": 64} of `hashing`.
        unit_rows: every row of the full table, and of that of scoring, has length 1.
        item_counts: (n_items,) how often each item was chosen, which `adaptive` reads.
        ordered: histories are ordered by time, or sets.
        context: number of values of each context feature, by name; value 0 stands for unknown.
        kept: the items that have a row of their own, the others sharing the last one; None gives one to each.
        unranked: rows that histories read beyond those of the items, and that are not scored.
        seed: equal seeds give equal weights.

    Returns:
        A functional model: inputs `history` (rows, history_length) int32 tokens, right-aligned, and one (rows,) int32
        a context feature; output scores (rows, n_items).

    Raises:
        TrainingError: a size is not positive, encoder or table has no such option, or an untied table is no full one.

    >>> student = history(40, embedding_dim=8, history_length=6)
    >>> student.output_shape
    (None, 40)
    """
    for name, size, least in (
        ("n_items", n_items, 1), ("embedding_dim", embedding_dim, 1), ("history_length", history_length, 1),
        ("hidden", hidden, 0),
    ):  # fmt: skip
        if size < least:
            raise TrainingError(f"{name} must be at least {least}, not {size}; give the student a larger {name}")
    tokens = keras.Input((history_length,), dtype=tf.int32, name="history")
    if not tied and table != "full":
        raise TrainingError(f"tied must be True for table {table!r}, not {tied}; table='full' alone may be untied")
    if table != "full" and (kept is not None or unranked):
        raise TrainingError(f"table must be 'full' for a student of fewer items, not {table!r}; leave one of them out")
    if unit_rows and table != "full":
        raise TrainingError(f"unit_rows must be False for table {table!r}, which puts rows together; leave it out")
    chosen = _options_of("table", tables.get(table), OF_EVERY_TABLE, table, table_options or {})
    n_rows = n_items if kept is None else kept.n_kept + 1
    reader, scorer = tables.get(table)(n_rows + unranked, embedding_dim, item_counts=item_counts, seed=seed, **chosen)
    if unit_rows:
        reader = reader.from_config({**reader.get_config(), "unit_rows": True})
    read = tokens if kept is None else HistoryRows(kept.tokens.tolist(), name="history_rows")(tokens)
    embedded, *held = reader(read)
    features = {name: keras.Input((), dtype=tf.int32, name=name) for name in context or {}}
    rows = [
        keras.layers.Embedding(size + 1, embedding_dim, embeddings_initializer="zeros", name=f"context_{name}")(
            features[name]
        )
        for name, size in (context or {}).items()
    ]
    summed = keras.layers.Add(name="context")(rows) if len(rows) > 1 else (rows[0] if rows else None)
    encode = encoders.get(encoder)
    options = _options_of("encoder", encode, OF_EVERY_ENCODER, encoder, encoder_options or {})
    has_table = table == "full" and "table" in inspect.signature(encode).parameters
    whole = {"table": held[0]} if has_table else {}
    pooled = encode(read, embedded, summed, ordered=ordered, seed=seed, **whole, **options)  # (rows, width)
    query = _head(pooled, embedding_dim, hidden, seed)
    scorer = TiedScores(n_rows, name="scores") if unranked else scorer
    scores = (
        scorer([query, *held])
        if tied
        else UntiedScores(n_rows, seed=seed, unit_rows=unit_rows, name="item_scores")(query)
    )
    if kept is not None:
        scores = EveryItem(kept.rows.tolist(), name="every_item")(scores)
    return keras.Model({"history": tokens, **features}, scores, name="student")


def _options_of(kind: str, build: Any, shared: set[str], name: str, options: Mapping[str, Any]) -> Mapping[str, Any]:
    """The options of an encoder or table, if it has them all."""
    known = sorted(inspect.signature(build).parameters.keys() - shared)
    for option in options:
        if option not in known:
            raise TrainingError(f"{kind} {name!r} has no option {option!r}; it has {', '.join(known) or 'none'}")
    return options


def _head(pooled, embedding_dim: int, hidden: int, seed: int):
    linear = keras.layers.Dense(embedding_dim, kernel_initializer="identity", name="linear")(pooled)
    if not hidden:
        return keras.layers.Activation("linear", name="query")(linear)
    glorot = keras.initializers.GlorotUniform(seed=seed + 3)
    near_zero = keras.initializers.RandomNormal(stddev=0.01, seed=seed + 4)
    deep = keras.layers.Dense(hidden, activation="relu", kernel_initializer=glorot, name="hidden")(pooled)
    residual = keras.layers.Dense(embedding_dim, use_bias=False, kernel_initializer=near_zero, name="residual")(deep)
    return keras.layers.Add(name="query")([linear, residual])

import io

import numpy as np
import pytest
import tf_keras as keras
from small_students import ITEMS, LENGTH, WIDTH, standard_jobs, student

from kdrec.errors import ConversionError
from kdrec.export.host import host_part, symmetric
from kdrec.export.jobs import ExportJob
from kdrec.export.signatures import build
from kdrec.export.student_parts import take_apart


def test_the_host_keeps_the_table_and_pools_as_the_student_does():
    model = student(context={"hour": 4})
    host, files = host_part(take_apart(model))
    assert set(files) == host.files() == {"host_table.npy", "host_context_hour.npy"}
    pooling = host.inputs["device_input"]
    assert (pooling.kind, pooling.power, len(pooling.position_weights)) == ("weighted_mean", 0.5, LENGTH)
    assert pooling.position_weights == tuple(model.get_layer("history_mean").get_weights()[0].tolist())
    stored = np.load(io.BytesIO(files["host_table.npy"]), allow_pickle=False)
    assert stored.shape == (ITEMS + 1, WIDTH) and stored.dtype == np.int8 and not stored[0].any()
    table = model.get_layer("item_table").get_weights()[0]
    assert np.abs(stored * host.table.scale - table).max() <= host.table.scale / 2 * 1.0001


def test_rows_cross_before_the_conv_encoder_and_context_by_itself():
    host, _ = host_part(take_apart(student(encoder="conv", context={"hour": 4})))
    kinds = {name: described.kind for name, described in host.inputs.items()}
    assert kinds == {"device_input_history": "lookup", "device_input_context": "context"}
    assert set(host.inputs["device_input_context"].context_tables) == {"hour"}


def test_the_host_attends_by_scores_that_it_knows_beforehand():
    model = student(encoder="attention", encoder_options={"heads": 2}, context={"hour": 4})
    host, files = host_part(take_apart(model))
    assert set(files) == host.files() == {"host_table.npy", "host_context_hour.npy", "host_attention.npy"}
    pooling = host.inputs["device_input"]
    assert (pooling.kind, pooling.power, pooling.attention.bound) == ("attention", 0.5, 4.0)
    scorer, positions = model.get_layer("history_attention").get_weights()
    assert pooling.attention.position_scores == tuple(positions.reshape(-1).tolist())
    stored = np.load(io.BytesIO(files["host_attention.npy"]), allow_pickle=False)
    exact = model.get_layer("item_table").get_weights()[0] @ scorer
    scale = pooling.attention.scores.scale
    assert stored.shape == (ITEMS + 1, 2) and 0 < np.abs(stored * scale - exact).max() <= scale / 2 * 1.0001


def test_an_empty_table_has_a_scale():
    stored, scale = symmetric(np.zeros((2, 3), np.float32))
    assert not stored.any() and scale == 1.0


def bare_student(pooled_name: str | None):
    """A student of another hand: the mean of its rows by Keras's own layer, with a boundary behind it or none."""
    from kdrec.models.layers import Boundary, ItemTable, TiedScores

    history = keras.Input((LENGTH,), dtype="int32", name="history")
    rows, table = ItemTable(ITEMS, WIDTH, name="item_table")(history)
    pooled = keras.layers.GlobalAveragePooling1D()(rows)
    if pooled_name:
        pooled = Boundary(name=pooled_name)(pooled)
    query = keras.layers.Dense(WIDTH, name="query")(pooled)
    return keras.Model({"history": history}, TiedScores(name="scores")([query, table]))


def coral() -> ExportJob:
    return standard_jobs()[2]


def test_a_student_without_a_boundary_is_refused():
    parts = take_apart(bare_student(None))
    with pytest.raises(
        ConversionError, match="student must mark with layers named device_input… where the host hands over"
    ):
        build(parts, coral(), {"history": np.ones((3, LENGTH), np.int32)})


def test_pooling_that_no_host_computes_is_refused():
    with pytest.raises(
        ConversionError, match="the host pools a history by layer 'history_mean' or 'history_attention' only, but"
    ):
        host_part(take_apart(bare_student("device_input")))


def test_a_student_without_an_item_table_is_refused():
    history = keras.Input((LENGTH,), dtype="int32", name="history")
    model = keras.Model(history, keras.layers.Dense(ITEMS, name="query")(keras.layers.Embedding(9, 3)(history)))
    with pytest.raises(ConversionError, match="student must have a layer 'item_table', but it has history"):
        take_apart(model)

"""The host part of an Edge TPU: numpy before the device, shards joined after it."""

import io
import json

import numpy as np
import pytest
import tiny_models

from kdrec.bundle import open_bundle
from kdrec.bundle.host import HostAttention, HostInput, HostPart, HostTable
from kdrec.errors import RuntimeFileError
from kdrec.runtime import Recommender
from kdrec.runtime.host import Host, attention_mean, weighted_mean
from kdrec.runtime.interpreter import Edge

ROWS = np.array([[0, 0], [10, -20], [30, 40], [50, 60]], np.int8)
TABLE = HostTable("host_table.npy", 0.1, 0)
CONTEXT = HostTable("host_context_daypart.npy", 0.5, 0)
HISTORY = np.array([[0, 2, 1]], np.int32)


def npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


FILES = {"host_table.npy": npy(ROWS), "host_context_daypart.npy": npy(np.array([[0, 0], [2, 4]], np.int8))}


def device(shape, scale=0.1) -> dict[str, Edge]:
    return {"device_input": Edge(np.dtype("int8"), shape, scale, 1)}


def test_lookup_gives_the_rows_of_the_history() -> None:
    host = Host(HostPart(TABLE, {"device_input": HostInput("lookup")}), FILES, device((1, 3, 2)))
    assert host({"history": HISTORY})["device_input"].tolist() == [[[1, 1], [31, 41], [11, -19]]]  # zero point 1


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0])
def test_weighted_mean_is_its_formula(power: float) -> None:
    weights = np.array([9.0, 2.0, 0.5], np.float32)
    value = weighted_mean(HISTORY[0], ROWS, TABLE, weights, power)
    expected = 2**-power * (2.0 * np.array([3.0, 4.0]) + 0.5 * np.array([1.0, -2.0]))
    np.testing.assert_allclose(value, expected, rtol=1e-6)


ITEM_SCORES = np.array([[0, 0], [3, -1], [1, 4], [0, 2]], np.int8)
ATTENTION = HostAttention(HostTable("host_attention.npy", 0.5, 0), (9.0, 9.0, 0.1, 0.0, -0.2, 0.3), 4.0)  # two heads


@pytest.mark.parametrize("power", [0.5, 1.0])
def test_attention_is_its_formula(power: float) -> None:
    value = attention_mean(HISTORY[0], ROWS, TABLE, ITEM_SCORES, ATTENTION, power)
    shares = []
    for older, newer in (((0.5, 0.1), (1.5, -0.2)), ((2.0, 0.0), (-0.5, 0.3))):  # t and p of items 2 and 1, by head
        raised = [np.exp(4 * np.tanh(sum(pair))) for pair in (older, newer)]
        shares.append(np.array(raised) / sum(raised))
    expected = 2 ** (1 - power) * np.array([shares[0] @ [3.0, 1.0], shares[1] @ [4.0, -2.0]])
    np.testing.assert_allclose(value, expected, rtol=1e-5)


def test_attention_with_context_reaches_the_device() -> None:
    spec = HostInput("attention", None, 0.5, {"daypart": CONTEXT}, ATTENTION)
    files = {**FILES, "host_attention.npy": npy(ITEM_SCORES)}
    host = Host(HostPart(TABLE, {"device_input": spec}), files, device((1, 2), scale=0.25))
    pooled = attention_mean(HISTORY[0], ROWS, TABLE, ITEM_SCORES, ATTENTION, 0.5)
    stored = host({"history": HISTORY, "daypart": np.array([1])})["device_input"]
    assert stored.tolist() == [np.round(1 + (pooled + np.array([1.0, 2.0])) / 0.25).tolist()]


def test_an_empty_history_is_zero() -> None:
    nothing = np.zeros(3, np.int32)
    assert weighted_mean(nothing, ROWS, TABLE, np.ones(3, np.float32), 0.5).tolist() == [0.0, 0.0]
    assert attention_mean(nothing, ROWS, TABLE, ITEM_SCORES, ATTENTION, 0.5).tolist() == [0.0, 0.0]


def test_context_rows_are_added() -> None:
    spec = HostInput("weighted_mean", (1.0, 1.0, 1.0), 0.0, {"daypart": CONTEXT})
    host = Host(HostPart(TABLE, {"device_input": spec}), FILES, device((1, 2)))
    stored = host({"history": HISTORY, "daypart": np.array([1])})["device_input"]
    assert stored.tolist() == [[1 + 10 * (4 + 1), 1 + 10 * (2 + 2)]]


def test_context_may_have_an_input_of_its_own() -> None:
    part = HostPart(
        TABLE, {"rows": HostInput("lookup"), "context": HostInput("context", context_tables={"daypart": CONTEXT})}
    )
    edges = {"rows": Edge(np.dtype("int8"), (1, 3, 2), 0.1, 0), "context": Edge(np.dtype("uint8"), (1, 2), 0.5, 7)}
    inputs = Host(part, FILES, edges)({"history": HISTORY, "daypart": np.array([1])})
    assert inputs["context"].tolist() == [[9, 11]] and inputs["context"].dtype == np.uint8
    assert inputs["rows"].tolist() == [ROWS[HISTORY[0]].tolist()]


def test_a_coral_bundle_recommends_near_the_formula(coral_bundle) -> None:
    recommender = Recommender.load(coral_bundle)
    rows = tiny_models.histories(20)
    exact = np.array([tiny_models.expected(row) for row in rows])
    scores = recommender.scorer()({"history": rows})
    assert 0 < np.abs(scores - exact).max() < 0.06 * np.abs(exact).max()
    found = recommender.recommend(["i4", "i1"], k=3)
    row = recommender.scorer()({"history": np.array([[5, 2]])})[0]
    allowed = [position for position in range(tiny_models.N_ITEMS) if position not in (4, 1)]
    assert list(found.items) == [f"i{n}" for n in sorted(allowed, key=lambda n: (-row[n], n))[:3]]
    with pytest.raises(RuntimeFileError, match="has no signature 'recommend', it has score; export it with kdrec"):
        recommender.recommended({"history": rows})


def test_golden_scores_join_the_shards(coral_bundle) -> None:
    bundle = open_bundle(coral_bundle)
    case = json.loads(bundle.files["golden.json"])["cases"][0]
    row = Recommender(bundle).scorer()({"history": np.array([case["inputs"]["history"]])})[0]
    assert case["outputs"]["score"]["top"] == np.argsort(-row, kind="stable")[:10].tolist()


def test_a_host_that_makes_other_inputs() -> None:
    message = "the device takes device_input, but the manifest's host part makes rows; export the bundle again"
    with pytest.raises(RuntimeFileError, match=message):
        Host(HostPart(TABLE, {"rows": HostInput("lookup")}), FILES, device((1, 2)))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"nonsense", "host_table.npy is no readable .npy table .*; export the bundle again"),
        (npy(np.zeros((2, 2))), r"host_table.npy must be an int8 matrix, received float64 \(2, 2\); export the bundle"),
        (npy(np.zeros(2, np.int8)), r"must be an int8 matrix, received int8 \(2,\)"),
    ],
)
def test_a_table_that_is_none(content: bytes, message: str) -> None:
    part = HostPart(TABLE, {"device_input": HostInput("lookup")})
    with pytest.raises(RuntimeFileError, match=message):
        Host(part, {"host_table.npy": content}, device((1, 2)))

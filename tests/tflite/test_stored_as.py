import numpy as np
import pytest

from kdrec.errors import ConversionError
from kdrec.tflite.read import parse
from kdrec.tflite.sizes import sizes
from kdrec.tflite.stored_as import nibbles, store
from kdrec.tflite.strip import strip
from kdrec.tflite.tied_table import tie
from kdrec.tflite.verify import run
from kdrec.tflite.views import read
from kdrec.tflite.wide_scores import widen
from kdrec.tflite.write import pack

ITEMS, WIDTH = 20, 8


def test_nibbles_read_back():
    stored = np.random.default_rng(0).integers(-7, 8, (ITEMS + 1, WIDTH)).astype(np.int8)
    packed = nibbles(stored)
    assert packed.nbytes == stored.size // 2
    low, high = (packed & 15).astype(np.int8), (packed >> 4).astype(np.int8)
    back = np.stack([low, high], axis=1).ravel()
    np.testing.assert_array_equal(np.where(back > 7, back - 16, back), stored.ravel())


@pytest.mark.parametrize("graph", ["tied_mean", "tied_dense", "tied_joined"])
@pytest.mark.parametrize("scores", ["int8", "wide"])
def test_lookup_and_scoring_read_the_nibbles(graph, scores, on_grid):
    converted, stored, scale = on_grid(graph)
    model = tie(parse(converted.content), converted.table)
    model = widen(model, converted.table) if scores == "wide" else model
    before = pack(strip(model))
    rewritten = parse(before)
    assert store(rewritten, converted.table, "int4", scale) == 3  # a lookup in each graph, and one product
    content = pack(strip(rewritten))
    tables = [tensor for graph in read(content).subgraphs for tensor in graph.tensors if tensor.dtype == "int4"]
    assert {tensor.buffer for tensor in tables if tensor.is_constant} == {tables[0].buffer}
    assert sizes(content, ITEMS).tables == (ITEMS + 1) * WIDTH // 2
    assert "min_runtime_version" in read(before).metadata and "min_runtime_version" not in read(content).metadata
    for signature, output in (("score", "scores"), ("embed", "query")):
        old, new = (run(file, signature, converted.cases)[output] for file in (before, content))
        assert np.sqrt(np.mean((old - new) ** 2)) < 0.03 * np.std(old)


@pytest.mark.parametrize("graph", ["tied_mean", "tied_dense", "tied_joined"])
def test_a_table_of_floats_among_integers_is_stored_once_and_read_exactly(graph, on_grid):
    """Scores are float products then; the lookup is rounded to the scale of what follows it, as before."""
    converted, _, _ = on_grid(graph)
    model = widen(tie(parse(converted.content), converted.table), converted.table)
    before = pack(strip(model))
    rewritten = parse(before)
    assert store(rewritten, converted.table, "float32") == 3
    content = pack(strip(rewritten))
    assert sizes(content, ITEMS).tables == (ITEMS + 1) * WIDTH * 4
    query = run(content, "embed", converted.cases)["query"]
    scores = run(content, "score", converted.cases)["scores"]
    np.testing.assert_allclose(scores, (query @ converted.table.T)[:, 1:], rtol=1e-4, atol=1e-4)
    old = run(before, "embed", converted.cases)["query"]
    assert np.sqrt(np.mean((old - query) ** 2)) < 0.03 * np.std(old)


def test_a_matrix_that_is_not_there_is_read_by_nobody(tied_mean):
    model = parse(tied_mean.content)
    assert store(model, np.ones((ITEMS + 1, WIDTH), np.float32), "int4", 1.0) == 0


def test_an_odd_width_is_refused(tied_mean):
    with pytest.raises(ConversionError, match="four bits must have an even number of columns, not 7; take .* of 8, or"):
        store(parse(tied_mean.content), np.zeros((ITEMS + 1, 7), np.float32), "int4", 1.0)

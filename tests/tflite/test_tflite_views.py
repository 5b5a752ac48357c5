import numpy as np
import pytest

from kdrec.tflite.views import read


def test_operators_signatures_and_shapes_are_seen(tied_mean):
    file = read(tied_mean.content)
    assert file.n_bytes == len(tied_mean.content)
    assert set(file.signatures) == {"score", "embed"}
    scores = file.signatures["score"].outputs["scores"]
    assert (scores.dtype, scores.shape) == ("float32", (1, 20))
    assert file.signatures["score"].inputs["history"].shape == (1, 4)
    assert file.operator_counts()["GATHER"] == 2
    assert b"." in file.metadata["min_runtime_version"]


def test_a_table_is_within_half_a_step_of_its_floats(tied_mean):
    tensors = [tensor for graph in read(tied_mean.content).subgraphs for tensor in graph.tensors]
    table = next(tensor for tensor in tensors if tensor.shape == (21, 8) and tensor.zero_points == (0,))
    assert table.is_constant and not table.is_per_channel and table.dtype == "int8"
    assert np.abs(table.scale * table.values().astype(float) - tied_mean.table).max() <= table.scale / 2 * 1.001


def test_a_computed_tensor_has_no_values(tied_mean):
    scores = read(tied_mean.content).signatures["score"].outputs["scores"]
    with pytest.raises(ValueError, match=r"tensor \d+ .* is computed, so the file holds no values"):
        scores.values()

import numpy as np
import pytest

from kdrec.errors import ConversionError
from kdrec.tflite.graph import operators
from kdrec.tflite.read import parse
from kdrec.tflite.strip import strip
from kdrec.tflite.tied_table import tie
from kdrec.tflite.verify import differences, run
from kdrec.tflite.views import read
from kdrec.tflite.wide_scores import widen
from kdrec.tflite.write import pack


def wide(converted) -> bytes:
    return pack(strip(widen(tie(parse(converted.content), converted.table), converted.table)))


def test_scores_leave_as_float32_near_the_int8_ones(tied_mean):
    content = wide(tied_mean)
    scores = read(content).signatures["score"].outputs["scores"]
    assert (scores.dtype, scores.scales) == ("float32", ())
    assert 0 < differences(tied_mean.content, content, {"score": tied_mean.cases})["score/scores"] < 2


def test_wide_scores_are_the_integer_products_scaled(tied_mean):
    """score = s_q s_E Σ q_i E_i with the query requantized to 8 bits: within half a step of q times Σ|E|."""
    content = wide(tied_mean)
    query = run(content, "embed", tied_mean.cases)["query"]  # (cases, width), of the same graph
    weights = next(t for g in read(content).subgraphs for t in g.tensors if t.shape == (21, 8) and t.is_constant)
    table = weights.scale * weights.values().astype(np.float64)
    exact = query @ table[1:].T
    half_step = (query.max(1) - np.minimum(query.min(1), 0)) / 255
    bound = half_step[:, np.newaxis] * np.abs(table[1:]).sum(1)
    assert (np.abs(run(content, "score", tied_mean.cases)["scores"] - exact) <= bound + 1e-5).all()


def test_wide_scores_tie_less_and_cost_no_second_table(tied_mean):
    tight = pack(strip(tie(parse(tied_mean.content), tied_mean.table)))
    content = wide(tied_mean)
    assert len(content) <= len(tight) + 200
    ties = [
        sum(len(row) - len(np.unique(row)) for row in run(file, "score", tied_mean.cases)["scores"])
        for file in (tight, content)
    ]
    assert ties[1] < ties[0]


def test_widening_twice_changes_nothing(tied_mean):
    once = wide(tied_mean)
    assert pack(strip(widen(parse(once), tied_mean.table))) == once


def test_scores_that_are_computed_with_are_refused(tied_mean):
    model = parse(tied_mean.content)
    code = next(op.opcodeIndex for _, op in operators(model, "MEAN"))
    for _, operator in operators(model, "STRIDED_SLICE"):
        operator.opcodeIndex = code
    with pytest.raises(ConversionError, match="scores pass through MEAN on their way out, which float32 scores cannot"):
        widen(model, tied_mean.table)

"""Which outputs of a file are scores."""

from types import SimpleNamespace

import numpy as np
import pytest

from kdrec.errors import RuntimeFileError
from kdrec.runtime.interpreter import Edge, Ends
from kdrec.runtime.scores import FileScores, score_outputs

EDGE = Edge(np.dtype("int8"), (1, 3), 0.5, 0)
HISTORY = {"history": Edge(np.dtype("int32"), (1, 5), 0.0, 0)}


def test_shards_follow_in_the_order_of_their_numbers() -> None:
    assert list(score_outputs({f"scores_{n}": EDGE for n in (11, 2, 0)}, "m")) == ["scores_0", "scores_2", "scores_11"]


@pytest.mark.parametrize(("outputs", "listed"), [({}, "nothing"), ({"logits": EDGE, "scores_x": EDGE}, "logits, sco")])
def test_a_file_without_scores(outputs, listed: str) -> None:
    message = f"m.tflite: signature 'score' must return 'scores' or 'scores_0', 'scores_1' …, it returns {listed}"
    with pytest.raises(RuntimeFileError, match=message):
        score_outputs(outputs, "m.tflite")


def test_a_recommend_signature_without_items() -> None:
    ends = {"score": Ends(HISTORY, {"scores": EDGE}), "recommend": Ends(HISTORY, {"ids": EDGE})}
    file = SimpleNamespace(name="m.tflite", signatures=ends, ends=ends.__getitem__)
    with pytest.raises(RuntimeFileError, match="'recommend' must return 'items' and 'scores', it returns ids; export"):
        FileScores(file)

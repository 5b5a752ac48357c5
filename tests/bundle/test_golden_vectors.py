"""Golden vectors: what was answered once, compared with what is answered now."""

import json

import numpy as np
import pytest

from kdrec.bundle import golden
from kdrec.bundle.golden import Answer
from kdrec.errors import BundleError
from kdrec.files import sha256_of

STORED = np.array([3, -1, 3, 100], np.int8)
ANSWER = Answer(STORED * 0.5, STORED, (np.array([3, 0], np.int32), np.array([100, 3], np.int8)))
CASES = [{"history": [0, 1, 2], "daypart": [1]}]


def made() -> bytes:
    return golden.make("litert", CASES, lambda cases: [ANSWER])


def test_the_file_holds_inputs_top_and_the_hash_of_the_stored_bytes() -> None:
    document = json.loads(made())
    assert document == {
        "oracle": "litert",
        "cases": [
            {
                "inputs": {"history": [0, 1, 2], "daypart": [1]},
                "outputs": {
                    "recommend": {"items": [3, 0], "scores": [100, 3]},
                    "score": {"sha256": sha256_of(bytes([3, 255, 3, 100])), "top": [3, 0, 2, 1]},
                },
            }
        ],
    }


def test_float_scores_are_kept_exactly() -> None:
    scores = np.array([0.1, 0.2], np.float32)
    answer = Answer(scores, scores, (np.array([1]), scores[1:]))
    content = golden.make("litert", CASES, lambda cases: [answer])
    assert json.loads(content)["cases"][0]["outputs"]["recommend"]["scores"] == [float(np.float32(0.2))]
    assert golden.replay(content, lambda cases: [answer]) == []


def test_replay_hands_the_inputs_over_and_finds_no_difference() -> None:
    seen = []
    assert golden.replay(made(), lambda cases: seen.extend(cases) or [ANSWER]) == []
    assert seen == CASES


@pytest.mark.parametrize(
    ("answer", "signatures"),
    [
        (Answer(STORED * 0.5, STORED + np.int8(1), ANSWER.recommended), ["score"]),
        (Answer(STORED * 0.5, STORED, (np.array([3, 2]), np.array([100, 3]))), ["recommend"]),
        (Answer(STORED * -0.5, STORED, None), ["recommend", "score"]),
    ],
)
def test_a_difference_is_named(answer: Answer, signatures: list[str]) -> None:
    found = golden.replay(made(), lambda cases: [answer])
    assert [sentence.split(": expected {")[0] for sentence in found] == [f"case 0, {name}" for name in signatures]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[", "golden.json is not JSON"),
        (b'{"oracle": "x", "cases": []}', "golden.json: oracle must be one of litert, tflite-micro, received 'x'"),
        (
            b'{"oracle": "litert", "cases": [{"inputs": {"history": [-1]}, "outputs": {}}]}',
            r"cases\[0\].inputs.history\[0\] must be an integer of at least 0, received -1",
        ),
    ],
)
def test_what_is_no_golden_file(content: bytes, message: str) -> None:
    with pytest.raises(BundleError, match=message):
        golden.replay(content, lambda cases: [])

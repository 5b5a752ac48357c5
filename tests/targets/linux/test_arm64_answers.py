"""What scripts/arm64 demands of an emulated core."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

SCRIPT = Path(__file__).parents[3] / "scripts/arm64_answers.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("arm64_answers", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["arm64_answers"] = module
    spec.loader.exec_module(module)
    return module


def answers(query: float = 0.0, score: float = 0.0) -> dict[str, np.ndarray]:
    """Of two histories, twelve items with scores 0 to 11; the second history's answers are off by these."""
    scores = np.tile(np.arange(12.0), (2, 1))
    scores[1, 3] += score
    return {"embed/query": np.array([[1.0, 2.0], [3.0, 4.0 + query]]), "score/scores": scores}


@pytest.mark.parametrize(
    ("there", "found", "right"),
    [
        (answers(), (2, 2, 2, 2, 0.0), {"cortex-a53": True, "cortex-a76": True}),
        (answers(score=0.1), (2, 2, 1, 2, 0.1 / 11), {"cortex-a53": False, "cortex-a76": True}),
        (answers(score=2.5), (2, 2, 1, 1, 2.5 / 11), {"cortex-a53": False, "cortex-a76": False}),
        (answers(query=1e-6), (2, 1, 2, 2, 0.0), {"cortex-a53": False, "cortex-a76": False}),
    ],
)
def test_what_is_compared_and_demanded(script: ModuleType, there, found, right, tmp_path: Path) -> None:
    compared = script.compare(answers(), there)
    assert (compared.cases, compared.queries, compared.scores, compared.lists) == found[:4]
    assert compared.apart == pytest.approx(found[4])
    for core, is_right in right.items():
        assert script.is_right(core, compared) == is_right
        np.savez(tmp_path / "here.npz", **answers())
        np.savez(tmp_path / f"{core}.npz", **there)
        assert script.main([str(tmp_path / "here.npz"), str(tmp_path / f"{core}.npz")]) == int(not is_right)

"""Files with golden vectors on whatever runtime is installed, with numpy and that alone; see min_runtime.py.

Prints one line of JSON a folder given: whether all answers are equal to the bit, and the mean share of the ten items
listed that are, by their golden scores, among the ten best; or the words with which the file was refused.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np

try:
    from ai_edge_litert.interpreter import Interpreter
except ImportError:
    from tflite_runtime.interpreter import Interpreter

TOP = 10


def asked(folder: Path) -> dict[str, object]:
    """What the file of a folder answers to its golden vectors."""
    interpreter = Interpreter(model_path=str(folder / "model.tflite"), num_threads=1)
    golden = dict(np.load(folder / "golden.npz", allow_pickle=False))
    is_equal, shares = True, []
    for signature in sorted({key.partition("/")[0] for key in golden}):
        runner = interpreter.get_signature_runner(signature)
        inputs, expected = (of(golden, f"{signature}/{way}/") for way in ("inputs", "outputs"))
        calls = len(next(iter(inputs.values())))
        answers = [runner(**{name: values[call] for name, values in inputs.items()}) for call in range(calls)]
        answered = {name: np.stack([answer[name] for answer in answers]) for name in expected}
        is_equal &= all(answered[name].tobytes() == values.tobytes() for name, values in expected.items())
        if signature == "score":
            details = runner.get_output_details()
            shares = list(map(share_of_best, scores(expected, details), scores(answered, details)))
    return {"equal": is_equal, "share": round(float(np.mean(shares)), 4)}


def of(golden: Mapping[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    """Arrays by name behind a prefix."""
    return {key.removeprefix(prefix): values for key, values in golden.items() if key.startswith(prefix)}


def scores(outputs: Mapping[str, np.ndarray], details: Mapping[str, dict]) -> np.ndarray:
    """(calls, n_items) float of outputs that follow one another, `scores` or `scores_0`, `scores_1` …"""
    parts = []
    for name in sorted(outputs, key=lambda name: int(name.partition("_")[2] or 0)):
        scale, zero_point = details[name]["quantization"]
        stored = outputs[name].reshape(len(outputs[name]), -1).astype(np.float32)
        parts.append((stored - zero_point) * scale if scale else stored)
    return np.concatenate(parts, axis=1)


def share_of_best(golden: np.ndarray, received: np.ndarray) -> float:
    """The share of the items listed that golden scores rank among the best; of equal scores any may be listed."""
    listed = np.argsort(-received, kind="stable")[:TOP]
    return float(np.mean(golden[listed] >= np.sort(golden)[-TOP]))


if __name__ == "__main__":
    for name in sys.argv[1:]:
        try:
            row = asked(Path(name))
        except (ValueError, RuntimeError) as error:
            row = {"refused": " ".join(str(error).split())}
        print(json.dumps(row), flush=True)

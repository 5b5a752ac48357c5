"""Golden vectors of a bundle on whatever runtime is installed, with numpy and that alone; see min_runtime.py.

Prints one line of JSON: how many answers are equal to the bit, the mean overlap of top-10 lists, and the largest
difference of a score, as a share of the largest score.
"""

import json
import sys
from hashlib import sha256
from pathlib import Path

import numpy as np

try:
    from ai_edge_litert.interpreter import Interpreter
except ImportError:
    from tflite_runtime.interpreter import Interpreter


def main(folder: Path) -> dict[str, object]:
    cases = json.loads((folder / "golden.json").read_text())["cases"]
    interpreter = Interpreter(model_path=str(folder / "model.tflite"))
    runners = {name: interpreter.get_signature_runner(name) for name in ("score", "recommend")}
    equal, overlaps, largest, difference = 0, [], 0.0, 0.0
    for case in cases:
        score, listed = (ask(runners[name], case["inputs"]) for name in ("score", "recommend"))
        expected = case["outputs"]
        wanted = np.array(expected["recommend"]["scores"], np.float32)
        positions = np.array(expected["recommend"]["items"])
        equal += sha256(np.ascontiguousarray(score["scores"]).tobytes()).hexdigest() == expected["score"]["sha256"]
        overlaps.append(len(set(listed["items"][0][:10].tolist()) & set(positions[:10].tolist())) / 10)
        difference = max(difference, float(np.abs(score["scores"][0][positions] - wanted).max()))
        largest = max(largest, float(np.abs(wanted).max()))
    return {
        "cases": len(cases),
        "equal": int(equal),
        "overlap": round(float(np.mean(overlaps)), 4),
        "difference": round(difference / largest, 4),
    }


def ask(runner, inputs: dict[str, list[int]]) -> dict[str, np.ndarray]:
    details = runner.get_input_details()
    return runner(
        **{name: np.array(tokens, np.int32).reshape(details[name]["shape"]) for name, tokens in inputs.items()}
    )


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))

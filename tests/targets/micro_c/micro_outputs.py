"""Many files in one process of TensorFlow Lite Micro: started by path with a folder of models and inputs."""

import sys
from pathlib import Path

import numpy as np


def main(folder: Path) -> None:
    """`NAME.tflite` and `NAME.npz` (one array an input, row by row) become `NAME.out.npz` (one an output)."""
    from tflite_micro.python.tflite_micro import runtime

    for path in sorted(folder.glob("*.tflite")):
        interpreter = runtime.Interpreter.from_bytes(path.read_bytes())
        with np.load(path.with_suffix(".npz")) as held:
            inputs = [held[f"arr_{number}"] for number in range(len(held.files))]
        outputs: list[list[np.ndarray]] = []
        for row in range(len(inputs[0])):
            for number, array in enumerate(inputs):
                interpreter.set_input(array[row : row + 1], number)
            interpreter.invoke()
            outputs.append([np.array(interpreter.get_output(number))[0] for number in range(2)])
        scores, queries = (np.array(part) for part in zip(*outputs, strict=True))
        np.savez(path.with_suffix(".out.npz"), scores=scores, queries=queries)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

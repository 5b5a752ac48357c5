"""The process that holds the micro interpreter; micro_process.py starts it by path, without kdrec."""

import sys
from pathlib import Path

import numpy as np


def main(folder: Path) -> None:
    """Answer every call in inputs.npz, (calls, *shape) an input, with model.tflite's first output, into outputs.npy."""
    from tflite_micro.python.tflite_micro import runtime

    interpreter = runtime.Interpreter.from_bytes(
        (folder / "model.tflite").read_bytes(),
        intrepreter_config=runtime.InterpreterConfig.kAllocationRecording,  # the spelling is the wheel's
    )
    with np.load(folder / "inputs.npz", allow_pickle=False) as inputs:
        arrays = [inputs[f"input_{index}"] for index in range(len(inputs.files))]
    outputs = []
    for call in range(len(arrays[0])):
        # The arena space of an input is reused while the graph runs, so every invoke needs its inputs again.
        for index, array in enumerate(arrays):
            interpreter.set_input(array[call], index)
        interpreter.invoke()
        outputs.append(np.array(interpreter.get_output(0)))
    np.save(folder / "outputs.npy", np.array(outputs))
    interpreter.print_allocations()


if __name__ == "__main__":
    main(Path(sys.argv[1]))

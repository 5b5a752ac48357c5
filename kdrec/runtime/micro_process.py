"""The process of the TensorFlow Lite Micro interpreter: a crash there is an error here."""

import importlib.util
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from math import prod
from pathlib import Path

import numpy as np

from kdrec.errors import RuntimeFileError
from kdrec.tflite.views import read

WORKER = Path(__file__).with_name("micro_worker.py")
ARENA = re.compile(r"Arena allocation total (\d+) bytes")
TIMEOUT = 3600.0  # seconds
MOST_INPUTS = 1_000_000  # numbers of one input, more than any microcontroller holds


def is_installed() -> bool:
    """Whether the `tflite-micro` wheel is."""
    return importlib.util.find_spec("tflite_micro") is not None


def arena_bytes(content: bytes, name: str = "model.tflite", timeout: float = TIMEOUT) -> int:
    """RAM that the interpreter needs for a file's tensors and its own records, measured on one call of zeros.

    Args:
        content: of any file that the interpreter runs.
        name: of the file, for errors.
        timeout: seconds that it may take.

    Raises:
        RuntimeFileError: as of `run`, or the file has several graphs or an input whose shape is not fixed.
    """
    file = read(content)
    if len(file.subgraphs) != 1:
        raise RuntimeFileError(f"{name} must have one graph, it has {len(file.subgraphs)}; export it for micro")
    tensors = [file.subgraphs[0].tensors[index] for index in file.subgraphs[0].inputs]
    if any(prod(tensor.shape) > MOST_INPUTS for tensor in tensors):
        raise RuntimeFileError(f"{name} has an input of more than {MOST_INPUTS:,} numbers; export it for micro")
    try:
        zeros = [np.zeros((1, *tensor.shape), tensor.dtype) for tensor in tensors]
    except (TypeError, ValueError) as error:
        raise RuntimeFileError(f"{name} has an input that cannot be filled ({error}); export it for micro") from error
    return run(content, zeros, name, timeout)[1]


def run(
    content: bytes, inputs: Sequence[np.ndarray], name: str = "model.tflite", timeout: float = TIMEOUT
) -> tuple[np.ndarray, int]:
    """Call a file of one graph several times, in one process.

    Args:
        content: of the file.
        inputs: (calls, *shape) each, in the order of the graph's inputs.
        name: of the file, for errors.
        timeout: seconds that all calls together may take.

    Returns:
        (calls, *shape) of the first output as it is stored, and the bytes of the arena.

    Raises:
        RuntimeFileError: the wheel is not installed, or the interpreter refused the file, died or took too long.
    """
    if not is_installed():
        raise RuntimeFileError(
            f"{name} needs the micro interpreter, which is not installed: pip install 'kdrec[micro]'"
        )
    with tempfile.TemporaryDirectory(prefix="kdrec-micro-") as temporary:
        folder = Path(temporary)
        (folder / "model.tflite").write_bytes(content)
        np.savez(folder / "inputs.npz", **{f"input_{i}": array for i, array in enumerate(inputs)})  # type: ignore[arg-type]
        said = _work(folder, name, timeout)
        stored = np.load(folder / "outputs.npy", allow_pickle=False)
    arena = ARENA.search(said)
    if arena is None:
        raise RuntimeFileError(f"{name}: the micro interpreter reported no arena size; update tflite-micro")
    return stored, int(arena[1])


def _work(folder: Path, name: str, timeout: float) -> str:
    """Run the worker; returns what it wrote to stderr."""
    # -P: the worker's folder, kdrec/runtime, must not shadow other modules.
    command = [sys.executable, "-P", str(WORKER), str(folder)]
    try:
        ended = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=timeout)
    except subprocess.TimeoutExpired as error:
        raise RuntimeFileError(
            f"{name}: the micro interpreter took longer than {timeout:g} seconds; give fewer rows"
        ) from error
    if ended.returncode < 0:
        raise RuntimeFileError(
            f"{name}: the micro interpreter died of {signal.Signals(-ended.returncode).name}; "
            f"the file was altered or was not exported for the target micro: `kdrec check` says which"
        )
    if ended.returncode:
        raise RuntimeFileError(
            f"{name}: the micro interpreter refused the file: {_reason(ended.stderr)}; "
            f"`kdrec check` says which rule it breaks"
        )
    return ended.stderr


def _reason(text: str) -> str:
    """The interpreter's own words: what it wrote before Python's traceback, or the traceback's last line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    words = [line for line in lines if "Didn't find op" in line or "Failed to" in line]
    return (words or lines or ["no reason given"])[0 if words else -1]

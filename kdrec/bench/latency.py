"""How fast a .tflite file answers, and what it needs: measured in a process of its own."""

import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import numpy as np

from kdrec.bench.idle import idle_file
from kdrec.bench.tokens import token_limits
from kdrec.errors import RuntimeFileError


@dataclass(frozen=True)
class BenchResult:
    """What one file costs on this machine.

    Args:
        file: its path.
        signature: that was run; None for a file without signatures.
        inputs: what it was asked with, in words.
        threads: of the interpreter.
        xnnpack: whether XNNPACK ran what it can, as it does by default, or LiteRT's own kernels ran it all.
        runs: timed runs.
        latency_us_p50, latency_us_p90, latency_us_p99: percentiles over the runs, in microseconds, of the graph alone:
            without setting inputs and copying outputs.
        load_ms: making the interpreter and allocating its tensors, in milliseconds, in a runtime that is awake.
        peak_memory_bytes: the most that the process held beyond an idle runtime (about 5 MB, once a process). Pages
            that the runtime held already count as its own, so a file of a few KiB may show next to nothing; on systems
            other than Linux, where the peak cannot be started anew, so may larger ones.
        litert: version of the runtime.
    """

    file: str
    signature: str | None
    inputs: str
    threads: int
    xnnpack: bool
    runs: int
    latency_us_p50: float
    latency_us_p90: float
    latency_us_p99: float
    load_ms: float
    peak_memory_bytes: int
    litert: str

    def as_dict(self) -> dict[str, Any]:
        """The figures, ready for JSON."""
        return asdict(self)


def bench(
    path: str | Path,
    signature: str | None = None,
    threads: int = 1,
    runs: int = 200,
    warmup: int = 20,
    inputs: Mapping[str, np.ndarray] | Sequence[Mapping[str, np.ndarray]] | None = None,
    timeout: float = 300.0,
    xnnpack: bool = True,
) -> BenchResult:
    """Measure a .tflite file through LiteRT.

    The file runs in a process of its own: its memory is counted alone, and a file that crashes the runtime is an error.

    Args:
        path: of any .tflite file, made by kdrec or not.
        signature: to run; None takes `recommend` if the file has it, else its first, else (a file without) its graph.
        threads: of the interpreter.
        runs: how many are timed.
        warmup: how many come before.
        inputs: name -> array with the file's own types and shapes, or several such, of equal shapes, which take turns;
            they are set before the clock starts. The names are the signature's, or the tensors' own in a file without
            signatures. None makes them up. Integers of 32 bits or more are tokens as a rule: 16 full histories, uniform
            over 1 … the largest that `kdrec.bench.tokens.token_limits` finds, with a fixed seed; 0, which is within
            every table, where it finds none. Equal scores, as a history of zeros may give, are no fair question: an
            in-graph top K takes another time for them. Floats are uniform in [0, 1), shorter integers over their range.
        timeout: seconds after which the file is given up.
        xnnpack: whether XNNPACK may run what it can.

    Raises:
        RuntimeFileError: the file cannot be read or run, crashes, takes too long, or has no such signature or inputs.
        ValueError: threads, runs or timeout is not positive, warmup is negative, or inputs are no case at all, or cases
            of different names or shapes.

    >>> bench("no.tflite")
    Traceback (most recent call last):
      ...
    kdrec.errors.RuntimeFileError: no.tflite does not exist; give the path of a .tflite file
    """
    for name, value, least in (("threads", threads, 1), ("runs", runs, 1), ("warmup", warmup, 0)):
        if value < least:
            raise ValueError(f"{name} must be at least {least}, not {value}")
    if timeout <= 0:
        raise ValueError(f"timeout must be more than 0 seconds, not {timeout}")
    if not Path(path).is_file():
        raise RuntimeFileError(f"{path} does not exist; give the path of a .tflite file")
    with tempfile.TemporaryDirectory() as folder:
        arrays = None if inputs is None else _written(_stacked(inputs), Path(folder))
        idle = Path(folder) / "idle.tflite"
        idle.write_bytes(idle_file())
        request = {
            "path": str(Path(path).resolve()),
            "idle": str(idle),
            "signature": signature,
            "threads": threads,
            "xnnpack": xnnpack,
            "runs": runs,
            "warmup": warmup,
            "inputs": arrays,
            "limits": {} if arrays is not None else token_limits(path),
        }
        answer = _ask(path, request, timeout)
    return BenchResult(file=str(path), threads=threads, xnnpack=xnnpack, runs=runs, **answer)


def _stacked(inputs: Mapping[str, np.ndarray] | Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """By name an array with one row a case."""
    cases = [inputs] if isinstance(inputs, Mapping) else list(inputs)
    shapes = [{name: np.shape(value) for name, value in case.items()} for case in cases]
    if not cases:
        raise ValueError("inputs must be at least one case, received none; give None to have them made up")
    for place, each in enumerate(shapes):
        if each != shapes[0]:
            raise ValueError(f"inputs must all have the names and shapes {shapes[0]}, case {place} has {each}")
    return {name: np.stack([case[name] for case in cases]) for name in cases[0]}


def _written(arrays: Mapping[str, np.ndarray], folder: Path) -> dict[str, tuple[str, str, tuple[int, ...]]]:
    """By name the file with an array's bare numbers, their type and its shape.

    An archive would do, but what reads it takes more memory than a small model.
    """
    told = {}
    for number, (name, array) in enumerate(arrays.items()):
        place = folder / f"{number}.bin"
        array.tofile(place)
        told[name] = (str(place), array.dtype.str, array.shape)
    return told


def _ask(path: str | Path, request: dict[str, Any], timeout: float) -> dict[str, Any]:
    with as_file(files("kdrec.bench").joinpath("child.py")) as script:
        try:
            # -P: the script's folder holds an inspect.py, which must not stand in for Python's own.
            child = subprocess.run(
                [sys.executable, "-P", str(script)],
                input=json.dumps(request),
                capture_output=True,
                text=True,
                timeout=timeout,
            )
        except subprocess.TimeoutExpired as error:
            raise RuntimeFileError(
                f"{path} did not finish {request['runs']} runs in {timeout:g} seconds; "
                "ask for fewer runs or a longer timeout"
            ) from error
    if child.returncode < 0:
        name = signal.Signals(-child.returncode).name
        raise RuntimeFileError(
            f"{path} crashed LiteRT ({name}); check the file with `kdrec inspect` or export it again"
        )
    if child.returncode != 0:
        last = (child.stderr.strip().splitlines() or ["no message"])[-1]
        raise RuntimeFileError(f"{path} could not be measured: {last}")
    answer = json.loads(child.stdout)
    if "misfit" in answer:
        raise RuntimeFileError(f"{path} {answer['misfit']}")
    if "error" in answer:
        raise RuntimeFileError(
            f"{path} cannot be run by LiteRT: {answer['error']}; `kdrec inspect` shows what it holds"
        )
    return answer

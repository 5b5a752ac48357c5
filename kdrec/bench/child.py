"""The process that `kdrec.bench.latency` starts: reads a request, runs the file, prints what it measured.

It stands alone (numpy and LiteRT, nothing of kdrec), and wakes the runtime with a file of next to nothing, so that what
the measured file adds is its own: LiteRT itself takes about 5 MB and half a millisecond once a process.
"""

import gc
import json
import resource
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import ai_edge_litert
import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType


class RequestError(Exception):
    """The request does not fit the file."""


def measure(request: dict[str, Any]) -> dict[str, Any]:
    """Load the file, run it, and time each run."""
    idle = Interpreter(model_path=request["idle"], num_threads=request["threads"])
    idle.allocate_tensors()
    idle.invoke()
    rng = np.random.default_rng(0)  # here, because its import takes memory too
    before = _reset_peak_memory()
    start = time.perf_counter()
    kernels = OpResolverType.AUTO if request["xnnpack"] else OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    interpreter = Interpreter(
        model_path=request["path"], num_threads=request["threads"], experimental_op_resolver_type=kernels
    )
    interpreter.allocate_tensors()
    load = time.perf_counter() - start
    given = dict(np.load(request["inputs"], allow_pickle=False)) if request["inputs"] else None
    signature = _signature(list(interpreter.get_signature_list()), request["signature"])
    run = _prepare(interpreter, signature, given, rng)
    for _ in range(request["warmup"]):
        run()
    nanoseconds = np.empty(request["runs"], np.int64)
    gc.disable()
    for place in range(request["runs"]):
        begin = time.perf_counter_ns()
        run()
        nanoseconds[place] = time.perf_counter_ns() - begin
    peak = max(_peak_memory() - before, 0)
    p50, p90, p99 = (float(value) / 1e3 for value in np.percentile(nanoseconds, [50, 90, 99]))
    return {
        "signature": signature,
        "latency_us_p50": p50,
        "latency_us_p90": p90,
        "latency_us_p99": p99,
        "load_ms": load * 1e3,
        "peak_memory_bytes": peak,
        "litert": ai_edge_litert.__version__,
    }


def _signature(names: list[str], wanted: str | None) -> str | None:
    if wanted is None:
        return "recommend" if "recommend" in names else (names[0] if names else None)
    if wanted not in names:
        raise RequestError(f"has no signature {wanted!r}; it has {', '.join(names) or 'none'}")
    return wanted


def _prepare(
    interpreter: Interpreter, signature: str | None, given: dict[str, np.ndarray] | None, rng: np.random.Generator
) -> Callable[[], Any]:
    """Set the inputs and return the call that is timed: the graph alone, as an app in C++ or Kotlin pays for it."""
    if signature is None:
        details = {detail["name"]: detail for detail in interpreter.get_input_details()}
        for name, value in _inputs(details, given, rng).items():
            interpreter.set_tensor(details[name]["index"], value)
        return interpreter.invoke
    runner = interpreter.get_signature_runner(signature)
    runner(**_inputs(runner.get_input_details(), given, rng))
    # The runner's own call also allocates again and copies all outputs; LiteRT has no public way to leave that out.
    wrapper, subgraph = runner._interpreter_wrapper, runner._subgraph_index
    return lambda: wrapper.Invoke(subgraph)


def _inputs(
    details: Mapping[str, Any], given: dict[str, np.ndarray] | None, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    if given is None:
        return {name: _made_up(name, detail, rng) for name, detail in details.items()}
    if set(given) != set(details):
        raise RequestError(f"takes the inputs {', '.join(details)}, not {', '.join(given) or 'none'}")
    for name, value in given.items():
        dtype, shape = np.dtype(details[name]["dtype"]), details[name]["shape_signature"]
        fits = value.ndim == len(shape) and all(
            want in (-1, have) for want, have in zip(shape, value.shape, strict=True)
        )
        if value.dtype != dtype or not fits:
            wanted = f"{dtype} {tuple(map(int, shape))}"
            raise RequestError(f"takes {wanted} as input {name!r}, not {value.dtype} {value.shape}")
    return given


def _made_up(name: str, detail: Mapping[str, Any], rng: np.random.Generator) -> np.ndarray:
    dtype, shape = np.dtype(detail["dtype"]), detail["shape"]
    if dtype.kind == "f":
        return rng.random(shape).astype(dtype)
    if dtype.kind == "b" or dtype.itemsize >= 4 and dtype.kind in "iu":
        return np.zeros(shape, dtype)
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        return rng.integers(limits.min, limits.max, shape, dtype, endpoint=True)
    raise RequestError(f"has input {name!r} of type {dtype}, which cannot be made up; give it by `inputs`")


def _reset_peak_memory() -> int:
    """Start the peak anew where the system can (Linux); returns the memory held so far."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return _peak_memory()


def _peak_memory() -> int:
    try:
        status = Path("/proc/self/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) * 1024
    except (OSError, IndexError):
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


if __name__ == "__main__":
    try:
        answer = measure(json.load(sys.stdin))
    except RequestError as error:
        answer = {"misfit": str(error)}
    except Exception as error:  # whatever LiteRT raises is told, never shown as a traceback
        answer = {"error": str(error).strip() or type(error).__name__}
    json.dump(answer, sys.stdout)

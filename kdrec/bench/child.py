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
from typing import Any, TypeAlias

import ai_edge_litert
import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

Case: TypeAlias = Mapping[str, np.ndarray]
MADE_UP = 16  # cases of random tokens, as many as a bundle has golden vectors


class RequestError(Exception):
    """The request does not fit the file."""


def measure(request: dict[str, Any]) -> dict[str, Any]:
    """Load the file, run it, and time each run."""
    idle = Interpreter(model_path=request["idle"], num_threads=request["threads"])
    idle.allocate_tensors()
    idle.invoke()
    rng = np.random.default_rng(0)  # here, because its import takes memory too
    # Read before memory is counted, for the reading takes some, too.
    given = None if request["inputs"] is None else _given(request["inputs"])
    before = _reset_peak_memory()
    start = time.perf_counter()
    kernels = OpResolverType.AUTO if request["xnnpack"] else OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    interpreter = Interpreter(
        model_path=request["path"], num_threads=request["threads"], experimental_op_resolver_type=kernels
    )
    interpreter.allocate_tensors()
    load = time.perf_counter() - start
    signature = _signature(list(interpreter.get_signature_list()), request["signature"])
    cases, told, ask, run = _prepare(interpreter, signature, given, request["limits"].get(signature or "", {}), rng)
    for place in range(request["warmup"]):
        ask(cases[place % len(cases)])
        run()
    nanoseconds = np.empty(request["runs"], np.int64)
    gc.disable()
    for place in range(request["runs"]):
        ask(cases[place % len(cases)])
        begin = time.perf_counter_ns()
        run()
        nanoseconds[place] = time.perf_counter_ns() - begin
    peak = max(_peak_memory() - before, 0)
    p50, p90, p99 = (float(value) / 1e3 for value in np.percentile(nanoseconds, [50, 90, 99]))
    return {
        "signature": signature,
        "inputs": told,
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


def _given(told: Mapping[str, Any]) -> list[Case]:
    """The cases of arrays with one row a case; one case of nothing where there are none."""
    arrays = {name: np.fromfile(path, dtype).reshape(shape) for name, (path, dtype, shape) in told.items()}
    rows = max((len(array) for array in arrays.values()), default=1)
    return [{name: array[row] for name, array in arrays.items()} for row in range(rows)]


def _prepare(
    interpreter: Interpreter,
    signature: str | None,
    given: list[Case] | None,
    limits: Mapping[str, int],
    rng: np.random.Generator,
) -> tuple[list[Case], str, Callable[[Case], None], Callable[[], Any]]:
    """The cases, what they are in words, how one is set, and the call that is timed.

    That call is the graph alone, as an app in C++ or Kotlin pays for it.
    """
    if signature is None:
        details: Mapping[str, Any] = {detail["name"]: detail for detail in interpreter.get_input_details()}
        cases, told = _cases(details, given, limits, rng)

        def ask(case: Case) -> None:
            for name, value in case.items():
                interpreter.set_tensor(details[name]["index"], value)

        return cases, told, ask, interpreter.invoke
    runner = interpreter.get_signature_runner(signature)
    details = runner.get_input_details()
    cases, told = _cases(details, given, limits, rng)
    runner(**cases[0])  # which gives every tensor its size
    # The runner's own call also allocates again and copies all outputs; LiteRT has no public way to leave that out.
    wrapper, subgraph = runner._interpreter_wrapper, runner._subgraph_index

    def ask_signature(case: Case) -> None:
        for name, value in case.items():
            wrapper.SetTensor(details[name]["index"], value, subgraph)

    return cases, told, ask_signature, lambda: wrapper.Invoke(subgraph)


def _cases(
    details: Mapping[str, Any], given: list[Case] | None, limits: Mapping[str, int], rng: np.random.Generator
) -> tuple[list[Case], str]:
    """What was given, if it fits, or what is made up; and what it is in words."""
    if given is not None:
        for case in given:
            _check(details, case)
        return given, f"{len(given)} given"
    known = [name for name in details if name in limits]
    unknown = [name for name, detail in details.items() if _is_id(detail) and name not in limits]
    number = MADE_UP if known else 1
    # Inputs of other kinds are made once: large ones would count as memory of the file.
    others = {name: _made_up(name, detail, None, rng) for name, detail in details.items() if name not in limits}
    made: list[Case] = [
        others | {name: _made_up(name, details[name], limits[name], rng) for name in known} for _ in range(number)
    ]
    zeros = f"zeros as {', '.join(unknown)}, of which the file does not say the range" if unknown else ""
    drawn = f"{number} at random" if known or len(unknown) < len(details) else ""
    return made, "; ".join(filter(None, (drawn, zeros))) or "none"


def _check(details: Mapping[str, Any], given: Case) -> None:
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


def _is_id(detail: Mapping[str, Any]) -> bool:
    """Whether its numbers are ids, as a rule."""
    dtype = np.dtype(detail["dtype"])
    return dtype.itemsize >= 4 and dtype.kind in "iu"


def _made_up(name: str, detail: Mapping[str, Any], limit: int | None, rng: np.random.Generator) -> np.ndarray:
    dtype, shape = np.dtype(detail["dtype"]), detail["shape"]
    if dtype.kind == "f":
        return rng.random(shape).astype(dtype)
    if limit is not None:
        return rng.integers(min(1, limit), limit, shape, dtype, endpoint=True)
    if dtype.kind == "b" or _is_id(detail):
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

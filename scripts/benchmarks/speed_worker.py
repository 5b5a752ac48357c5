"""A process that holds contestants and runs one when it is told to: lines of JSON in, lines of JSON out."""

import json
import os
import resource
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

Run = Callable[[int], Mapping[str, Any] | None]  # does its work so many times; may answer with facts


def serve(setup: Callable[[dict[str, Any]], Mapping[str, Run]]) -> None:
    """Answer `speed_rounds.Worker`: the first line is given to `setup`, every other one names a contestant.

    Args:
        setup: makes the contestants, ready to run: what it imports, reads and compiles is not timed.
    """
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever is printed goes to the log

    def answer(**facts: Any) -> None:
        print(json.dumps({"peak_mib": peak_mib(), **facts}), file=answers, flush=True)

    contestants = setup(json.loads(sys.stdin.readline()))
    answer(contestants=sorted(contestants))
    for line in sys.stdin:
        asked = json.loads(line)
        run = contestants[asked["name"]]
        if asked["warm"]:
            run(asked["warm"])
        wall, cpu = time.perf_counter(), time.process_time()
        facts = run(asked["count"])
        seconds = {"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - cpu}
        answer(**seconds, **(facts or {}))


def peak_mib() -> float:
    """The most memory that this process has had in use so far."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20

"""Contestants in processes of their own, the rounds in which they take turns, and what came of them.

This module imports nothing heavy: a process begins with the peak memory of the one that started it.
"""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

HERE = Path(__file__).parent
Taken = Mapping[str, Sequence[Mapping[str, Any]]]  # by contestant, what each round answered


def thread_settings(threads: int) -> dict[str, str]:
    """The environment that gives every library as many threads."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    names += ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
    return dict.fromkeys(names, str(threads))


class Worker:
    """A script beside this one that `serve`s contestants.

    Args:
        script: its name.
        given: what its setup is told.
        log: gets what it prints.
        threads: of every library.
        legacy_keras: whether `tf.keras` is Keras 2 there.
    """

    def __init__(self, script: str, given: Mapping[str, Any], log: Path, threads: int, legacy_keras: bool = True):
        keras = {"TF_USE_LEGACY_KERAS": "1"} if legacy_keras else {"KERAS_BACKEND": "tensorflow"}
        environment = {name: value for name, value in os.environ.items() if name != "TF_USE_LEGACY_KERAS"}
        environment |= {"TF_CPP_MIN_LOG_LEVEL": "3", **keras, **thread_settings(threads)}
        self.script, self.log = script, log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a") as told:
            self.process = subprocess.Popen(
                [sys.executable, str(HERE / script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=told,
                text=True, env=environment,
            )  # fmt: skip
        self.ready = self._ask(given)

    def run(self, name: str, count: int = 1, warm: int = 0) -> dict[str, Any]:
        """Let a contestant do its work `warm` times untimed, then `count` times: seconds, cpu_seconds, peak_mib."""
        return self._ask({"name": name, "count": count, "warm": warm})

    def _ask(self, question: Mapping[str, Any]) -> dict[str, Any]:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.script} ended with status {self.process.wait()}; its last words are in {self.log}")
        return json.loads(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.close()
        self.process.stdout.close()
        if error[0] is not None:
            self.process.terminate()
        self.process.wait()


def in_turns(contestants: Mapping[str, Worker], rounds: int, count: int = 1, warm: int = 0) -> Taken:
    """What each contestant took in each round; the next round begins with the next contestant."""
    taken: dict[str, list[dict[str, Any]]] = {name: [] for name in contestants}
    names = list(contestants)
    for number in range(rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            taken[name].append(contestants[name].run(name, count, warm))
    return taken


def measured(taken: Taken, per: float) -> dict[str, dict[str, float]]:
    """By contestant: median, least and greatest of the rounds' seconds · `per`, the processors' median, and the peak.

    >>> rounds = [{"seconds": s, "cpu_seconds": 2 * s, "peak_mib": 100 * s} for s in (3.0, 1.0, 2.0)]
    >>> measured({"a": rounds}, per=10.0)["a"]
    {'median': 20.0, 'least': 10.0, 'greatest': 30.0, 'cpu': 40.0, 'peak_mib': 300.0}
    """
    return {
        name: {
            **spread([answer["seconds"] * per for answer in rounds]),
            "cpu": statistics.median(answer["cpu_seconds"] * per for answer in rounds),
            "peak_mib": max(answer["peak_mib"] for answer in rounds),
        }
        for name, rounds in taken.items()
    }


def ratio(taken: Taken, what: str, of: str, to: str, **aim: float) -> dict[str, Any]:
    """How many times as long as `to` `of` takes, round by round, and whether the median meets the aim.

    Args:
        taken: what the rounds answered.
        what: is compared, in words.
        of, to: contestants.
        aim: `at_most` or `at_least`, or none.

    >>> rounds = [{"seconds": 1.0}, {"seconds": 2.0}, {"seconds": 4.0}]
    >>> found = ratio({"a": rounds, "b": [{"seconds": 2.0}] * 3}, "a and b", "a", "b", at_most=1.3)
    >>> found["median"], found["least"], found["greatest"], found["met"]
    (1.0, 0.5, 2.0, True)
    """
    values = [a["seconds"] / b["seconds"] for a, b in zip(taken[of], taken[to], strict=True)]
    found = spread(values)
    met = {"met": aim.get("at_least", 0.0) <= found["median"] <= aim.get("at_most", float("inf"))} if aim else {}
    return {"what": what, "of": of, "to": to, **found, **aim, **met}


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median, least and greatest."""
    return {"median": statistics.median(values), "least": min(values), "greatest": max(values)}

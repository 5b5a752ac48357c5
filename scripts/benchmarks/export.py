"""Files of large catalogues: kdrec's beside what users export today, from conversion to the ten best items.

    .venv/bin/python scripts/benchmarks/export.py

Contestants are plain conversions of the same student, TFRS's BruteForce, the architecture of TensorFlow's on-device
recommendation example (float, the 100 best in the graph), and numpy. Every conversion has a process of its own, and the
contestants begin in turn; then their files take turns at answering, on one thread, next to the floor: the time in which
this machine reads as many bytes as the item table has in int8. Conversions that are done are kept in --work, where a
cut run goes on; delete that folder to measure anew. `export_table.py` makes the table of the result.
"""

import argparse
import importlib.metadata
import json
import os
import statistics
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from export_floor import numpy_us, reading_us
from export_memory import PeakOfTree
from speed import machine
from speed_rounds import HERE, Worker, spread

from kdrec.bench.latency import bench
from kdrec.files import atomic_write, sha256_of
from kdrec.tflite.views import read

CONTESTANTS = (
    "kdrec_int8", "kdrec_int4_table", "plain_float32", "plain_int8", "plain_int8_scores", "tfrs_brute_force",
    "tensorflow_example",
)  # fmt: skip
FULL: dict[str, Any] = {
    "sizes": [1_000, 10_000, 100_000, 1_000_000], "embedding_dim": 32, "history_length": 50, "hidden": 128, "k": 10,
    "calibration_rows": 512, "compared_rows": 64, "rounds": 2, "latency_rounds": 5, "latency_runs": 200,
}  # fmt: skip
QUICK = FULL | {"calibration_rows": 32, "rounds": 1, "latency_rounds": 2, "latency_runs": 20}


class Export:
    """The benchmark, one conversion after the other.

    Args:
        work: gets the files and everything that a cut run goes on with.
        settings: how much is measured, `FULL` or `QUICK`.
        threads: of every library while it converts.
    """

    def __init__(self, work: Path, settings: Mapping[str, Any], threads: int):
        key = sha256_of(json.dumps([settings, threads], sort_keys=True).encode())[:16]
        self.work, self.settings, self.threads = work / key, settings, threads

    def size(self, n_items: int) -> dict[str, dict[str, Any]]:
        """By contestant what its conversions took and what its file is, for one size of the catalogue."""
        taken: dict[str, list[dict[str, Any]]] = {name: [] for name in CONTESTANTS}
        for number in range(self.settings["rounds"]):
            for name in turned(number):
                taken[name].append(self.conversion(n_items, name, number))
        latencies = self.latencies(n_items, [name for name, rounds in taken.items() if "error" not in rounds[-1]])
        return {name: summary(rounds) | latencies.get(name, {}) for name, rounds in taken.items()} | {
            name: latencies[name] for name in ("numpy", "floor")
        }

    def conversion(self, n_items: int, name: str, number: int) -> dict[str, Any]:
        """What one conversion took, measured unless it is there: seconds, peaks and the file, or the error."""
        place = self.work / str(n_items) / f"{name}-{number}.json"
        if not place.exists():
            start = time.perf_counter()
            found = self._converted(n_items, name)
            print(
                f"{n_items:,} items, {name}: {time.perf_counter() - start:.0f} s {found.get('error', '')}", flush=True
            )
            atomic_write(place, json.dumps(found, indent=1))
        return json.loads(place.read_text())

    def _converted(self, n_items: int, name: str) -> dict[str, Any]:
        file = self.file(n_items, name)
        file.parent.mkdir(parents=True, exist_ok=True)
        told = {"n_items": n_items, "contestant": name, "file": str(file), **self.settings}
        try:
            with Worker("export_contestants.py", told, self.work / "log.txt", self.threads) as worker:
                before = PeakOfTree(worker.process.pid)
                with before:
                    time.sleep(0.2)
                with PeakOfTree(worker.process.pid) as peak:
                    took = worker.run("convert")
                if "error" in took:
                    return {"error": took["error"], "peak_mib": peak.mib}
                looked = worker.run("look")
        except SystemExit as error:  # the process died
            return {"error": str(error)}
        facts = {key: looked[key] for key in ("gzip_bytes", "kept", "operators")}
        sizes = {"file_bytes": file.stat().st_size, "sha256": sha256_of(file)}
        return {"seconds": took["seconds"], "before_mib": before.mib, "peak_mib": peak.mib, **sizes, **facts}

    def latencies(self, n_items: int, names: list[str]) -> dict[str, dict[str, Any]]:
        """By contestant the median run of each round, history to the best items, in microseconds, and its memory."""
        place = self.work / str(n_items) / "latency.json"
        if not place.exists():
            times: dict[str, list[float]] = {name: [] for name in (*names, "numpy", "floor")}
            peaks: dict[str, list[float]] = {name: [] for name in names}
            width, runs = self.settings["embedding_dim"], self.settings["latency_runs"]
            for number in range(self.settings["latency_rounds"]):
                for name in (name for name in turned(number) if name in names):
                    file = self.file(n_items, name)
                    measured = bench(file, runs=runs, inputs=a_history(file, n_items, self.settings["history_length"]))
                    times[name].append(measured.latency_us_p50)
                    peaks[name].append(measured.peak_memory_bytes / 2**20)
                times["numpy"].append(numpy_us(n_items, width, self.settings["k"], runs))
                times["floor"].append(reading_us(n_items * width, runs))
            found: dict[str, dict[str, Any]] = {
                name: {"latency_us_p50": spread(taken)} for name, taken in times.items()
            }
            found |= {name: {**found[name], "run_mib": spread(mib)} for name, mib in peaks.items()}
            atomic_write(place, json.dumps(found, indent=1))
        return json.loads(place.read_text())

    def file(self, n_items: int, name: str) -> Path:
        return self.work / str(n_items) / f"{name}.tflite"

    def finished(self) -> dict[str, Any]:
        """Every size that is done, whether in this run or before."""
        sizes = (size for size in self.settings["sizes"] if (self.work / str(size) / "latency.json").exists())
        return {str(size): self.size(size) for size in sizes}


def a_history(file: Path, n_items: int, length: int) -> dict[str, np.ndarray]:
    """A full history of random items, by the name that a file gives its input: what the 100 best cost depends on it."""
    named = read(file.read_bytes()).signatures
    (name,) = named.get("recommend", next(iter(named.values()))).inputs
    return {name: np.random.default_rng(0).integers(1, n_items + 1, (1, length)).astype(np.int32)}


def turned(number: int) -> Iterator[str]:
    """All contestants, beginning with another one each round."""
    first = number % len(CONTESTANTS)
    return iter(CONTESTANTS[first:] + CONTESTANTS[:first])


def summary(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """What a contestant's conversions took, and its file; or the error of the one that failed."""
    failed = [found for found in rounds if "error" in found]
    if failed:
        return {key: failed[0][key] for key in ("error", "peak_mib") if key in failed[0]}
    last = rounds[-1]
    return {
        "seconds": spread([found["seconds"] for found in rounds]),
        "peak_mib": spread([found["peak_mib"] for found in rounds]),
        "before_mib": statistics.median(found["before_mib"] for found in rounds),
        "same_bytes": len({found["sha256"] for found in rounds}) == 1,
        **{key: last[key] for key in ("file_bytes", "gzip_bytes", "kept", "operators")},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("runs/benchmarks/export"), help="where a cut run goes on")
    sizes = FULL["sizes"]
    parser.add_argument(
        "--only", nargs="+", type=int, choices=sizes, default=sizes, help="measure these sizes and stop"
    )
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="of the converters; by default all cores")
    parser.add_argument("--quick", action="store_true", help="a trial of everything, written to --work alone")
    given = parser.parse_args()
    export = Export(given.work, QUICK if given.quick else FULL, given.threads)
    place = export.work / "export.json" if given.quick else HERE / "export.json"
    for n_items in given.only:
        export.size(n_items)
        on = machine(given.threads)
        on["versions"]["ai-edge-litert"] = importlib.metadata.version("ai-edge-litert")
        result = {"machine": on, "settings": export.settings, "sizes": export.finished()}
        atomic_write(place, json.dumps(result, indent=1) + "\n")
    print(f"written to {place}")


if __name__ == "__main__":
    main()

"""Speed and memory: every figure beside that of another contestant, which took turns with it in the same run.

    .venv/bin/python scripts/benchmarks/speed.py --data-dir DIR

DIR (or KDREC_DATA) holds the folders ml-1m/lightgcnpp_ge3 and gowalla, as `kdrec.data.sets.lightgcn` reads them. Parts
that are done are kept in --work, where a cut run goes on; delete that folder to measure anew. On an idle machine the
whole takes about ten minutes. `speed_table.py` makes the tables of the result.
"""

import argparse
import importlib.metadata
import json
import os
import platform
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from speed_rounds import HERE, Worker, in_turns, measured, ratio, thread_settings

from kdrec.files import atomic_write, sha256_of

SOURCES = {"ml-1m": "ml-1m/lightgcnpp_ge3", "gowalla": "gowalla"}
NEEDS = {
    "als": "split", "ease": "split", "two_tower": "split", "factors": "als", "cache": "two_tower", "student": "cache",
    "export": "student", "evaluate": "export",
}  # fmt: skip
MEMORY = ("imports", "split", "als", "ease", "two_tower", "cache", "student", "export", "evaluate")
PACKAGES = ("kdrec", "tensorflow", "tf_keras", "keras", "tensorflow-recommenders", "implicit", "numpy", "scipy")
FULL: dict[str, Any] = {
    "teachers": {"als": {"iterations": 3}, "two_tower": {"epochs": 1}, "ease": {}}, "epochs": 1,
    "rounds": 7, "steps": 8, "warm": 3, "large_rounds": 5, "large_steps": 3, "large_rows": 2048,
    "cache_rounds": 3, "cache_rows": 2048, "ranking_rounds": 3, "ranked": 2048,
}  # fmt: skip
QUICK = FULL | {
    "teachers": {"als": {"iterations": 1}, "two_tower": {"epochs": 1}, "ease": {}},
    "rounds": 2, "steps": 2, "warm": 1, "large_rounds": 2, "large_steps": 1, "large_rows": 1024,
    "cache_rounds": 1, "cache_rows": 512, "ranking_rounds": 1, "ranked": 512,
}  # fmt: skip


class Speed:
    """The parts of the benchmark, each done once.

    Args:
        data_dir: holds the folders of `SOURCES`.
        work: gets everything that a cut run goes on with.
        settings: how long is measured, `FULL` or `QUICK`.
        threads: of every library in every process.
    """

    def __init__(self, data_dir: Path, work: Path, settings: Mapping[str, Any], threads: int):
        key = sha256_of(json.dumps([str(data_dir.resolve()), settings, threads], sort_keys=True).encode())[:16]
        self.data_dir, self.work, self.settings, self.threads = data_dir, work / key, settings, threads

    def cached(self) -> dict[str, Any]:
        """A student's step from stored answers, and the step of one that has no teacher."""
        return self._cached("ml-1m", "two_tower", ("cache", "rest"), ("fit", "ready", "fit/xla"), 0, "")

    def cached_large(self) -> dict[str, Any]:
        """The same with eleven times as many items, whose scores are too many to be stored."""
        return self._cached("gowalla", "als", ("rest",), ("fit", "fit/xla"), self.settings["large_rows"], "large_")

    def _cached(
        self, data: str, teacher: str, stored: tuple[str, ...], feeds: tuple[str, ...], rows: int, size: str
    ) -> dict[str, Any]:
        kinds = [*(f"{kind}/softened_kl" for kind in stored), "list/rank_softmax"]
        names = [f"{kind}/{feed}" for kind in ("none/hard", *kinds) for feed in feeds]
        rounds, count = self.settings[f"{size}rounds"], self.settings[f"{size}steps"]
        self.stage(data, teacher)
        with self.worker("speed_steps.py", data, contestants=names, teacher=teacher, rows=rows) as worker:
            taken = in_turns(dict.fromkeys(names, worker), rounds, count, self.settings["warm"])
        ratios = [
            ratio(taken, f"{SAID[kind]}, {SAID[feed]}", f"{kind}/{feed}", f"none/hard/{feed}", at_most=1.3)
            for kind in kinds
            for feed in feeds
        ]
        ratios += [
            ratio(taken, f"{SAID[kind]}, without XLA and with it", f"{kind}/fit", f"{kind}/fit/xla")
            for kind in ("none/hard", *kinds)
        ]
        return {"unit": "ms a step", "measured": measured(taken, 1e3 / count), "ratios": ratios}

    def live(self) -> dict[str, Any]:
        """A student's step with a teacher that answers in the step, and from its stored answers."""
        stored = {"softened_kl": "cache/softened_kl/fit", "rank_softmax": "list/rank_softmax/fit"}
        asked = [f"{name}/softened_kl/fit" for name in ("two_tower", "als", "ease")] + ["two_tower/rank_softmax/fit"]
        names, count = [*stored.values(), *asked], self.settings["steps"]
        for name in ("two_tower", "als", "ease"):
            self.stage("ml-1m", name)
        with self.worker("speed_steps.py", "ml-1m", contestants=names, teacher="two_tower", rows=0) as worker:
            taken = in_turns(dict.fromkeys(names, worker), self.settings["rounds"], count, self.settings["warm"])
        ratios = []
        for name in asked:
            teacher, loss, _ = name.split("/")
            ratios.append(ratio(taken, f"{teacher}, {loss}", name, stored[loss], at_least=3.0))
        return {"unit": "ms a step", "measured": measured(taken, 1e3 / count), "ratios": ratios}

    def keras(self) -> dict[str, Any]:
        """The Distiller of Keras 3 and kdrec's, with the same pair of models on the same batches."""
        pair, count = str(self.work / "ml-1m" / "pair"), self.settings["steps"]
        ours = [f"{teacher}/softened_kl/ready{xla}" for xla in ("", "/xla") for teacher in ("graph", "cache")]
        theirs = ["default", "xla"]
        self.stage("ml-1m", "two_tower")
        told = {"contestants": ours, "teacher": "two_tower", "rows": 0, "pair": pair}
        with (
            self.worker("speed_steps.py", "ml-1m", **told) as own,
            self.worker("speed_keras3.py", "ml-1m", legacy_keras=False, contestants=theirs, pair=pair) as other,
        ):
            turns = dict.fromkeys(ours, own) | dict.fromkeys(theirs, other)
            taken = in_turns(turns, self.settings["rounds"], count, self.settings["warm"])
        ratios = []
        for name in ours:
            teacher, _, _, *xla = name.split("/")
            what = f"{'compiled by XLA' if xla else 'as it is'}, kdrec with {SAID[teacher]}"
            ratios.append(ratio(taken, what, theirs[len(xla)], name, at_least=1.0))
        facts = {f"Keras 3 {name} uses XLA": taken[name][0]["xla"] for name in theirs}
        return {"unit": "ms a step", "measured": measured(taken, 1e3 / count), "ratios": ratios, "facts": facts}

    def caches(self) -> dict[str, Any]:
        """How many users a second a teacher answers for a cache."""
        teachers = ("ease", "als", "two_tower")
        for name in teachers:
            self.stage("ml-1m", name)
        names = [f"{name}/{kind}" for name in teachers for kind in ("scores", "list")]
        with self.worker("speed_caches.py", "ml-1m", contestants=names, rows=self.settings["cache_rows"]) as worker:
            taken = in_turns(dict.fromkeys(names, worker), self.settings["cache_rounds"])
        per = 1e3 / taken[names[0]][0]["users"]
        found = measured(taken, per)
        rates = {f"{name}, users a second": round(1e3 / each["median"], 1) for name, each in found.items()}
        return {"unit": "ms a user", "measured": found, "ratios": [], "facts": rates}

    def ranking(self) -> dict[str, Any]:
        """Full-ranking evaluation of the same factors by kdrec and by TensorFlow Recommenders."""
        names = ["kdrec", "brute_force/users", "brute_force/pairs", "streaming/pairs"]
        self.stage("gowalla", "factors")
        with ExitStack() as stack:
            told = {"rows": self.settings["ranked"]}
            workers = {
                name: stack.enter_context(self.worker("speed_ranking.py", "gowalla", contestants=[name], **told))
                for name in names
            }
            taken = in_turns(workers, self.settings["ranking_rounds"])
        ratios = [ratio(taken, f"TFRS {name.replace('_', ' ')}", name, "kdrec") for name in names[1:]]
        facts = {f"{name}: {key}": taken[name][0][key] for name in names for key in ("queries", "figures")}
        memory = {f"{name}: MiB before": round(workers[name].ready["peak_mib"]) for name in names}
        return {"unit": "s", "measured": measured(taken, 1.0), "ratios": ratios, "facts": facts | memory}

    def memory(self) -> dict[str, Any]:
        """The peak of each stage in a process of its own."""
        found = {name: self.stage("ml-1m", name) for name in MEMORY}
        return {"unit": "MiB", "stages": found, "ratios": []}

    def stage(self, data: str, name: str) -> dict[str, Any]:
        """Do a stage, and those that it needs, unless it is done: its seconds and peaks."""
        place = self.work / data / "stages" / f"{name}.json"
        if not place.exists():
            if name in NEEDS:
                self.stage(data, NEEDS[name])
            with self.worker("speed_stages.py", data, stage=name, rows=0, epochs=self.settings["epochs"]) as worker:
                found = {"imports_mib": worker.ready["peak_mib"], **worker.run(name)}
            atomic_write(place, json.dumps(found, indent=1))
        return json.loads(place.read_text())

    def worker(self, script: str, data: str, legacy_keras: bool = True, **given: Any) -> Worker:
        """A process for one data set."""
        told = {"data": data, "source": str(self.data_dir / SOURCES[data]), "work": str(self.work)}
        told |= {"teachers": self.settings["teachers"], **given}
        return Worker(script, told, self.work / "log.txt", self.threads, legacy_keras)

    def part(self, name: str) -> dict[str, Any]:
        """A part's result, measured unless it is there."""
        place = self.work / "parts" / f"{name}.json"
        if not place.exists():
            load, start = os.getloadavg()[0], time.perf_counter()
            found = PARTS[name](self)
            found |= {"load_before": load, "took_seconds": round(time.perf_counter() - start)}
            atomic_write(place, json.dumps(found, indent=1))
        return json.loads(place.read_text())

    def finished(self) -> dict[str, Any]:
        """Every part that is done, whether in this run or before."""
        return {name: self.part(name) for name in PARTS if (self.work / "parts" / f"{name}.json").exists()}


SAID = {
    "cache/softened_kl": "softened_kl, all scores stored", "rest/softened_kl": "softened_kl, top list stored",
    "list/rank_softmax": "rank_softmax, top list stored", "none/hard": "no teacher",
    "fit": "batches made meanwhile", "ready": "batches ready", "fit/xla": "batches made meanwhile, XLA",
    "graph": "the same live teacher", "cache": "stored answers",
}  # fmt: skip
PARTS: dict[str, Callable[[Speed], dict[str, Any]]] = {
    "cached": Speed.cached, "cached_large": Speed.cached_large, "live": Speed.live, "keras": Speed.keras,
    "caches": Speed.caches, "ranking": Speed.ranking, "memory": Speed.memory,
}  # fmt: skip


def machine(threads: int) -> dict[str, Any]:
    """What the figures depend on beside the code."""
    described = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    model = next((line.partition(":")[2].strip() for line in described.splitlines() if "model name" in line), "")
    return {
        "cores": os.cpu_count(), "processor": model or platform.processor(), "threads": threads,
        "thread_settings": thread_settings(threads), "memory_gib": round(memory_bytes() / 2**30, 1),
        "system": platform.platform(), "python": platform.python_version(),
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
    }  # fmt: skip


def memory_bytes() -> int:
    """The memory of this machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    base = os.environ.get("KDREC_DATA")
    parser.add_argument("--data-dir", type=Path, default=Path(base) if base else None, help="by default KDREC_DATA")
    parser.add_argument("--work", type=Path, default=Path("runs/benchmarks/speed"), help="where a cut run goes on")
    parser.add_argument("--only", nargs="+", choices=[*PARTS], default=[*PARTS], help="measure these parts and stop")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="of every library; by default all cores")
    parser.add_argument("--quick", action="store_true", help="a trial of everything, written to --work alone")
    given = parser.parse_args()
    if given.data_dir is None:
        parser.error("--data-dir is missing, and KDREC_DATA names no folder")
    speed = Speed(given.data_dir, given.work, QUICK if given.quick else FULL, given.threads)
    place = speed.work / "speed.json" if given.quick else HERE / "speed.json"
    for name in given.only:
        print(f"{name}: {speed.part(name)['took_seconds']} s", flush=True)
        result = {"machine": machine(given.threads), "settings": speed.settings, "parts": speed.finished()}
        atomic_write(place, json.dumps(result, indent=1) + "\n")
    print(f"written to {place}")


if __name__ == "__main__":
    main()

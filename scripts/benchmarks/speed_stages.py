"""One stage of a run in a process of its own, for its peak memory: what it imports first, then its work.

Stages leave what later ones need in the data set's folder.
"""

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from speed_worker import Run, serve

Stage = Callable[[dict[str, Any]], Callable[[], None]]  # imports, and gives the work


def setup(given: dict[str, Any]) -> Mapping[str, Run]:
    """The stage named `stage`; the imports are done, the work is not."""
    name = given["stage"]
    work = STAGES[name](given) if name in STAGES else teacher(given)

    def run(count: int) -> dict[str, Any]:
        children = PeakOfChildren()
        with children:
            work()
        return {"children_mib": children.peak_mib}

    return {name: run}


def imports(given: dict[str, Any]) -> Callable[[], None]:
    import kdrec.distill.train
    import kdrec.pack  # noqa: F401 - everything that the stages import

    return lambda: None


def split(given: dict[str, Any]) -> Callable[[], None]:
    import speed_data as data

    return lambda: data.write_split(given)


def teacher(given: dict[str, Any]) -> Callable[[], None]:
    import speed_data as data

    if given["stage"] == "two_tower":
        import kdrec.models.teachers.two_tower.model  # noqa: F401

    return lambda: data.train_teacher(given, given["stage"])


def factors(given: dict[str, Any]) -> Callable[[], None]:
    import speed_ranking

    return lambda: speed_ranking.prepare(given)


def cache(given: dict[str, Any]) -> Callable[[], None]:
    import speed_data as data

    import kdrec.distill.batches
    import kdrec.models.teachers.two_tower.model  # noqa: F401 - with which the teacher is read

    return lambda: data.write_cache(given, data.read_split(given), "two_tower", "scores")


def student(given: dict[str, Any]) -> Callable[[], None]:
    import speed_data as data
    import speed_steps

    from kdrec.distill.train import train
    from kdrec.losses.softened_kl import SoftenedKl

    def work() -> None:
        parts = data.read_split(given)
        trained, cached = speed_steps.a_student(parts), data.read_cache(given, parts, "two_tower", "scores")
        train(trained, parts, cache=cached, losses=[SoftenedKl()], student_loss_weight=0.3, epochs=given["epochs"])
        data.keep(data.folder(given) / "student", **{f"w{n}": w for n, w in enumerate(trained.get_weights())})

    return work


def export(given: dict[str, Any]) -> Callable[[], None]:
    import speed_data as data
    import speed_steps

    from kdrec import pack
    from kdrec.config import Config

    def work() -> None:
        parts, stored = data.read_split(given), data.kept(data.folder(given) / "student")
        trained = speed_steps.a_student(parts)
        trained.set_weights([stored[f"w{number}"] for number in range(len(stored))])
        config = Config(targets=("android",), recipe="int8", teacher="als")
        pack.export_bundles(trained, parts, config, given["data"], data.folder(given) / "bundles")

    return work


def evaluate(given: dict[str, Any]) -> Callable[[], None]:
    import speed_data as data

    from kdrec.bundle.read import open_bundle
    from kdrec.evaluation import ranking
    from kdrec.runtime.judge import judge

    def work() -> None:
        bundle = open_bundle(data.folder(given) / "bundles" / "android")
        scorer, length = judge(bundle.manifest, bundle.files), bundle.manifest.history.length
        print(ranking.evaluate(scorer, data.read_split(given), history_length=length).metrics)

    return work


STAGES: dict[str, Stage] = {
    "imports": imports, "split": split, "factors": factors, "cache": cache, "student": student, "export": export,
    "evaluate": evaluate,
}  # fmt: skip


class PeakOfChildren:
    """The highest peak among the processes that this one starts, looked at ten times a second while it works."""

    def __init__(self) -> None:
        self.peak_mib, self._done = 0.0, threading.Event()
        self._watch = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> None:
        self._watch.start()

    def __exit__(self, *error: object) -> None:
        self._done.set()
        self._watch.join()

    def _look(self) -> None:
        while not self._done.wait(0.1):
            for status in children():
                peak = next((line for line in status.splitlines() if line.startswith("VmHWM:")), "VmHWM: 0 kB")
                self.peak_mib = max(self.peak_mib, int(peak.split()[1]) / 1024)


def children() -> list[str]:
    """The status of every process that this one has started and that lives (Linux; elsewhere none)."""
    found = []
    for listed in Path("/proc/self/task").glob("*/children"):
        try:
            found += [Path("/proc", child, "status").read_text() for child in listed.read_text().split()]
        except OSError:  # it has just ended
            continue
    return found


if __name__ == "__main__":
    serve(setup)
